"""A notice on its way to somebody by one channel (push, SMS).

1. It is queued once for each channel and handed over at least once, under one key (its id), until the provider takes it.
2. What is not taken is tried again after 1 s, then after twice as long each time, at most 5 min (`pause`).
3. What has not been taken for a day is given up, and stays visible; so is what nobody tried within its day, because we were away, and
   what its reader does not agree to any more.

Ids and codes alone: no event says who anybody is.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import asdict, replace

from libs.eventkit.decider import Decider, NotFound

FIRST, LONGEST = timedelta(seconds=1), timedelta(minutes=5)
PATIENCE = timedelta(days=1)


class _About(Struct, frozen=True):
    """`person_id` is told of `kind`; `detail`: a stable code; `at`: when it happened; `queued_at`: when it was to be told."""

    delivery_id: UUID
    channel: str
    notice_id: UUID
    person_id: UUID
    kind: str
    pass_id: UUID
    detail: str
    at: datetime
    queued_at: datetime


# what happened


class NoticeQueued(_About, frozen=True, tag="notice_queued"):
    pass


class NoticeSent(Struct, frozen=True, tag="notice_sent"):
    """The provider has taken it. `attempt`: at the how manyth time."""

    delivery_id: UUID
    channel: str
    attempt: int


class NoticeFailed(Struct, frozen=True, tag="notice_failed"):
    """The provider has not taken it. `reason`: the error's name; `again_at`: not to be tried before."""

    delivery_id: UUID
    channel: str
    attempt: int
    reason: str
    again_at: datetime


class NoticeGivenUp(Struct, frozen=True, tag="notice_given_up"):
    """Nobody took it for a day, or (`consent_withdrawn`, `too_late`) it is to be sent no more."""

    delivery_id: UUID
    channel: str
    attempt: int
    reason: str


DeliveryEvent = NoticeQueued | NoticeSent | NoticeFailed | NoticeGivenUp


# what is


class NotQueued(Struct, frozen=True):
    pass


class Waiting(Struct, frozen=True):
    """`attempts`: those that have failed; `error`: of the last of them."""

    about: NoticeQueued
    again_at: datetime
    attempts: int = 0
    error: str = ""


class Sent(Struct, frozen=True):
    pass


class GivenUp(Struct, frozen=True):
    attempts: int


Delivery = NotQueued | Waiting | Sent | GivenUp


def evolve(delivery: Delivery, event: DeliveryEvent) -> Delivery:
    match delivery, event:
        case NotQueued(), NoticeQueued(queued_at=queued_at):
            return Waiting(event, queued_at)
        case Waiting(), NoticeFailed(attempt=attempt, again_at=again_at, reason=error):
            return replace(delivery, attempts=attempt, again_at=again_at, error=error)
        case Waiting(), NoticeGivenUp(attempt=attempt):
            return GivenUp(attempt)
        case Waiting() | GivenUp(), NoticeSent():
            return Sent()
        case _:
            return delivery


# what is asked


class QueueNotice(_About, frozen=True):
    pass


class RecordSent(Struct, frozen=True):
    delivery_id: UUID
    channel: str


class RecordFailed(Struct, frozen=True):
    """`attempt`: which one it was; one that is on record is not recorded again."""

    delivery_id: UUID
    channel: str
    attempt: int
    reason: str
    now: datetime


class DropNotice(Struct, frozen=True):
    """It is not to be sent any more; `reason`: a stable code."""

    delivery_id: UUID
    channel: str
    reason: str


def delivery_id_of(notice_id: UUID, channel: str) -> UUID:
    """One for each notice and channel: the key under which a provider knows it."""
    return uuid5(notice_id, channel)


def pause(attempts: int) -> timedelta:
    """After so many attempts that failed."""
    doublings = min(attempts - 1, 20)
    return min(FIRST * (1 << doublings), LONGEST)


def too_late(about: NoticeQueued, now: datetime) -> bool:
    """Its day has passed."""
    return now - about.queued_at >= PATIENCE


def decide_queue_notice(command: QueueNotice, delivery: Delivery) -> list[DeliveryEvent]:
    return [NoticeQueued(**asdict(command))] if isinstance(delivery, NotQueued) else []


def decide_record_sent(command: RecordSent, delivery: Delivery) -> list[DeliveryEvent]:
    """Also of one that was given up: what a provider has taken is taken."""
    match delivery:
        case NotQueued():
            raise NotFound("notice")
        case Waiting(attempts=attempts) | GivenUp(attempts=attempts):
            return [NoticeSent(command.delivery_id, command.channel, attempts + 1)]
        case Sent():
            return []


def decide_record_failed(command: RecordFailed, delivery: Delivery) -> list[DeliveryEvent]:
    match delivery:
        case NotQueued():
            raise NotFound("notice")
        case Waiting(attempts=attempts) if command.attempt != attempts + 1:
            return []
        case Waiting(about=about) if too_late(about, command.now):
            return [NoticeGivenUp(command.delivery_id, command.channel, command.attempt, command.reason)]
        case Waiting():
            again_at = command.now + pause(command.attempt)
            return [NoticeFailed(command.delivery_id, command.channel, command.attempt, command.reason, again_at)]
        case Sent() | GivenUp():
            return []


def decide_drop_notice(command: DropNotice, delivery: Delivery) -> list[DeliveryEvent]:
    match delivery:
        case NotQueued():
            raise NotFound("notice")
        case Waiting(attempts=attempts):
            return [NoticeGivenUp(command.delivery_id, command.channel, attempts, command.reason)]
        case Sent() | GivenUp():
            return []


DELIVERIES = Decider[Delivery, DeliveryEvent](
    category="notice", initial=NotQueued(), evolve=evolve,
    decide={
        QueueNotice: decide_queue_notice, RecordSent: decide_record_sent, RecordFailed: decide_record_failed,
        DropNotice: decide_drop_notice})
