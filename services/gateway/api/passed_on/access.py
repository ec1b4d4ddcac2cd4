"""Access's: doors, lifts, cards and faces, visitors and what their hosts are told, and fire releases."""

from functools import partial

from libs.contracts.permissions import (
    CREDENTIALS_MANAGE,
    DEVICES_MANAGE,
    DOORS_MANAGE,
    DOORS_OPEN,
    DOORS_READ,
    FIRE_RELEASE,
    OPERATIONS_READ,
    VISITOR_PASSES_ISSUE_OWN,
    VISITOR_PASSES_MANAGE,
)
from libs.eventkit.http import open_to_all, permitted
from services.gateway.api.passing import PassedOn

access = partial(PassedOn, "access")
DOORS, READING_DOORS, OPENER = permitted(DOORS_MANAGE), permitted(DOORS_READ), permitted(DOORS_OPEN)
CARDS, HOST, RELEASER = permitted(CREDENTIALS_MANAGE), permitted(VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE), permitted(FIRE_RELEASE)
OPERATIONS = permitted(OPERATIONS_READ)

TABLE = (
    # doors and lifts
    access("POST", "/v1/doors/{door_id}/openings", OPENER, "order_opening", 201),
    access("POST", "/v1/doors", DOORS, "install_door", 201),
    access("PUT", "/v1/doors/{door_id}", DOORS, "change_door"),
    access("POST", "/v1/lifts", DOORS, "install_lift", 201),
    access("GET", "/v1/lifts", READING_DOORS, "list_lifts"),
    access("PUT", "/v1/lifts/{lift_id}", DOORS, "change_lift"),
    access("POST", "/v1/lifts/{lift_id}/openings", OPENER, "call_lift", 201),
    access("PUT", "/v1/homes/{home_id}/floor", DOORS, "set_home_floor"),
    # cards and faces
    access("POST", "/v1/credentials", CARDS, "issue_credential", 201),
    access("GET", "/v1/credentials", CARDS, "list_credentials"),
    access("DELETE", "/v1/credentials/{credential_id}", CARDS, "revoke_credential"),
    access("GET", "/v1/credentials/{credential_id}/readers", CARDS, "list_readers"),
    access("GET", "/v1/face-templates", permitted(OPERATIONS_READ, DEVICES_MANAGE), "count_templates"),
    # visitors
    access("POST", "/v1/visitor-passes", HOST, "issue_pass", 201),
    access("GET", "/v1/visitor-passes", HOST, "list_passes"),
    access("GET", "/v1/visitor-passes/{pass_id}", HOST, "show_pass"),
    access("POST", "/v1/visitor-passes/{pass_id}/revocations", HOST, "revoke_pass", 201),
    access("GET", "/v1/visitor-qr-keys", open_to_all, "list_code_keys"),
    access("GET", "/v1/me/visitor-notices", permitted(VISITOR_PASSES_ISSUE_OWN), "list_my_visitor_notices", behind="/v1/notices"),
    access("GET", "/v1/notice-deliveries", OPERATIONS, "list_undelivered"),
    access("GET", "/v1/notice-deliveries/counts", OPERATIONS, "count_undelivered"),
    # fire
    access("POST", "/v1/fire-releases", RELEASER, "begin_fire_release", 201),
    access("POST", "/v1/fire-releases/{release_id}/endings", RELEASER, "end_fire_release", 201),
)
