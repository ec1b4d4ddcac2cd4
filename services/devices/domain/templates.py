"""A face that a reader is to forget: told until the reader says that it has none of that id (any more). That is the proof.

1. Whoever revokes a face wants it gone from every reader of the community: nobody knows at which of them it was enrolled.
2. A reader is told after 1 s, then after twice as long each time, at most an hour (`pause`), for as long as it takes: a reader that is
   away for a week forgets in the week after.
3. To tell it twice harms nobody.
4. A reader that was retired is told no more. That is no proof: what it kept goes with it.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound

FIRST, LONGEST = timedelta(seconds=1), timedelta(hours=1)


# what happened


class _Template(Struct, frozen=True):
    credential_id: UUID
    device_id: UUID


class TemplateRemovalWanted(_Template, frozen=True, tag="template_removal_wanted"):
    at: datetime


class TemplateRemoved(_Template, frozen=True, tag="template_removed"):
    """The reader said so."""


class TemplateNotRemoved(_Template, frozen=True, tag="template_not_removed"):
    """`reason`: refused, unreachable, unknown; `code`: the device's own."""

    reason: str
    code: str
    attempt: int
    again_at: datetime


class ReaderGone(_Template, frozen=True, tag="reader_gone"):
    """The reader was retired before it had said so, after so many attempts."""

    attempts: int
    at: datetime


TemplateEvent = TemplateRemovalWanted | TemplateRemoved | TemplateNotRemoved | ReaderGone


# what is


class NotWanted(Struct, frozen=True):
    pass


class ToRemove(_Template, frozen=True):
    """`attempts`: those that have failed."""

    again_at: datetime
    attempts: int = 0


class Removed(Struct, frozen=True):
    pass


class GoneWithReader(Struct, frozen=True):
    pass


Template = NotWanted | ToRemove | Removed | GoneWithReader


def evolve(template: Template, event: TemplateEvent) -> Template:
    match template, event:
        case NotWanted(), TemplateRemovalWanted(credential_id=credential_id, device_id=device_id, at=at):
            return ToRemove(credential_id, device_id, at)
        case ToRemove(), TemplateNotRemoved(attempt=attempt, again_at=again_at):
            return replace(template, attempts=attempt, again_at=again_at)
        case ToRemove(), TemplateRemoved():
            return Removed()
        case ToRemove(), ReaderGone():
            return GoneWithReader()
        case _:
            return template


def due(template: Template) -> datetime | None:
    return template.again_at if isinstance(template, ToRemove) else None


# what is asked


class WantTemplateRemoved(_Template, frozen=True):
    at: datetime


class RecordTemplateRemoved(_Template, frozen=True):
    pass


class RecordTemplateNotRemoved(_Template, frozen=True):
    """`attempt`: which one it was; one that is on record is not recorded again."""

    reason: str
    code: str
    attempt: int
    now: datetime


class EndWithReader(_Template, frozen=True):
    now: datetime


def removal_id_of(credential_id: UUID, device_id: UUID) -> UUID:
    """One for each face and reader."""
    return uuid5(device_id, str(credential_id))


def pause(attempts: int) -> timedelta:
    """After so many attempts that failed."""
    return min(FIRST * (1 << min(attempts - 1, 20)), LONGEST)


def decide_want_removed(command: WantTemplateRemoved, template: Template) -> list[TemplateEvent]:
    match template:
        case NotWanted():
            return [TemplateRemovalWanted(command.credential_id, command.device_id, command.at)]
        case ToRemove() | Removed() | GoneWithReader():
            return []
        case _:
            assert_never(template)


def decide_record_removed(command: RecordTemplateRemoved, template: Template) -> list[TemplateEvent]:
    match template:
        case NotWanted():
            raise NotFound("template")
        case ToRemove():
            return [TemplateRemoved(command.credential_id, command.device_id)]
        case Removed() | GoneWithReader():
            return []
        case _:
            assert_never(template)


def decide_record_not_removed(command: RecordTemplateNotRemoved, template: Template) -> list[TemplateEvent]:
    match template:
        case NotWanted():
            raise NotFound("template")
        case ToRemove(attempts=attempts) if command.attempt == attempts + 1:
            again_at = command.now + pause(command.attempt)
            return [TemplateNotRemoved(
                command.credential_id, command.device_id, command.reason, command.code, command.attempt, again_at)]
        case ToRemove() | Removed() | GoneWithReader():
            return []
        case _:
            assert_never(template)


def decide_end_with_reader(command: EndWithReader, template: Template) -> list[TemplateEvent]:
    match template:
        case NotWanted():
            raise NotFound("template")
        case ToRemove(attempts=attempts):
            return [ReaderGone(command.credential_id, command.device_id, attempts, command.now)]
        case Removed() | GoneWithReader():
            return []
        case _:
            assert_never(template)


TEMPLATES = Decider[Template, TemplateEvent](
    category="template", initial=NotWanted(), evolve=evolve,
    decide={
        WantTemplateRemoved: decide_want_removed, RecordTemplateRemoved: decide_record_removed,
        RecordTemplateNotRemoved: decide_record_not_removed, EndWithReader: decide_end_with_reader})
