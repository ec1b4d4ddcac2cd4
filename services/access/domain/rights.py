"""A right: a person may open the doors of a zone, for as long as what it rests on lasts.

It is granted because of something another service said (a residence, a duty) and ends with it.
"""

from typing import Literal, assert_never
from uuid import UUID, uuid5

from msgspec import Struct

from libs.eventkit.decider import Decider

Rule = Literal["residence", "duty"]
EVERYWHERE = "everywhere"
"""The zone of those on duty: every door of the community."""


# what happened


class RightGranted(Struct, frozen=True, tag="right_granted"):
    right_id: UUID
    person_id: UUID
    zone: str
    rule: Rule


class RightRevoked(Struct, frozen=True, tag="right_revoked"):
    right_id: UUID
    person_id: UUID
    zone: str
    rule: Rule


RightEvent = RightGranted | RightRevoked


# what is


class NoRight(Struct, frozen=True):
    pass


class Held(Struct, frozen=True):
    person_id: UUID
    zone: str
    rule: Rule


class Ended(Struct, frozen=True):
    pass


Right = NoRight | Held | Ended


def evolve(right: Right, event: RightEvent) -> Right:
    match event:
        case RightGranted(person_id=person_id, zone=zone, rule=rule):
            return Held(person_id=person_id, zone=zone, rule=rule)
        case RightRevoked():
            return Ended()
        case _:
            return right


# what is asked


class GrantRight(Struct, frozen=True):
    right_id: UUID
    person_id: UUID
    zone: str
    rule: Rule


class RevokeRight(Struct, frozen=True):
    right_id: UUID


def right_id_of(because: UUID, zone: str) -> UUID:
    """One right per reason (a residence, an account) and zone."""
    return uuid5(because, zone)


def decide_grant_right(command: GrantRight, right: Right) -> list[RightEvent]:
    match right:
        case NoRight():
            return [RightGranted(
                right_id=command.right_id, person_id=command.person_id, zone=command.zone, rule=command.rule)]
        case Held() | Ended():
            return []
        case _:
            assert_never(right)


def decide_revoke_right(command: RevokeRight, right: Right) -> list[RightEvent]:
    match right:
        case Held(person_id=person_id, zone=zone, rule=rule):
            return [RightRevoked(right_id=command.right_id, person_id=person_id, zone=zone, rule=rule)]
        case NoRight() | Ended():
            return []
        case _:
            assert_never(right)


RIGHTS = Decider[Right, RightEvent](
    category="right", initial=NoRight(), evolve=evolve,
    decide={GrantRight: decide_grant_right, RevokeRight: decide_revoke_right})
