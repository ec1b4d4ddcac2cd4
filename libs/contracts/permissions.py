"""What each role may do; what is not listed is denied. `…_OWN` reaches only what concerns the caller: its route looks nowhere else."""
from collections.abc import Mapping
from typing import Final

ON_DUTY = frozenset({"staff", "guard"})
DOORS_READ, DOORS_OPEN, DOORS_MANAGE = "doors.read", "doors.open", "doors.manage"
DOOR_EVENTS_READ, DOOR_EVENTS_READ_OWN = "door-events.read", "door-events.read-own"
CREDENTIALS_MANAGE, ACCESS_DECIDE = "credentials.manage", "access.decide"
VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE = "visitor-passes.issue-own", "visitor-passes.manage"
RESIDENTS_READ, RESIDENTS_MANAGE, ACCOUNTS_MANAGE = "residents.read", "residents.manage", "accounts.manage"
HOMES_READ, HOMES_MANAGE, VEHICLES_DECLARE_OWN, VEHICLES_MANAGE = "homes.read", "homes.manage", "vehicles.declare-own", "vehicles.manage"
DEVICES_READ, DEVICES_MANAGE, DEVICES_REPORT = "devices.read", "devices.manage", "devices.report"
ME_READ, OPERATIONS_READ, ERASURES_MANAGE, HISTORY_READ = "me.read", "operations.read", "erasures.manage", "history.read"
LIVE_READ, LIVE_READ_OWN, EVENTS_EXPLAIN, EVENTS_EXPLAIN_OWN = "live.read", "live.read-own", "events.explain", "events.explain-own"
PARKING_READ, PARKING_READ_OWN, PARKING_MANAGE, PARKING_GUARD = "parking.read", "parking.read-own", "parking.manage", "parking.guard"
ALARMS_READ, ALARMS_READ_OWN, ALARMS_RAISE_OWN, CARE_OWN = "alarms.read", "alarms.read-own", "alarms.raise-own", "care.own"
ALARMS_GUARD, ALARMS_MANAGE, FIRE_RELEASE = "alarms.guard", "alarms.manage", "fire-releases.manage"
BROADCASTS_SEND, NOTICES_POST, NEIGHBORS_OWN = "broadcasts.send", "notices.post", "neighbors.own"
GOVERNMENT_READ, POPULATION_DECLARE, DATA_OWN = "government.read", "population.declare", "data.own"
PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    "resident": frozenset({ME_READ, DOORS_OPEN, DOOR_EVENTS_READ_OWN, LIVE_READ_OWN, EVENTS_EXPLAIN_OWN, PARKING_READ_OWN,
        VEHICLES_DECLARE_OWN, VISITOR_PASSES_ISSUE_OWN, ALARMS_READ_OWN, ALARMS_RAISE_OWN, CARE_OWN, NEIGHBORS_OWN, DATA_OWN}),
    "staff": frozenset({ME_READ, DOORS_READ, DOORS_OPEN, DOORS_MANAGE, DOOR_EVENTS_READ, CREDENTIALS_MANAGE, HOMES_READ, HOMES_MANAGE,
        RESIDENTS_READ, RESIDENTS_MANAGE, DEVICES_READ, DEVICES_MANAGE, LIVE_READ, EVENTS_EXPLAIN, OPERATIONS_READ, PARKING_READ,
        PARKING_MANAGE, PARKING_GUARD, VEHICLES_MANAGE, VISITOR_PASSES_MANAGE, ALARMS_READ, ALARMS_GUARD, ALARMS_MANAGE, FIRE_RELEASE,
        BROADCASTS_SEND, NOTICES_POST, POPULATION_DECLARE, ERASURES_MANAGE, HISTORY_READ}),
    "guard": frozenset({ME_READ, DOORS_READ, DOORS_OPEN, DOOR_EVENTS_READ, DEVICES_READ, LIVE_READ, EVENTS_EXPLAIN, OPERATIONS_READ,
        PARKING_READ, PARKING_GUARD, ALARMS_READ, ALARMS_GUARD, FIRE_RELEASE, BROADCASTS_SEND}),
    "grid": frozenset({ME_READ, HOMES_READ, RESIDENTS_READ, GOVERNMENT_READ, POPULATION_DECLARE}),
    "police": frozenset({ME_READ, HOMES_READ, RESIDENTS_READ, GOVERNMENT_READ, POPULATION_DECLARE, HISTORY_READ}),
    # keeps the platform running; the people who live there are none of their business
    "operator": frozenset({ME_READ, DEVICES_READ, DEVICES_MANAGE, ACCOUNTS_MANAGE, OPERATIONS_READ}),
    "device": frozenset({DEVICES_REPORT, ACCESS_DECIDE}), "service": frozenset({ACCESS_DECIDE, OPERATIONS_READ})}
def permissions_of(role: str) -> frozenset[str]:
    """Empty for a role that does not exist."""
    return PERMISSIONS.get(role, frozenset())
