"""Who asked who could open a door, as of when and for what purpose: recorded before the answer.

A look says its purpose in at least four characters. Each is recorded: that the same person has asked before excuses nobody.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused

SHORTEST_PURPOSE = 4


class RightsLookedAt(Struct, frozen=True, tag="rights_looked_at"):
    """`by`, in a role, learned the rights at a door as they were at a position of this log."""

    door_id: UUID
    by: UUID
    role: str
    purpose: str
    position: int
    at: datetime


class LookAtRights(Struct, frozen=True):
    door_id: UUID
    by: UUID
    role: str
    purpose: str
    position: int
    at: datetime


def evolve(state: None, event: RightsLookedAt) -> None:
    return None


def decide_look_at_rights(command: LookAtRights, state: None) -> list[RightsLookedAt]:
    if len(command.purpose.strip()) < SHORTEST_PURPOSE:
        raise Refused("purpose_missing", shortest=SHORTEST_PURPOSE)
    return [RightsLookedAt(command.door_id, command.by, command.role, command.purpose.strip(), command.position, command.at)]


LOOK_BACKS = Decider[None, RightsLookedAt](
    category="look_back", initial=None, evolve=evolve, decide={LookAtRights: decide_look_at_rights})
EVENTS = (RightsLookedAt,)
