"""A telling: one resident is told of one broadcast by one channel.

1. It is handed over at least once, under one key (its id), until the channel takes it.
2. What is not taken is tried again after 1 s, then after twice as long each time, at most 30 s (`pause`): it is an emergency.
3. It is given up after an hour, when the broadcast is over, when the resident lives there no more or is erased, and at once where they
   cannot be reached that way. Whoever had moved out and is back while the broadcast runs is told after all. Also what nobody tried within
   its hour, because we were away, is tried no more: by then it may well be over, though we have not heard of it.
"""

from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import asdict, replace

from libs.eventkit.decider import Decider, NotFound

FIRST, LONGEST = timedelta(seconds=1), timedelta(seconds=30)
PATIENCE = timedelta(hours=1)
NotToldReason = Literal["no_channel", "given_up", "ended", "moved_out", "erased"]


class _Telling(Struct, frozen=True):
    telling_id: UUID
    broadcast_id: UUID
    building_id: UUID
    resident_id: UUID
    channel: str
    queued_at: datetime


# what happened


class TellingQueued(_Telling, frozen=True, tag="telling_queued"):
    pass


class ResidentTold(Struct, frozen=True, tag="resident_told"):
    """The channel has taken it. `attempt`: at the how manyth time."""

    telling_id: UUID
    broadcast_id: UUID
    resident_id: UUID
    channel: str
    attempt: int


class TellingFailed(Struct, frozen=True, tag="telling_failed"):
    """The channel has not taken it. `error`: its name alone; `again_at`: not to be tried before."""

    telling_id: UUID
    attempt: int
    error: str
    again_at: datetime


class ResidentNotTold(Struct, frozen=True, tag="resident_not_told"):
    """It is tried no more."""

    telling_id: UUID
    broadcast_id: UUID
    resident_id: UUID
    channel: str
    reason: NotToldReason


TellingEvent = TellingQueued | ResidentTold | TellingFailed | ResidentNotTold


# what is


class NotQueued(Struct, frozen=True):
    pass


class Waiting(Struct, frozen=True):
    """`attempts`: those that have failed."""

    queued: TellingQueued
    again_at: datetime
    attempts: int = 0


class Told(Struct, frozen=True):
    pass


class NotTold(Struct, frozen=True):
    queued: TellingQueued
    attempts: int
    reason: NotToldReason


Telling = NotQueued | Waiting | Told | NotTold


def evolve(telling: Telling, event: TellingEvent) -> Telling:
    match telling, event:
        case NotQueued() | NotTold(), TellingQueued(queued_at=queued_at):
            return Waiting(event, queued_at)
        case Waiting(), TellingFailed(attempt=attempt, again_at=again_at):
            return replace(telling, attempts=attempt, again_at=again_at)
        case Waiting(queued=queued, attempts=attempts), ResidentNotTold(reason=reason):
            return NotTold(queued, attempts, reason)
        case Waiting() | NotTold(), ResidentTold():
            return Told()
        case _:
            return telling


# what is asked


class QueueTelling(_Telling, frozen=True):
    pass


class RecordTold(Struct, frozen=True):
    telling_id: UUID


class RecordFailed(Struct, frozen=True):
    """`attempt`: which one it was; one that is on record is not recorded again."""

    telling_id: UUID
    attempt: int
    error: str
    now: datetime


class GiveUpTelling(Struct, frozen=True):
    telling_id: UUID
    reason: NotToldReason


def telling_id_of(broadcast_id: UUID, resident_id: UUID, channel: str) -> UUID:
    """The key under which the channel knows it."""
    return uuid5(broadcast_id, f"{resident_id} {channel}")


def pause(attempts: int) -> timedelta:
    """After so many attempts that failed."""
    return min(FIRST * (1 << min(attempts - 1, 10)), LONGEST)


def too_late(queued: TellingQueued, now: datetime) -> bool:
    """Its hour has passed."""
    return now - queued.queued_at >= PATIENCE


def decide_queue_telling(command: QueueTelling, telling: Telling) -> list[TellingEvent]:
    """Again where they have come back whom nothing had reached when they left."""
    match telling:
        case NotQueued() | NotTold(reason="moved_out"):
            return [TellingQueued(**asdict(command))]
        case Waiting() | Told() | NotTold():
            return []
        case _:
            assert_never(telling)


def decide_record_told(command: RecordTold, telling: Telling) -> list[TellingEvent]:
    """Also of one that was given up: what a channel has taken is taken."""
    match telling:
        case NotQueued():
            raise NotFound("telling")
        case Waiting(queued=queued, attempts=attempts) | NotTold(queued=queued, attempts=attempts):
            return [ResidentTold(
                queued.telling_id, queued.broadcast_id, queued.resident_id, queued.channel, attempts + 1)]
        case Told():
            return []
        case _:
            assert_never(telling)


def decide_record_failed(command: RecordFailed, telling: Telling) -> list[TellingEvent]:
    match telling:
        case NotQueued():
            raise NotFound("telling")
        case Waiting(attempts=attempts) if command.attempt != attempts + 1:
            return []
        case Waiting(queued=queued) if too_late(queued, command.now):
            return [_not_told(queued, "given_up")]
        case Waiting():
            return [TellingFailed(command.telling_id, command.attempt, command.error, command.now + pause(command.attempt))]
        case Told() | NotTold():
            return []
        case _:
            assert_never(telling)


def decide_give_up_telling(command: GiveUpTelling, telling: Telling) -> list[TellingEvent]:
    match telling:
        case NotQueued():
            raise NotFound("telling")
        case Waiting(queued=queued):
            return [_not_told(queued, command.reason)]
        case Told() | NotTold():
            return []
        case _:
            assert_never(telling)


def _not_told(queued: TellingQueued, reason: NotToldReason) -> ResidentNotTold:
    return ResidentNotTold(queued.telling_id, queued.broadcast_id, queued.resident_id, queued.channel, reason)


TELLINGS = Decider[Telling, TellingEvent](
    category="telling", initial=NotQueued(), evolve=evolve,
    decide={
        QueueTelling: decide_queue_telling, RecordTold: decide_record_told, RecordFailed: decide_record_failed,
        GiveUpTelling: decide_give_up_telling,
    })
