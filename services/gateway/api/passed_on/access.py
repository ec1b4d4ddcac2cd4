"""Access's: doors, lifts and cards, visitors' passes, and fire releases."""

from functools import partial

from libs.contracts.permissions import (
    CREDENTIALS_MANAGE,
    DOORS_MANAGE,
    DOORS_OPEN,
    DOORS_READ,
    FIRE_RELEASE,
    VISITOR_PASSES_ISSUE_OWN,
    VISITOR_PASSES_MANAGE,
)
from libs.eventkit.http import permitted
from services.gateway.api.passing import PassedOn

access = partial(PassedOn, "access")
DOORS, READING_DOORS, CARDS = permitted(DOORS_MANAGE), permitted(DOORS_READ), permitted(CREDENTIALS_MANAGE)
HOST, RELEASER = permitted(VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE), permitted(FIRE_RELEASE)

TABLE = (
    # doors and lifts
    access("POST", "/v1/doors/{door_id}/openings", permitted(DOORS_OPEN), "order_opening", 201),
    access("POST", "/v1/doors", DOORS, "install_door", 201),
    access("PUT", "/v1/doors/{door_id}", DOORS, "change_door"),
    access("POST", "/v1/lifts", DOORS, "install_lift", 201),
    access("GET", "/v1/lifts", READING_DOORS, "list_lifts"),
    access("PUT", "/v1/lifts/{lift_id}", DOORS, "change_lift"),
    access("PUT", "/v1/homes/{home_id}/floor", DOORS, "set_home_floor"),
    # cards and faces
    access("POST", "/v1/credentials", CARDS, "issue_credential", 201),
    access("GET", "/v1/credentials", CARDS, "list_credentials"),
    access("DELETE", "/v1/credentials/{credential_id}", CARDS, "revoke_credential"),
    access("GET", "/v1/credentials/{credential_id}/readers", CARDS, "list_readers"),
    # visitors
    access("POST", "/v1/visitor-passes", HOST, "issue_pass", 201),
    access("POST", "/v1/visitor-passes/{pass_id}/revocations", HOST, "revoke_pass", 201),
    # fire
    access("POST", "/v1/fire-releases", RELEASER, "begin_fire_release", 201),
    access("POST", "/v1/fire-releases/{release_id}/endings", RELEASER, "end_fire_release", 201),
)
