"""A circle: those who live in one building, or in the community. Its id is that of the building or the community.

1. A resident belongs to it from the start of their first residence there to the end of their last.
2. A residence begins once and ends once. What is heard again changes nothing; an end that is heard before its start is
   remembered, and the start then counts for nothing.
"""

from typing import assert_never
from uuid import UUID, uuid5

from msgspec import Struct

from libs.eventkit.decider import Decider


class _Residence(Struct, frozen=True):
    """A resident's residence as far as it concerns a circle; `building_id` None: the community's."""

    circle_id: UUID
    building_id: UUID | None
    resident_id: UUID
    residence_id: UUID


# what happened


class MemberJoined(_Residence, frozen=True, tag="member_joined"):
    """Their first residence there has started."""


class ResidenceAdded(_Residence, frozen=True, tag="circle_residence_added"):
    """A member has one residence more there."""


class ResidenceRemoved(_Residence, frozen=True, tag="circle_residence_removed"):
    """It counts no more, and will not; the membership is as before."""


class MemberLeft(_Residence, frozen=True, tag="member_left"):
    """Their last residence there has ended."""


MemberEvent = MemberJoined | ResidenceAdded | ResidenceRemoved | MemberLeft


# what is


class Outside(Struct, frozen=True):
    """`over`: residences that have ended."""

    over: frozenset[UUID] = frozenset()


class Member(Struct, frozen=True):
    living: frozenset[UUID]
    over: frozenset[UUID] = frozenset()


Membership = Outside | Member


def evolve(member: Membership, event: MemberEvent) -> Membership:
    match member, event:
        case _, MemberJoined(residence_id=residence_id):
            return Member(frozenset({residence_id}), member.over)
        case Member(living=living), ResidenceAdded(residence_id=residence_id):
            return Member(living | {residence_id}, member.over)
        case Member(living=living), ResidenceRemoved(residence_id=residence_id):
            return Member(living - {residence_id}, member.over | {residence_id})
        case _, ResidenceRemoved(residence_id=residence_id) | MemberLeft(residence_id=residence_id):
            return Outside(member.over | {residence_id})
        case _:
            return member


# what is asked


class AddResidence(_Residence, frozen=True):
    pass


class RemoveResidence(_Residence, frozen=True):
    pass


def member_id_of(circle_id: UUID, resident_id: UUID) -> UUID:
    return uuid5(circle_id, str(resident_id))


def decide_add_residence(command: AddResidence, member: Membership) -> list[MemberEvent]:
    if command.residence_id in member.over:
        return []
    match member:
        case Outside():
            return [MemberJoined(command.circle_id, command.building_id, command.resident_id, command.residence_id)]
        case Member(living=living) if command.residence_id in living:
            return []
        case Member():
            return [ResidenceAdded(command.circle_id, command.building_id, command.resident_id, command.residence_id)]
        case _:
            assert_never(member)


def decide_remove_residence(command: RemoveResidence, member: Membership) -> list[MemberEvent]:
    if command.residence_id in member.over:
        return []
    match member:
        case Member(living=living) if living == {command.residence_id}:
            return [MemberLeft(command.circle_id, command.building_id, command.resident_id, command.residence_id)]
        case Member() | Outside():
            return [ResidenceRemoved(command.circle_id, command.building_id, command.resident_id, command.residence_id)]
        case _:
            assert_never(member)


MEMBERS = Decider[Membership, MemberEvent](
    category="member", initial=Outside(), evolve=evolve,
    decide={AddResidence: decide_add_residence, RemoveResidence: decide_remove_residence})
