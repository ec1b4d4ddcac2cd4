"""What a device said, each thing once, and what is odd about it: repeats, gaps, reused numbers, a lying clock.

A gap in serial numbers is found by live reports only, so that a first registration that dumps thousands of old ones
raises nothing; whatever arrives late closes it (domain, devices, rules 1 to 3).

A stream holds one device's day: reports are many, are blanked when their time is over, and must be folded quickly
when a process starts. The next day begins with what has to be known of the days before it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from functools import reduce
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from libs.eventkit.sealed import Sealed
from services.devices.domain.dating import dated
from services.devices.domain.heard import Heard
from services.devices.domain.liveness import Clock, is_live
from services.devices.domain.told import Told

# what happened


class DayBegun(Struct, frozen=True, tag="day_begun"):
    device_id: UUID
    day: date


class KnowledgeCarried(Struct, frozen=True, tag="knowledge_carried"):
    """What the days before knew. Apart from the day's beginning, which every process keeps in memory: this is large."""

    heard: Heard


class DayClosed(Struct, frozen=True, tag="day_closed"):
    """Nothing more goes into this day: what it knew is carried on into `next`, which whoever finds this one closed
    begins, so that nobody waits for the process that closed it."""

    device_id: UUID
    day: date
    next: date | None = None


class BodyReceived(Struct, frozen=True, tag="body_received"):
    """The bytes that the reports of `body_id` were read from. `size` in bytes."""

    body_id: UUID
    body: Sealed
    content_type: str
    size: int
    reports: int


class DeviceReported(Struct, frozen=True, tag="device_reported"):
    """`skew`: the device's clock minus ours in seconds, None where it could not be read or the report is not live. `known_skew`: of what
    it had kept, what was known of that from before."""

    device_id: UUID
    body_id: UUID
    told: Told
    received_at: datetime
    live: bool
    skew: float | None
    findings: tuple[str, ...]
    known_skew: float | None = None


class BodyUnreadable(Struct, frozen=True, tag="body_unreadable"):
    """The beginning of a body that is not what its device should send. `code`: why, in the adapter's words."""

    device_id: UUID
    body_id: UUID
    body: Sealed
    content_type: str
    size: int
    code: str


class SerialGapFound(Struct, frozen=True, tag="serial_gap_found"):
    device_id: UUID
    after: int
    before: int


class SerialGapClosed(Struct, frozen=True, tag="serial_gap_closed"):
    device_id: UUID
    after: int
    before: int


ReportEvent = (
    DayBegun | KnowledgeCarried | DayClosed | BodyReceived | DeviceReported | BodyUnreadable | SerialGapFound
    | SerialGapClosed)


# what is


class NotBegun(Struct, frozen=True):
    pass


class Closed(Struct, frozen=True):
    heard: Heard
    next: date | None = None


Day = NotBegun | Heard | Closed


def evolve(day: Day, event: ReportEvent) -> Day:
    match day, event:
        case NotBegun(), DayBegun():
            return Heard()
        case Heard(), DayClosed(next=following):
            return Closed(heard=day, next=following)
        case Heard(), _:
            return _hear(day, event)
        case _:
            return day


def _hear(heard: Heard, event: ReportEvent) -> Heard:
    match event:
        case KnowledgeCarried(heard=carried):
            return carried
        case DeviceReported(told=told, live=live):
            heard = heard.after_clock(live, told.history, told.device_time, event.received_at)
            heard = heard.after_report(told.fingerprint)
            return heard if told.serial is None else heard.after_number(told.serial, live)
        case SerialGapFound(after=after, before=before):
            return heard.after_gap((after, before))
        case SerialGapClosed(after=after, before=before):
            return heard.after_closing((after, before))
        case _:
            return heard


# what is asked


class BeginDay(Struct, frozen=True):
    device_id: UUID
    day: date
    carried: Heard


class CloseDay(Struct, frozen=True):
    device_id: UUID
    day: date
    next: date | None = None


class TakeReports(Struct, frozen=True):
    device_id: UUID
    body_id: UUID
    body: Sealed
    content_type: str
    size: int
    reports: tuple[Told, ...]
    now: datetime


class KeepUnreadable(Struct, frozen=True):
    device_id: UUID
    body_id: UUID
    body: Sealed
    content_type: str
    size: int
    code: str


def decide_begin_day(command: BeginDay, day: Day) -> list[ReportEvent]:
    match day:
        case NotBegun():
            begun: list[ReportEvent] = [DayBegun(command.device_id, command.day)]
            return begun if command.carried == Heard() else [*begun, KnowledgeCarried(command.carried.as_carried())]
        case Heard():
            return []
        case Closed():
            raise Refused("day_closed")
        case _:
            assert_never(day)


def decide_close_day(command: CloseDay, day: Day) -> list[ReportEvent]:
    match day:
        case NotBegun():
            raise Refused("day_not_begun")
        case Heard():
            return [DayClosed(command.device_id, command.day, command.next)]
        case Closed():
            return []
        case _:
            assert_never(day)


def _open(day: Day) -> Heard:
    """Raises Refused for a day that takes nothing (yet, or any more)."""
    match day:
        case NotBegun():
            raise Refused("day_not_begun")
        case Closed():
            raise Refused("day_closed")
        case Heard():
            return day
        case _:
            assert_never(day)


def decide_take_reports(command: TakeReports, day: Day) -> list[ReportEvent]:
    heard = _open(day)
    events: list[ReportEvent] = []
    for told in command.reports:
        if heard.knows(told.fingerprint, told.serial) or heard.knows(told.fingerprint_before, told.serial):
            continue
        said = list(_take(command, told, heard))
        heard = reduce(_hear, said, heard)
        events += said
    if not events:
        return []
    reports = sum(isinstance(event, DeviceReported) for event in events)
    received = BodyReceived(command.body_id, command.body, command.content_type, command.size, reports)
    return [received, *events]


def _take(command: TakeReports, told: Told, heard: Heard) -> Iterator[ReportEvent]:
    clock = heard.clock if told.clock is None else Clock(skew=told.clock)
    liveness = is_live(told.history, told.device_time, clock, command.now)
    known_skew = clock.skew if told.history else None
    reused = ("serial_reused",) if told.serial is not None and told.serial in heard.serials else ()
    of_its_time = dated(told, liveness.live, known_skew, command.now).findings
    yield DeviceReported(
        device_id=command.device_id, body_id=command.body_id, told=told, received_at=command.now, live=liveness.live,
        skew=liveness.skew, findings=(*told.findings, *liveness.findings, *of_its_time, *reused), known_skew=known_skew)
    if told.serial is None:
        return
    if liveness.live:
        for after, before in heard.new_gaps(told.serial):
            yield SerialGapFound(command.device_id, after, before)
    for after, before in heard.filled(told.serial):
        yield SerialGapClosed(command.device_id, after, before)


def decide_keep_unreadable(command: KeepUnreadable, day: Day) -> list[ReportEvent]:
    _open(day)
    return [BodyUnreadable(
        device_id=command.device_id, body_id=command.body_id, body=command.body, content_type=command.content_type,
        size=command.size, code=command.code)]


REPORTS = Decider[Day, ReportEvent](
    category="reports",
    initial=NotBegun(),
    evolve=evolve,
    decide={
        BeginDay: decide_begin_day, CloseDay: decide_close_day, TakeReports: decide_take_reports, KeepUnreadable: decide_keep_unreadable},
)
