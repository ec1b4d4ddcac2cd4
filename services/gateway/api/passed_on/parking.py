"""Parking's: car parks, who may stand in them, and what is done at a lane and with a stay."""

from functools import partial

from libs.contracts.permissions import PARKING_GUARD, PARKING_MANAGE, PARKING_READ, PARKING_READ_OWN
from libs.eventkit.http import permitted
from services.gateway.api.passing import PassedOn

parking = partial(PassedOn, "parking")
MANAGER, READER, GUARD = permitted(PARKING_MANAGE), permitted(PARKING_READ), permitted(PARKING_GUARD)
DEBTOR = permitted(PARKING_READ, PARKING_READ_OWN)
PAYER, HOLDER = permitted(PARKING_GUARD, PARKING_READ_OWN), permitted(PARKING_MANAGE, PARKING_READ_OWN)

TABLE = (
    # car parks
    parking("POST", "/v1/parking/lots", MANAGER, "open_lot", 201),
    parking("GET", "/v1/parking/lots", READER, "list_lots"),
    parking("PUT", "/v1/parking/lots/{lot_id}", MANAGER, "change_lot"),
    parking("GET", "/v1/parking/lots/{lot_id}/occupancy", READER, "show_occupancy"),
    parking("POST", "/v1/parking/lots/{lot_id}/tariffs", MANAGER, "adopt_tariff", 201),
    parking("GET", "/v1/parking/lots/{lot_id}/tariffs", READER, "list_tariffs"),
    parking("POST", "/v1/parking/spaces", MANAGER, "mark_space", 201),
    parking("DELETE", "/v1/parking/spaces/{space_id}", MANAGER, "remove_space"),
    parking("GET", "/v1/parking/lots/{lot_id}/spaces", READER, "list_spaces"),
    parking("POST", "/v1/parking/lanes", MANAGER, "install_lane", 201),
    parking("GET", "/v1/parking/lanes", READER, "list_parking_lanes"),
    parking("PUT", "/v1/parking/lanes/{lane_id}", MANAGER, "change_lane"),
    # permits and lists
    parking("POST", "/v1/parking/plate-rights", MANAGER, "grant_plate_right", 201),
    parking("GET", "/v1/parking/plate-rights", READER, "list_plate_rights"),
    parking("PUT", "/v1/parking/plate-rights/{right_id}", MANAGER, "change_plate_right"),
    parking("DELETE", "/v1/parking/plate-rights/{right_id}", MANAGER, "end_plate_right"),
    parking("POST", "/v1/permits/{right_id}/renewals", HOLDER, "ask_renewal", 201,
            behind="/v1/parking/plate-rights/{right_id}/renewals"),
    # stays
    parking("GET", "/v1/parking-sessions", READER, "list_parking_sessions", behind="/v1/parking/sessions"),
    parking("GET", "/v1/parking-sessions/{session_id}/bill", DEBTOR, "show_bill",
            behind="/v1/parking/sessions/{session_id}/bill"),
    parking("POST", "/v1/parking-sessions/{session_id}/payments", PAYER, "ask_payment", 201,
            behind="/v1/parking/sessions/{session_id}/payments"),
    parking("POST", "/v1/parking-sessions/{session_id}/quarantines", GUARD, "quarantine_session", 201,
            behind="/v1/parking/sessions/{session_id}/quarantines"),
    parking("POST", "/v1/parking-sessions/{session_id}/settlements", GUARD, "settle_session", 201,
            behind="/v1/parking/sessions/{session_id}/settlements"),
    parking("POST", "/v1/parking-sessions/{session_id}/corrections", GUARD, "correct_stay", 201,
            behind="/v1/parking/sessions/{session_id}/corrections"),
    # at the lane
    parking("POST", "/v1/lanes/{lane_id}/openings", GUARD, "open_lane", 201,
            behind="/v1/parking/lanes/{lane_id}/openings"),
    parking("POST", "/v1/parking-findings/{finding_id}/settlements", GUARD, "settle_finding", 201,
            behind="/v1/parking/findings/{finding_id}/settlements"),
)
