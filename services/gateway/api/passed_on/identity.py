"""Identity's: signing in, who lives and works there, organisations and vehicles, and what people have agreed to."""

from functools import partial

from libs.contracts.permissions import (
    ACCOUNTS_MANAGE,
    DATA_OWN,
    ERASURES_MANAGE,
    GOVERNMENT_READ,
    HOMES_MANAGE,
    HOMES_READ,
    ME_READ,
    POPULATION_DECLARE,
    RESIDENTS_MANAGE,
    RESIDENTS_READ,
    VEHICLES_DECLARE_OWN,
    VEHICLES_MANAGE,
)
from libs.eventkit.http import open_to_all, permitted
from services.gateway.api.passing import PassedOn

identity = partial(PassedOn, "identity")
ME = permitted(ME_READ)
ACCOUNTS = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
HOMES, READING_HOMES = permitted(HOMES_MANAGE), permitted(HOMES_READ)
RESIDENTS, READING = permitted(RESIDENTS_MANAGE), permitted(RESIDENTS_READ)
KEEPER, VEHICLES = permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE), permitted(VEHICLES_MANAGE)
CONTACTS, OWN = permitted(RESIDENTS_MANAGE, GOVERNMENT_READ), permitted(DATA_OWN)

TABLE = (
    # signing in
    identity("POST", "/v1/sign-ins", open_to_all, "start_sign_in", 202),
    identity("POST", "/v1/sign-ins/{sign_in_id}/tokens", open_to_all, "take_tokens"),
    identity("POST", "/v1/token-renewals", open_to_all, "renew_token"),
    identity("DELETE", "/v1/sessions/current", ME, "sign_out", 204),
    identity("GET", "/v1/me/sessions", ME, "list_sessions"),
    identity("DELETE", "/v1/me/sessions", ME, "sign_out_everywhere", 204),
    identity("DELETE", "/v1/me/sessions/{session_id}", ME, "end_session", 204),
    # the register
    identity("POST", "/v1/accounts", ACCOUNTS, "open_account", 201),
    identity("GET", "/v1/accounts", ACCOUNTS, "list_accounts"),
    identity("PUT", "/v1/accounts/{account_id}/phone", ACCOUNTS, "replace_phone"),
    identity("DELETE", "/v1/accounts/{account_id}", ACCOUNTS, "close_account", 204),
    identity("DELETE", "/v1/accounts/{account_id}/sessions", ACCOUNTS, "end_sessions", 204),
    identity("POST", "/v1/buildings", HOMES, "register_building", 201),
    identity("GET", "/v1/buildings", READING_HOMES, "list_buildings"),
    identity("POST", "/v1/homes", HOMES, "register_home", 201),
    identity("GET", "/v1/homes", READING_HOMES, "list_homes"),
    identity("POST", "/v1/residents", RESIDENTS, "register_resident", 201),
    identity("GET", "/v1/residents", READING, "list_residents"),
    identity("GET", "/v1/residents/{resident_id}", READING, "show_resident"),
    identity("PATCH", "/v1/residents/{resident_id}", RESIDENTS, "correct_contact"),
    identity("POST", "/v1/residents/{resident_id}/disclosures", CONTACTS, "disclose_contact", 201),
    identity("PUT", "/v1/residents/{resident_id}/id-number", RESIDENTS, "record_id_number"),
    identity("DELETE", "/v1/residents/{resident_id}/id-number", RESIDENTS, "withdraw_id_number", 204),
    identity("POST", "/v1/residents/{resident_id}/id-number/confirmation", RESIDENTS, "confirm_id_number"),
    identity("PUT", "/v1/residents/{resident_id}/guardians/{guardian_id}", RESIDENTS, "declare_guardian"),
    identity("DELETE", "/v1/residents/{resident_id}/guardians/{guardian_id}", RESIDENTS, "end_guardian", 204),
    identity("POST", "/v1/residents/{resident_id}/residences", RESIDENTS, "start_residence", 201),
    identity("POST", "/v1/residents/{resident_id}/population-declarations", permitted(POPULATION_DECLARE), "declare_population", 201),
    identity("POST", "/v1/residences/{residence_id}/end", RESIDENTS, "end_residence"),
    identity("GET", "/v1/residences", READING, "list_residences"),
    identity("GET", "/v1/probing-findings", ACCOUNTS, "list_probing_findings"),
    identity("POST", "/v1/organisations", HOMES, "register_organisation", 201),
    identity("GET", "/v1/organisations", READING_HOMES, "list_organisations"),
    identity("GET", "/v1/organisations/{organisation_id}", READING_HOMES, "show_organisation"),
    identity("PATCH", "/v1/organisations/{organisation_id}", HOMES, "correct_organisation"),
    # vehicles
    identity("POST", "/v1/vehicles", KEEPER, "register_vehicle", 201),
    identity("GET", "/v1/vehicles", KEEPER, "list_vehicles"),
    identity("GET", "/v1/vehicles/{vehicle_id}", KEEPER, "show_vehicle"),
    identity("PATCH", "/v1/vehicles/{vehicle_id}", VEHICLES, "correct_plate"),
    identity("DELETE", "/v1/vehicles/{vehicle_id}", KEEPER, "remove_vehicle", 204),
    identity("POST", "/v1/vehicles/{vehicle_id}/verification", VEHICLES, "verify_binding"),
    identity("POST", "/v1/vehicles/{vehicle_id}/keeper", VEHICLES, "confirm_keeper"),
    identity("DELETE", "/v1/vehicles/{vehicle_id}/keeper", VEHICLES, "end_keeper", 204),
    identity("POST", "/v1/vehicles/{vehicle_id}/disclosures", VEHICLES, "disclose_plate", 201),
    # consents and erasures
    identity("GET", "/v1/me/consents", OWN, "list_my_consents"),
    identity("PUT", "/v1/me/consents/{purpose}", OWN, "say_consent"),
    identity("GET", "/v1/consents", RESIDENTS, "list_consents"),
    identity("POST", "/v1/me/erasure", OWN, "erase_me", 202),
    identity("POST", "/v1/residents/{resident_id}/erasures", permitted(ERASURES_MANAGE), "erase_resident", 202),
)
