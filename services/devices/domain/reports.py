"""What a device said, each thing once, and what is odd about it: repeats, gaps, reused numbers, a lying clock.

A gap in serial numbers is found by live reports only, so that a first registration that dumps thousands of old ones
raises nothing; whatever arrives late closes it (domain, devices, rules 1 to 3). Reports have a stream beside the
registry's: they are many and their content is blanked when its time is over, the registry's events stay.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider
from libs.eventkit.sealed import Sealed
from services.devices.domain.liveness import Clock, is_live, learn
from services.devices.domain.serials import Gap, Serials

REMEMBERED = 5000
"""Reports by whose fingerprint (8 bytes) a repeat is known."""
OPEN_GAPS = 256
GAPS_AT_ONCE = 8

Primitive = str | int | float | bool


class Told(Struct, frozen=True, kw_only=True):
    """One report as an adapter read it, its personal parts sealed. `fingerprint`: 16 hex digits, equal for the same
    event told again, or empty where nothing tells two such events apart."""

    report_id: UUID
    kind: str
    code: str
    history: bool
    fingerprint: str = ""
    state: str | None = None
    serial: int | None = None
    door_no: int | None = None
    reader_no: int | None = None
    channel: int | None = None
    awaits_decision: bool = False
    verify_mode: str | None = None
    device_time: datetime | None = None
    device_time_raw: str = ""
    pictures: int = 0
    detail: dict[str, Primitive] = {}
    findings: tuple[str, ...] = ()
    card_number: Sealed | None = None
    employee_number: Sealed | None = None


# what happened


class BodyReceived(Struct, frozen=True, tag="body_received"):
    """The bytes that the reports of `body_id` were read from. `size` in bytes."""

    body_id: UUID
    body: Sealed
    content_type: str
    size: int
    reports: int


class DeviceReported(Struct, frozen=True, tag="device_reported"):
    """`skew`: the device's clock minus ours in seconds, None where it could not be read or the report is not live."""

    device_id: UUID
    body_id: UUID
    told: Told
    received_at: datetime
    live: bool
    skew: float | None
    findings: tuple[str, ...]


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


ReportEvent = BodyReceived | DeviceReported | BodyUnreadable | SerialGapFound | SerialGapClosed


# what is


class Heard(Struct, frozen=True):
    """`checked`: up to which number gaps have been looked for. `recent`: fingerprints, 8 bytes each, oldest first."""

    serials: Serials = Serials()
    recent: bytes = b""
    gaps: tuple[Gap, ...] = ()
    checked: int | None = None
    clock: Clock = Clock()


def evolve(heard: Heard, event: ReportEvent) -> Heard:
    match event:
        case DeviceReported(told=told):
            serials, checked = heard.serials, heard.checked
            if told.serial is not None:
                serials = serials.add(told.serial)
                if event.live:
                    checked = told.serial if checked is None else max(checked, told.serial)
            return Heard(
                serials=serials, checked=checked, gaps=heard.gaps,
                recent=(heard.recent + bytes.fromhex(told.fingerprint))[-8 * REMEMBERED:],
                clock=learn(heard.clock, event.live, told.history, told.device_time, event.received_at))
        case SerialGapFound(after=after, before=before):
            return _with_gaps(heard, (*heard.gaps, (after, before))[-OPEN_GAPS:])
        case SerialGapClosed(after=after, before=before):
            return _with_gaps(heard, tuple(gap for gap in heard.gaps if gap != (after, before)))
        case _:
            return heard


def _with_gaps(heard: Heard, gaps: tuple[Gap, ...]) -> Heard:
    return Heard(serials=heard.serials, recent=heard.recent, gaps=gaps, checked=heard.checked, clock=heard.clock)


# what is asked


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


def decide_take_reports(command: TakeReports, heard: Heard) -> list[ReportEvent]:
    events: list[ReportEvent] = []
    for told in command.reports:
        if told.fingerprint and bytes.fromhex(told.fingerprint) in heard.recent:
            continue
        said = list(_take(command, told, heard))
        heard = reduce(evolve, said, heard)
        events += said
    if not events:
        return []
    reports = sum(isinstance(event, DeviceReported) for event in events)
    received = BodyReceived(command.body_id, command.body, command.content_type, command.size, reports)
    return [received, *events]


def _take(command: TakeReports, told: Told, heard: Heard) -> Iterator[ReportEvent]:
    liveness = is_live(told.history, told.device_time, heard.clock, command.now)
    reused = told.serial is not None and told.serial in heard.serials
    yield DeviceReported(
        device_id=command.device_id, body_id=command.body_id, told=told, received_at=command.now, live=liveness.live,
        skew=liveness.skew, findings=(*told.findings, *liveness.findings, *(("serial_reused",) if reused else ())))
    if told.serial is None:
        return
    if liveness.live:
        for after, before in _new_gaps(told.serial, heard):
            yield SerialGapFound(command.device_id, after, before)
    serials = heard.serials.add(told.serial)
    for after, before in heard.gaps:
        if after < told.serial < before and not serials.missing(after, before):
            yield SerialGapClosed(command.device_id, after, before)


def _new_gaps(serial: int, heard: Heard) -> tuple[Gap, ...]:
    """Everything missing since the last look, told as one gap where it is in many pieces."""
    after = heard.serials.below(serial) if heard.checked is None else heard.checked
    if after is None or after >= serial:
        return ()
    gaps = heard.serials.missing(after, serial)
    return gaps if len(gaps) <= GAPS_AT_ONCE else ((gaps[0][0], serial),)


def decide_keep_unreadable(command: KeepUnreadable, heard: Heard) -> list[ReportEvent]:
    return [BodyUnreadable(
        device_id=command.device_id, body_id=command.body_id, body=command.body, content_type=command.content_type,
        size=command.size, code=command.code)]


REPORTS = Decider[Heard, ReportEvent](
    category="reports",
    initial=Heard(),
    evolve=evolve,
    decide={TakeReports: decide_take_reports, KeepUnreadable: decide_keep_unreadable},
)
