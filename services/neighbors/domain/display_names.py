"""A display name: what neighbours see instead of somebody's name. It rests sealed, and is one neighbour's of a community.

1. Who has chosen none has a given one (`given_names.py`).
2. A chosen one gives nobody away (`name_rules.py`): the caller has asked, since only they see the plain text.
3. It is changed at most once a day: who is called otherwise every hour is nobody's neighbour, and each change may be a
   probe for names that are taken. The first choice is free.
4. One that gives its bearer away since they are registered under another name is dropped: the given one counts again. With
   its bearer's erasure it is dropped too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from libs.eventkit.sealed import Sealed

PAUSE = timedelta(days=1)
SCOPE = "display_name"
ERASED = "erased"
"""Why a name is dropped whose bearer is."""


# what happened


class DisplayNameChosen(Struct, frozen=True, tag="display_name_chosen"):
    resident_id: UUID
    name: Sealed
    at: datetime


class DisplayNameDropped(Struct, frozen=True, tag="display_name_dropped"):
    """They are called by their given name again. `reason`: the code of the rule that it has come to break."""

    resident_id: UUID
    reason: str


DisplayNameEvent = DisplayNameChosen | DisplayNameDropped


# what is


class NoneChosen(Struct, frozen=True):
    pass


class Chosen(Struct, frozen=True):
    name: Sealed
    at: datetime


DisplayName = NoneChosen | Chosen


def evolve(display_name: DisplayName, event: DisplayNameEvent) -> DisplayName:
    match event:
        case DisplayNameChosen(name=name, at=at):
            return Chosen(name, at)
        case DisplayNameDropped():
            return NoneChosen()
        case _:
            return display_name


# what is asked


class ChooseDisplayName(Struct, frozen=True):
    """`index`: the blind index of its skeleton. `objection`: the code of the rule that the plain text breaks, if any.
    `unchanged`: it is what they are called already."""

    resident_id: UUID
    name: Sealed
    index: str
    is_member: bool
    objection: str
    unchanged: bool
    now: datetime


class DropDisplayName(Struct, frozen=True):
    resident_id: UUID
    reason: str


def decide_choose_display_name(command: ChooseDisplayName, display_name: DisplayName) -> list[DisplayNameEvent]:
    if not command.is_member:
        raise Refused("not_a_neighbor")
    if command.objection:
        raise Refused(command.objection)
    chosen = DisplayNameChosen(command.resident_id, command.name, command.now)
    match display_name:
        case NoneChosen():
            return [chosen]
        case Chosen() if command.unchanged:
            return []
        case Chosen(at=at) if command.now - at < PAUSE:
            raise Refused("display_name_changed_recently", again_at=at + PAUSE)
        case Chosen():
            return [chosen]
        case _:
            assert_never(display_name)


def decide_drop_display_name(command: DropDisplayName, display_name: DisplayName) -> list[DisplayNameEvent]:
    match display_name:
        case NoneChosen():
            return []
        case Chosen():
            return [DisplayNameDropped(command.resident_id, command.reason)]
        case _:
            assert_never(display_name)


def claims(command: ChooseDisplayName | DropDisplayName, event: DisplayNameEvent) -> Iterable[Take | Release]:
    """The one that they had before is free."""
    yield Release(SCOPE)
    if isinstance(command, ChooseDisplayName):
        yield Take(SCOPE, command.index, "display_name_taken")


DISPLAY_NAMES = Decider[DisplayName, DisplayNameEvent](
    category="display-name", initial=NoneChosen(), evolve=evolve,
    decide={ChooseDisplayName: decide_choose_display_name, DropDisplayName: decide_drop_display_name}, claims=claims)
