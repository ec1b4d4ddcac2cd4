"""A single space of a zone, by the number painted on it. A permit may name one; the space is then kept for its cars.

Several cars may have permits for one space (一位多车): the one that stands on it has the permit's price, the next comes
in as if it had none until the space is free.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take


class SpaceMarked(Struct, frozen=True, tag="space_marked"):
    """`label`: as painted, once in a lot. Said again when that changes."""

    space_id: UUID
    lot_id: UUID
    zone: str
    label: str


class SpaceRemoved(Struct, frozen=True, tag="space_removed"):
    space_id: UUID
    lot_id: UUID


SpaceEvent = SpaceMarked | SpaceRemoved


class NoSpace(Struct, frozen=True):
    pass


class Marked(Struct, frozen=True):
    said: SpaceMarked


Space = NoSpace | Marked


def evolve(space: Space, event: SpaceEvent) -> Space:
    return Marked(event) if isinstance(event, SpaceMarked) else NoSpace()


class MarkSpace(Struct, frozen=True):
    space_id: UUID
    lot_id: UUID
    zone: str
    label: str


class RemoveSpace(Struct, frozen=True):
    space_id: UUID


def decide_mark(command: MarkSpace, space: Space) -> list[SpaceEvent]:
    marked = SpaceMarked(command.space_id, command.lot_id, command.zone, command.label)
    if isinstance(space, Marked) and space.said.lot_id != command.lot_id:
        raise Refused("space_of_another_lot")
    return [] if space == Marked(marked) else [marked]


def decide_remove(command: RemoveSpace, space: Space) -> list[SpaceEvent]:
    return [SpaceRemoved(command.space_id, space.said.lot_id)] if isinstance(space, Marked) else []


def claims(command: Any, event: SpaceEvent) -> Iterable[Take | Release]:
    scope = f"space:{event.lot_id}"
    yield Release(scope)
    if isinstance(event, SpaceMarked):
        yield Take(scope, event.label, "space_taken")


SPACES = Decider[Space, SpaceEvent](
    category="space", initial=NoSpace(), evolve=evolve, decide={MarkSpace: decide_mark, RemoveSpace: decide_remove}, claims=claims)
