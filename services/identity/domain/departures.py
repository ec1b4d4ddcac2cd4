"""A departure: somebody who lived in the community, or was on duty there, does neither any more. What of it is theirs ends with it.

It is settled a while later: whoever moves within the community is often let out of one home before they are entered in the other, and
whose duty becomes another one has no account for a moment.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider

SETTLED_AFTER = timedelta(minutes=10)


# what happened


class DepartureNoted(Struct, frozen=True, tag="departure_noted"):
    """Their last residence or duty has ended; `at`: when that was said."""

    person_id: UUID
    at: datetime


class PersonLeft(Struct, frozen=True, tag="person_left"):
    """They have begun no other since then."""

    person_id: UUID
    since: datetime


class PersonStayed(Struct, frozen=True, tag="person_stayed"):
    """They live in another home by now, or have another duty."""

    person_id: UUID


DepartureEvent = DepartureNoted | PersonLeft | PersonStayed


# what is


class NoDeparture(Struct, frozen=True):
    """Never, or settled."""


class Noted(Struct, frozen=True):
    person_id: UUID
    at: datetime


Departure = NoDeparture | Noted


def evolve(departure: Departure, event: DepartureEvent) -> Departure:
    match event:
        case DepartureNoted(person_id=person_id, at=at):
            return Noted(person_id, at)
        case PersonLeft() | PersonStayed():
            return NoDeparture()
        case _:
            return departure


def due(departure: Departure) -> datetime | None:
    return departure.at + SETTLED_AFTER if isinstance(departure, Noted) else None


# what is asked


class NoteDeparture(Struct, frozen=True):
    person_id: UUID
    at: datetime


class SettleDeparture(Struct, frozen=True):
    """`belongs`: they live in the community or are on duty there."""

    belongs: bool


def decide_note_departure(command: NoteDeparture, departure: Departure) -> list[DepartureEvent]:
    match departure:
        case Noted(at=at) if at >= command.at:
            return []
        case NoDeparture() | Noted():
            return [DepartureNoted(command.person_id, command.at)]
        case _:
            assert_never(departure)


def decide_settle_departure(command: SettleDeparture, departure: Departure) -> list[DepartureEvent]:
    match departure:
        case Noted(person_id=person_id, at=at):
            return [PersonStayed(person_id) if command.belongs else PersonLeft(person_id, at)]
        case NoDeparture():
            return []
        case _:
            assert_never(departure)


DEPARTURES = Decider[Departure, DepartureEvent](
    category="departure",
    initial=NoDeparture(),
    evolve=evolve,
    decide={NoteDeparture: decide_note_departure, SettleDeparture: decide_settle_departure},
)
