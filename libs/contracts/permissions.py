"""What each role may do. What is not listed here is denied.

`…_OWN` reaches only what concerns the caller; the route that asks for it looks nowhere else."""

from collections.abc import Mapping
from typing import Final

ME_READ: Final = "me.read"
DOORS_READ: Final = "doors.read"
DOORS_OPEN: Final = "doors.open"
DOORS_MANAGE: Final = "doors.manage"
DOOR_EVENTS_READ: Final = "door-events.read"
DOOR_EVENTS_READ_OWN: Final = "door-events.read-own"
CREDENTIALS_MANAGE: Final = "credentials.manage"
VISITOR_PASSES_ISSUE_OWN: Final = "visitor-passes.issue-own"
VISITOR_PASSES_MANAGE: Final = "visitor-passes.manage"
ACCESS_DECIDE: Final = "access.decide"
HOMES_READ: Final = "homes.read"
HOMES_MANAGE: Final = "homes.manage"
RESIDENTS_READ: Final = "residents.read"
RESIDENTS_MANAGE: Final = "residents.manage"
ACCOUNTS_MANAGE: Final = "accounts.manage"
VEHICLES_DECLARE_OWN: Final = "vehicles.declare-own"
VEHICLES_MANAGE: Final = "vehicles.manage"
DEVICES_READ: Final = "devices.read"
DEVICES_MANAGE: Final = "devices.manage"
DEVICES_REPORT: Final = "devices.report"
LIVE_READ: Final = "live.read"
LIVE_READ_OWN: Final = "live.read-own"
EVENTS_EXPLAIN: Final = "events.explain"
EVENTS_EXPLAIN_OWN: Final = "events.explain-own"
OPERATIONS_READ: Final = "operations.read"
PARKING_READ: Final = "parking.read"
PARKING_READ_OWN: Final = "parking.read-own"
PARKING_MANAGE: Final = "parking.manage"
PARKING_GUARD: Final = "parking.guard"
ALARMS_READ: Final = "alarms.read"
ALARMS_READ_OWN: Final = "alarms.read-own"
ALARMS_RAISE_OWN: Final = "alarms.raise-own"
ALARMS_GUARD: Final = "alarms.guard"
ALARMS_MANAGE: Final = "alarms.manage"
FIRE_RELEASE: Final = "fire-releases.manage"
BROADCASTS_SEND: Final = "broadcasts.send"
NOTICES_POST: Final = "notices.post"
NEIGHBORS_OWN: Final = "neighbors.own"
GOVERNMENT_READ: Final = "government.read"
POPULATION_DECLARE: Final = "population.declare"

PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    "resident": frozenset({
        ME_READ, DOORS_OPEN, DOOR_EVENTS_READ_OWN, LIVE_READ_OWN, EVENTS_EXPLAIN_OWN, PARKING_READ_OWN, VEHICLES_DECLARE_OWN,
        VISITOR_PASSES_ISSUE_OWN, ALARMS_READ_OWN, ALARMS_RAISE_OWN, NEIGHBORS_OWN,
    }),
    "staff": frozenset({
        ME_READ, DOORS_READ, DOORS_OPEN, DOORS_MANAGE, DOOR_EVENTS_READ, CREDENTIALS_MANAGE,
        HOMES_READ, HOMES_MANAGE, RESIDENTS_READ, RESIDENTS_MANAGE, DEVICES_READ, DEVICES_MANAGE, LIVE_READ,
        EVENTS_EXPLAIN, OPERATIONS_READ, PARKING_READ, PARKING_MANAGE, PARKING_GUARD, VEHICLES_MANAGE,
        VISITOR_PASSES_MANAGE, ALARMS_READ, ALARMS_GUARD, ALARMS_MANAGE, FIRE_RELEASE, BROADCASTS_SEND, NOTICES_POST, POPULATION_DECLARE,
    }),
    "guard": frozenset({
        ME_READ, DOORS_READ, DOORS_OPEN, DOOR_EVENTS_READ, DEVICES_READ, LIVE_READ, EVENTS_EXPLAIN, OPERATIONS_READ,
        PARKING_READ, PARKING_GUARD, ALARMS_READ, ALARMS_GUARD, FIRE_RELEASE, BROADCASTS_SEND,
    }),
    "grid": frozenset({ME_READ, HOMES_READ, RESIDENTS_READ, GOVERNMENT_READ, POPULATION_DECLARE}),
    "police": frozenset({ME_READ, HOMES_READ, RESIDENTS_READ, GOVERNMENT_READ, POPULATION_DECLARE}),
    # keeps the platform running; the people who live there are none of their business
    "operator": frozenset({ME_READ, DEVICES_READ, DEVICES_MANAGE, ACCOUNTS_MANAGE, OPERATIONS_READ}),
    "device": frozenset({DEVICES_REPORT, ACCESS_DECIDE}),
    "service": frozenset({ACCESS_DECIDE, OPERATIONS_READ}),
}

def permissions_of(role: str) -> frozenset[str]:
    """Empty for a role that does not exist."""
    return PERMISSIONS.get(role, frozenset())
