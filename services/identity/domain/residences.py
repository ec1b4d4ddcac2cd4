"""A residence: a resident lives in a home, in a role, from a day on and perhaps until a day.

One person lives in a home once at a time; in several homes at once they may. It is a fact and not a plan: doors open and close with it at
once, so it begins and ends today or on a day before.
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take

HomeRole = Literal["owner", "tenant", "family", "staff", "other"]
SCOPE = "residence"


# what happened


class ResidenceStarted(Struct, frozen=True, tag="residence_started"):
    residence_id: UUID
    resident_id: UUID
    home_id: UUID
    building_id: UUID
    unit: int
    role: HomeRole
    since: date


class ResidenceEnded(Struct, frozen=True, tag="residence_ended"):
    residence_id: UUID
    resident_id: UUID
    home_id: UUID
    building_id: UUID
    until: date


ResidenceEvent = ResidenceStarted | ResidenceEnded


# what is


class NoResidence(Struct, frozen=True):
    pass


class Living(Struct, frozen=True):
    resident_id: UUID
    home_id: UUID
    building_id: UUID
    role: HomeRole
    since: date


class MovedOut(Struct, frozen=True):
    resident_id: UUID
    home_id: UUID
    until: date


Residence = NoResidence | Living | MovedOut


def evolve(residence: Residence, event: ResidenceEvent) -> Residence:
    match event:
        case ResidenceStarted():
            return Living(event.resident_id, event.home_id, event.building_id, event.role, event.since)
        case ResidenceEnded():
            return MovedOut(event.resident_id, event.home_id, event.until)
        case _:
            return residence


# what is asked


class StartResidence(Struct, frozen=True):
    """`building_id` and `unit` are the home's; `today`: the day it is in the community."""

    residence_id: UUID
    resident_id: UUID
    home_id: UUID
    building_id: UUID
    unit: int
    role: HomeRole
    since: date
    today: date


class EndResidence(Struct, frozen=True):
    """`until`: None is today."""

    residence_id: UUID
    until: date | None
    today: date


def decide_start_residence(command: StartResidence, residence: Residence) -> list[ResidenceEvent]:
    match residence:
        case NoResidence() if command.since > command.today:
            raise Refused("not_yet", today=command.today)
        case NoResidence():
            return [ResidenceStarted(
                command.residence_id, command.resident_id, command.home_id, command.building_id, command.unit,
                command.role, command.since)]
        case Living(resident_id=resident_id, home_id=home_id, role=role, since=since):
            if (resident_id, home_id, role, since) == (
                command.resident_id, command.home_id, command.role, command.since):
                return []
            raise Refused("residence_already_started")
        case MovedOut():
            raise Refused("residence_already_ended")
        case _:
            assert_never(residence)


def decide_end_residence(command: EndResidence, residence: Residence) -> list[ResidenceEvent]:
    match residence:
        case NoResidence():
            raise NotFound("residence")
        case Living(resident_id=resident_id, home_id=home_id, building_id=building_id, since=since):
            last = max(since, command.today)  # logs have residences that were planned: such a one ends on the day it was to begin
            until = last if command.until is None else command.until
            if until < since:
                raise Refused("ends_before_it_began", since=since)
            if until > last:
                raise Refused("not_yet", today=command.today)
            return [ResidenceEnded(command.residence_id, resident_id, home_id, building_id, until)]
        case MovedOut():
            return []
        case _:
            assert_never(residence)


def claims(command: StartResidence | EndResidence, event: ResidenceEvent) -> Iterable[Take | Release]:
    match event:
        case ResidenceStarted(resident_id=resident_id, home_id=home_id):
            yield Take(SCOPE, f"{resident_id}:{home_id}", "already_lives_there")
        case ResidenceEnded():
            yield Release(SCOPE)


RESIDENCES = Decider[Residence, ResidenceEvent](
    category="residence",
    initial=NoResidence(),
    evolve=evolve,
    decide={StartResidence: decide_start_residence, EndResidence: decide_end_residence},
    claims=claims,
)
