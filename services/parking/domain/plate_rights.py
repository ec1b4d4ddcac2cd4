"""What a plate may enter as: a home's vehicle, a monthly permit, a visitor's pass, or on the lot's white or black list.

The plate rests sealed; its blind index stands among the claims alone. One plate holds one permit of a lot at a time. A
vehicle that is only `declared` counts for nothing: anybody may say that a plate is theirs.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from libs.eventkit.sealed import Sealed

Kind = Literal["declared", "vehicle", "permit", "visitor_pass", "white", "black"]

# what happened


class PlateRightGranted(Struct, frozen=True, tag="plate_right_granted"):
    """Half-open: at `valid_until` it counts no more; None on either side: no limit. `lot_id` None: in every lot of the
    community. `uses`: how often it lets in, None: as often as one likes. `source_id`: the vehicle or the pass behind it.
    `person_id`: whose it is. Said again when something of it changes."""

    right_id: UUID
    kind: Kind
    plate: Sealed
    lot_id: UUID | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    uses: int | None = None
    person_id: UUID | None = None
    source_id: UUID | None = None
    reason: str = ""


class PlateRightEnded(Struct, frozen=True, tag="plate_right_ended"):
    right_id: UUID
    kind: Kind
    lot_id: UUID | None
    reason: str


PlateRightEvent = PlateRightGranted | PlateRightEnded


# what is


class NoRight(Struct, frozen=True):
    pass


class Held(Struct, frozen=True):
    granted: PlateRightGranted


class Ended(Struct, frozen=True):
    pass


PlateRight = NoRight | Held | Ended


def evolve(right: PlateRight, event: PlateRightEvent) -> PlateRight:
    match event:
        case PlateRightGranted():
            return Held(event)
        case PlateRightEnded():
            return Ended()
        case _:
            assert_never(event)


# what is asked


class GrantPlateRight(Struct, frozen=True):
    """`index`: the plate's blind index; `grant`: what the event will say."""

    grant: PlateRightGranted
    index: str


class EndPlateRight(Struct, frozen=True):
    right_id: UUID
    reason: str


def decide_grant(command: GrantPlateRight, right: PlateRight) -> list[PlateRightEvent]:
    grant = command.grant
    if grant.valid_from and grant.valid_until and grant.valid_until <= grant.valid_from:
        raise Refused("validity_empty")
    match right:
        case NoRight() | Ended():
            return [grant]
        case Held(granted=granted):
            return [] if granted == grant else [grant]
        case _:
            assert_never(right)


def decide_end(command: EndPlateRight, right: PlateRight) -> list[PlateRightEvent]:
    if not isinstance(right, Held):
        return []
    return [PlateRightEnded(command.right_id, right.granted.kind, right.granted.lot_id, command.reason)]


def scope(event: PlateRightEvent) -> str:
    """Only permits exclude each other: a guest may well be invited twice."""
    return f"permit:{event.lot_id or ''}" if event.kind == "permit" else f"right:{event.right_id}"


def claims(command: Any, event: PlateRightEvent) -> Iterable[Take | Release]:
    yield Release(scope(event))
    if isinstance(event, PlateRightGranted):
        yield Take(scope(event), command.index, "plate_has_permit")


PLATE_RIGHTS = Decider[PlateRight, PlateRightEvent](
    category="plate-right", initial=NoRight(), evolve=evolve,
    decide={GrantPlateRight: decide_grant, EndPlateRight: decide_end}, claims=claims)
