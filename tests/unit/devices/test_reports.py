import hashlib
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from libs.eventkit.decider import Refused
from libs.eventkit.sealed import Sealed
from services.devices.domain.heard import GAPS_AT_ONCE, REMEMBERED, Heard
from services.devices.domain.reports import (
    REPORTS,
    BeginDay,
    BodyReceived,
    BodyUnreadable,
    Closed,
    CloseDay,
    Day,
    DayBegun,
    DayClosed,
    DeviceReported,
    KeepUnreadable,
    KnowledgeCarried,
    NotBegun,
    ReportEvent,
    SerialGapClosed,
    SerialGapFound,
    TakeReports,
)
from services.devices.domain.serials import RANGES
from services.devices.domain.told import Told

DEVICE, BODY = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOX = Sealed(UUID(int=3), BODY, "body", "box")


def told(serial: int | None, history: bool = False, content: str = "", **more: Any) -> Told:
    fingerprint = hashlib.sha256(f"{serial} {content}".encode()).hexdigest()[:16]
    return Told(
        report_id=uuid4(), kind="card_read", code="5/1", history=history, serial=serial, fingerprint=fingerprint, **more)


def take(*reports: Told, heard: Day | None = None, now: datetime = NOW) -> list[ReportEvent]:
    command = TakeReports(DEVICE, BODY, BOX, "application/json", 10, reports, now)
    return REPORTS.decide[TakeReports](command, Heard() if heard is None else heard)


def folded(events: list[ReportEvent], heard: Day | None = None) -> Heard:
    found = reduce(REPORTS.evolve, events, Heard() if heard is None else heard)
    assert isinstance(found, Heard)
    return found


def after(*reports: Told) -> Heard:
    return folded(take(*reports))


def gaps(events: list[ReportEvent]) -> list[ReportEvent]:
    return [event for event in events if isinstance(event, SerialGapFound | SerialGapClosed)]


def findings(events: list[ReportEvent]) -> list[tuple[str, ...]]:
    return [event.findings for event in events if isinstance(event, DeviceReported)]


def test_a_body_and_each_report_in_it_are_kept() -> None:
    first, second = told(7), told(8, findings=("code_unknown",))
    assert take(first, second) == [
        BodyReceived(BODY, BOX, "application/json", 10, 2),
        DeviceReported(DEVICE, BODY, first, NOW, live=True, skew=None, findings=()),
        DeviceReported(DEVICE, BODY, second, NOW, live=True, skew=None, findings=("code_unknown",)),
    ]


def test_a_repeat_says_nothing() -> None:
    assert take(told(7), heard=after(told(7))) == []


def test_what_is_sent_again_as_history_is_the_same_event() -> None:
    assert take(told(7, history=True), heard=after(told(7))) == []


def test_only_what_is_new_in_a_body_is_told() -> None:
    received, *rest = take(told(7), told(8), heard=after(told(7)))
    assert isinstance(received, BodyReceived) and received.reports == len(rest) == 1


def test_the_same_report_twice_in_one_body_is_one() -> None:
    assert len(take(told(7), told(7))) == 2


def test_reports_that_nothing_tells_apart_are_all_kept() -> None:
    heartbeat = Told(report_id=uuid4(), kind="heartbeat", code="videoloss", history=False)
    assert len(take(heartbeat, heard=after(heartbeat))) == 2


def test_a_number_used_again_for_something_else_is_kept_and_found() -> None:
    heard = after(told(7))
    events = take(told(7, content="else"), heard=heard)
    assert findings(events) == [("serial_reused",)]
    assert take(told(7), told(7, content="else"), heard=folded([*take(told(7)), *events])) == []


def test_the_last_five_thousand_are_remembered() -> None:
    heard = after(*(told(n, history=True) for n in range(REMEMBERED + 1)))
    assert take(told(1, history=True), heard=heard) == []
    assert findings(take(told(0, history=True), heard=heard)) == [("serial_reused",)]


def test_a_repeat_is_known_also_when_its_number_is_forgotten() -> None:
    heard = after(*(told(2 * n, history=True) for n in range(RANGES + 1)))
    assert 0 not in heard.serials and take(told(0, history=True), heard=heard) == []


def test_a_live_report_finds_a_gap_and_a_late_arrival_closes_it() -> None:
    heard = after(told(7))
    found = take(told(10), heard=heard)
    assert gaps(found) == [SerialGapFound(DEVICE, 7, 10)]
    heard = folded([*take(told(7)), *found])
    part = take(told(9), heard=heard)
    assert gaps(part) == []
    rest = take(told(8, history=True), heard=folded([*take(told(7)), *found, *part]))
    assert gaps(rest) == [SerialGapClosed(DEVICE, 7, 10)]
    closed = folded([*take(told(7)), *found, *part, *rest])
    assert closed.gaps == () and gaps(take(told(11), heard=closed)) == []


def test_a_first_registration_that_dumps_its_history_raises_nothing() -> None:
    dump = [told(n, history=True) for n in range(1, 3709) if n % 5]
    events = take(*dump)
    assert len(events) == len(dump) + 1 and gaps(events) == []
    assert gaps(take(told(3709), heard=folded(events))) == []


def test_history_that_arrives_one_by_one_after_a_live_report_raises_nothing() -> None:
    heard = after(told(3709))
    for n in range(1, 3709):
        events = take(told(n, history=True), heard=heard)
        assert gaps(events) == []
        heard = folded(events, heard)
    assert heard.serials.ranges == ((1, 3709),)


def test_every_hole_that_history_left_is_found_by_the_next_live_report() -> None:
    heard = after(told(1), told(4, history=True))
    assert gaps(take(told(6), heard=heard)) == [SerialGapFound(DEVICE, 1, 4), SerialGapFound(DEVICE, 4, 6)]


def test_many_holes_are_one_gap() -> None:
    holes = [told(n, history=True) for n in range(3, 5 * GAPS_AT_ONCE, 2)]
    assert gaps(take(told(100), heard=after(told(1), *holes))) == [SerialGapFound(DEVICE, 1, 100)]


def test_a_device_that_counts_anew_raises_no_gap() -> None:
    assert gaps(take(told(1), heard=after(told(500)))) == []


def counted_to(last: int, first: int = 1) -> Heard:
    return after(*(told(n, history=True) for n in range(first, last)), told(last))


@pytest.mark.parametrize("before", [counted_to(600), counted_to(600, first=500), counted_to(3)], ids=["all", "late", "few"])
def test_after_a_factory_reset_gaps_are_found_as_before_it(before: Heard) -> None:
    begun = take(told(1, content="anew"), told(2, content="anew"), heard=before)
    heard = folded(begun, before)
    assert gaps(begun) == [] and (heard.checked, heard.serials.ranges) == (2, ((1, 2),))
    missed = take(told(6, content="anew"), heard=heard)
    assert gaps(missed) == [SerialGapFound(DEVICE, 2, 6)]
    late = [told(n, history=True, content="anew") for n in (3, 4, 5)]
    assert gaps(take(*late, heard=folded(missed, heard))) == [SerialGapClosed(DEVICE, 2, 6)]


def test_a_gap_of_before_a_factory_reset_is_not_closed_by_the_numbers_after_it() -> None:
    before = folded(take(told(203), heard=counted_to(200)), counted_to(200))
    assert before.gaps == ((200, 203),)
    anew = take(*(told(n, content="anew") for n in range(1, 203)), heard=before)
    assert gaps(anew) == [] and len(anew) == 203 and folded(anew, before).gaps == ()


def test_what_was_told_before_a_factory_reset_is_known_after_it() -> None:
    before = counted_to(600)
    heard = folded(take(told(1, content="anew"), heard=before), before)
    assert take(told(600), told(599, history=True), told(1, content="anew"), heard=heard) == []


@pytest.mark.parametrize("late", [told(9), told(9, history=True), told(6, history=True), told(6, history=True, content="else")])
def test_what_arrives_late_begins_no_new_count(late: Told) -> None:
    heard = folded(take(told(500), heard=counted_to(7)), counted_to(7))
    heard = folded(take(late, heard=heard), heard)
    assert heard.checked == 500 and not heard.anew


def test_a_live_report_that_was_overtaken_begins_no_new_count() -> None:
    heard = after(told(500), told(499))
    assert (heard.checked, heard.serials.ranges) == (500, ((499, 500),))


def test_a_replay_without_its_mark_is_not_live_and_awaits_nothing() -> None:
    heard = after(told(7, device_time=NOW))
    late = told(8, device_time=NOW - timedelta(hours=1), awaits_decision=True)
    (reported,) = [e for e in take(late, heard=heard) if isinstance(e, DeviceReported)]
    assert (reported.live, reported.skew, reported.findings) == (False, None, ("replay_unmarked",))
    assert folded([reported], heard).clock.skew == 0


def test_the_skew_of_a_clock_is_told_and_remembered() -> None:
    events = take(told(7, device_time=NOW + timedelta(seconds=90)))
    assert findings(events) == [("clock_skew",)]
    assert folded(events).clock.skew == 90


@pytest.mark.parametrize(("at", "found"), [
    (NOW - timedelta(hours=9), ("clock_skew",)), (NOW - timedelta(days=700), ("clock_implausible",))])
def test_of_what_was_kept_it_is_found_whether_its_clock_was_wrong(at: datetime, found: tuple[str, ...]) -> None:
    heard = after(told(7, device_time=NOW - timedelta(hours=8))) if "clock_skew" in found else Heard()
    (reported,) = [e for e in take(told(8, history=True, device_time=at), heard=heard) if isinstance(e, DeviceReported)]
    assert (reported.findings, reported.skew, reported.known_skew) == (found, None, heard.clock.skew)
    assert folded([reported], heard).clock == heard.clock


def test_an_unreadable_body_is_kept_each_time_and_changes_nothing() -> None:
    keep = KeepUnreadable(DEVICE, BODY, BOX, "text/plain", 10, "truncated")
    events = REPORTS.decide[KeepUnreadable](keep, Heard())
    assert events == [BodyUnreadable(DEVICE, BODY, BOX, "text/plain", 10, "truncated")]
    assert folded(events) == Heard()


WHAT = (DEVICE, NOW.date())
begin, close = BeginDay(*WHAT, Heard()), CloseDay(*WHAT)
keep = KeepUnreadable(DEVICE, BODY, BOX, "", 10, "truncated")


def when(command: Any, day: Day) -> list[ReportEvent]:
    return REPORTS.decide[type(command)](command, day)


def test_the_first_day_begins_with_nothing() -> None:
    events = when(begin, NotBegun())
    assert events == [DayBegun(*WHAT)] and REPORTS.fold(events) == Heard()


def test_a_day_begins_with_what_the_day_before_knew() -> None:
    known = folded(take(told(10), heard=after(told(7, device_time=NOW))), after(told(7, device_time=NOW)))
    events = when(BeginDay(*WHAT, known), NotBegun())
    known = known.as_carried()
    assert events == [DayBegun(*WHAT), KnowledgeCarried(known)] and known.recent
    stored = [msgspec.json.decode(msgspec.json.encode(event), type=type(event)) for event in events]
    assert REPORTS.fold(stored) == known and known.gaps == ((7, 10),)
    assert take(told(10, history=True), heard=REPORTS.fold(stored)) == []


def test_a_day_that_was_closed_does_not_begin_again() -> None:
    with pytest.raises(Refused, match="day_closed"):
        when(begin, Closed(Heard()))


def test_a_day_that_has_begun_does_not_begin_again() -> None:
    assert when(begin, Heard()) == []


def test_a_closed_day_keeps_what_it_knew() -> None:
    known = after(told(7))
    assert when(close, known) == [DayClosed(*WHAT)]
    assert REPORTS.evolve(known, DayClosed(*WHAT)) == Closed(known)
    following = WHAT[1] + timedelta(days=3)
    assert when(CloseDay(*WHAT, following), known) == [DayClosed(*WHAT, following)]
    assert REPORTS.evolve(known, DayClosed(*WHAT, following)) == Closed(known, following)


def test_a_day_that_never_began_is_not_closed() -> None:
    with pytest.raises(Refused, match="day_not_begun"):
        when(close, NotBegun())


def test_closing_a_day_twice_says_nothing_new() -> None:
    assert when(close, Closed(Heard())) == []


@pytest.mark.parametrize(("day", "why"), [(NotBegun(), "day_not_begun"), (Closed(Heard()), "day_closed")])
def test_a_day_that_is_not_open_takes_nothing(day: Day, why: str) -> None:
    with pytest.raises(Refused, match=why):
        take(told(7), heard=day)
    with pytest.raises(Refused, match=why):
        when(keep, day)


def test_what_was_told_some_minutes_ago_under_the_mark_of_then_is_not_told_again() -> None:
    heard = after(told(None, content="then"))
    then = told(None, content="then").fingerprint
    assert take(told(None, content="now", fingerprint_before=then), heard=heard) == []
    assert take(told(None, content="now", fingerprint_before=told(None, content="never").fingerprint), heard=heard) != []


@pytest.mark.parametrize(("clock", "live"), [(None, False), (0.0, False), (-86_400.0, True), (-85_500.0, False)])
def test_what_a_device_told_of_its_clock_in_passing_counts_before_what_its_reports_taught(clock: float | None, live: bool) -> None:
    known, yesterday = after(told(1, device_time=NOW)), NOW - timedelta(days=1)
    (report,) = [e for e in take(told(2, device_time=yesterday, clock=clock), heard=known) if isinstance(e, DeviceReported)]
    assert report.live is live
