"""When rounds of a route begin: by the community's clock, each once, and as the route was then."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import Refused, VersionMismatch
from services.alarm.domain.patrol_routes import (
    AT_ONCE,
    LONGEST,
    REMEMBERED,
    ROUTES,
    BeginRounds,
    Course,
    PatrolRoundBegun,
    PatrolRouteSet,
    SetPatrolRoute,
    Stop,
    Timetable,
    due,
    next_round,
    starts,
)
from services.alarm.domain.patrol_scans import KEPT

ROUTE, GATE, ROOF = UUID(int=31), UUID(int=32), UUID(int=33)
COURSE = Course("night", (Stop(GATE, 0), Stop(ROOF, 10), Stop(GATE, 20)), 5, 15)
EVERY, NIGHTLY = (1, 2, 3, 4, 5, 6, 7), (22 * 60, 2 * 60)
SHANGHAI = Timetable("Asia/Shanghai", EVERY, NIGHTLY)
SINCE = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""A Monday noon in Shanghai."""
SET = PatrolRouteSet(ROUTE, COURSE, SHANGHAI, True, SINCE)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In March, by Shanghai's clock."""
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def decided(command, *events):
    return ROUTES.decide[type(command)](command, ROUTES.fold(events))


def begun(now: datetime, *events) -> list[datetime]:
    return [event.round.starts_at for event in decided(BeginRounds(now), *events)]


def test_a_route_is_set_once_and_each_change_is_another_edition():
    assert decided(SetPatrolRoute(SET, 0)) == [SET]
    assert decided(SetPatrolRoute(replace(SET, since=at(3, 1)), 1), SET) == []
    changed = replace(SET, in_use=False, since=at(3, 1))
    assert decided(SetPatrolRoute(changed, 1), SET) == [replace(changed, edition=2)]
    for seen in (0, 2):
        with pytest.raises(VersionMismatch):
            decided(SetPatrolRoute(changed, seen), SET)
    round_begun = decided(BeginRounds(at(2, 22)), SET)
    assert decided(SetPatrolRoute(changed, 1), SET, *round_begun) == [replace(changed, edition=2)], "a round is no change of the route"


@pytest.mark.parametrize(("stops", "code"), [
    ((), "stops_out_of_range"), ((Stop(GATE, 0),) * 101, "stops_out_of_range"), ((Stop(GATE, 5), Stop(ROOF, 4)), "stops_out_of_order"),
    ((Stop(GATE, -1),), "stops_out_of_order"), ((Stop(GATE, LONGEST + 1),), "stops_out_of_order")])
def test_stops_are_in_the_order_in_which_they_are_walked(stops, code: str):
    with pytest.raises(Refused, match=code):
        decided(SetPatrolRoute(replace(SET, course=replace(COURSE, stops=stops)), 0))


@pytest.mark.parametrize(("tolerance", "counts"), [(0, 15), (16, 15)])
def test_who_is_on_time_counts(tolerance: int, counts: int):
    with pytest.raises(Refused, match="tolerance_out_of_range"):
        decided(SetPatrolRoute(replace(SET, course=replace(COURSE, tolerance=tolerance, counts=counts)), 0))


def test_a_round_begins_as_soon_as_its_first_stop_counts():
    assert due(ROUTES.fold([SET])) == at(2, 21, 45)
    assert begun(at(2, 21, 44), SET) == [] and begun(at(2, 21, 45), SET) == [at(2, 22)]
    first = decided(BeginRounds(at(2, 21, 45)), SET)
    assert begun(at(2, 23), SET, *first) == [] and due(ROUTES.fold([SET, *first])) == at(3, 1, 45)


def test_rounds_of_a_time_when_everything_stood_still_begin_all_the_same():
    assert begun(at(4, 3), SET) == [at(2, 22), at(3, 2), at(3, 22), at(4, 2)]
    later = SET.since + timedelta(days=60)
    assert len(begun(later, SET)) == AT_ONCE, "so many by one command; the others by the next"
    some = decided(BeginRounds(later), SET)
    assert begun(later, SET, *some)[0] > some[-1].round.starts_at


def test_the_same_round_has_the_same_id_whoever_begins_it():
    (one,) = decided(BeginRounds(at(2, 22)), SET)
    (same, _) = decided(BeginRounds(at(3, 2)), SET)
    assert one == same
    assert one.round.due(2) == at(2, 22, 20) and one.round.opens == at(2, 21, 45)


def test_what_changes_counts_from_then_on_and_what_was_due_before_is_as_it_was():
    earlier = replace(SET, timetable=replace(SHANGHAI, starts=(23 * 60,)), since=at(3, 12), edition=2)
    over = replace(SET, in_use=False, since=at(5, 12), edition=3)
    assert begun(at(9, 12), SET, earlier, over) == [at(2, 22), at(3, 2), at(3, 23), at(4, 23)]
    assert due(ROUTES.fold([SET, earlier, over, *decided(BeginRounds(at(9, 12)), SET, earlier, over)])) is None
    later = decided(BeginRounds(at(3, 22, 50)), SET, earlier)
    assert [said.edition for said in ROUTES.fold([SET, earlier, *later]).said] == [2], "what is over is forgotten"
    back = replace(SET, since=at(7, 12), edition=4)
    assert begun(at(8, 1), SET, earlier, over, back)[-1] == at(7, 22)


def test_a_round_that_has_begun_stays_as_it_was_and_is_not_begun_again():
    first = decided(BeginRounds(at(2, 21, 50)), SET)
    longer = replace(SET, course=replace(COURSE, counts=30), since=at(2, 21, 55), edition=2)
    assert begun(at(2, 22), SET, *first, longer) == []
    assert decided(BeginRounds(at(3, 2)), SET, *first, longer)[0].round.course.counts == 30


def test_a_start_before_that_of_a_round_that_has_begun_is_not_left_out():
    first = decided(BeginRounds(at(2, 21, 45)), SET)
    sooner = replace(SET, timetable=replace(SHANGHAI, starts=(21 * 60 + 55, 22 * 60)), since=at(2, 21, 50), edition=2)
    assert begun(at(2, 21, 50), SET, *first, sooner) == [at(2, 21, 55)]
    second = decided(BeginRounds(at(2, 21, 50)), SET, *first, sooner)
    assert begun(at(3, 22), SET, *first, sooner, *second) == [at(3, 21, 55), at(3, 22)], "and what has begun does not begin again"


def test_rounds_are_known_as_long_as_phones_may_keep_scans():
    events = [SET]
    for day in range(2, 32):
        events += decided(BeginRounds(at(day, 23)), *events)
    state = ROUTES.fold(events)
    assert state.begun[0].starts_at >= state.begun[-1].starts_at - REMEMBERED and len(state.begun) == 31 and len(state.said) == 1


@pytest.mark.parametrize(("last", "counts"), [(20, 15), (LONGEST, LONGEST)])
def test_a_round_is_known_until_no_phone_can_tell_of_its_last_stop(last: int, counts: int):
    course = replace(COURSE, stops=(Stop(GATE, 0), Stop(ROOF, last)), counts=counts)
    table = Timetable("UTC", EVERY, tuple(range(0, 24 * 60, 30)))
    events = [replace(SET, course=course, timetable=table)]
    while len(events) < 48 * 18:
        events += decided(BeginRounds(SINCE + timedelta(days=18)), *events)
    newest = events[-1].round
    told = newest.opens - KEPT
    known = {one.starts_at for one in ROUTES.fold(events).begun}
    assert known >= {e.round.starts_at for e in events[1:] if e.round.due(1) + e.round.counts >= told}


def test_only_on_its_days():
    fridays = replace(SET, timetable=replace(SHANGHAI, weekdays=(5,)))
    assert begun(at(15, 0), fridays) == [at(6, 2), at(6, 22), at(13, 2), at(13, 22)]


@pytest.mark.parametrize(("day", "found"), [
    ("2026-03-28", ["2026-03-29T01:15", "2026-03-29T01:30", "2026-03-30T00:30"]),
    ("2026-10-24", ["2026-10-25T00:30", "2026-10-25T02:15", "2026-10-26T01:30"])])
def test_where_a_clock_is_changed_a_start_is_there_once(day: str, found: list[str]):
    """02:30 is leapt over in March (an hour later then, after 03:15), and comes twice in October (the first counts)."""
    table = Timetable("Europe/Berlin", EVERY, (150, 195))
    said = islice(starts(table, datetime.fromisoformat(f"{day}T12:00:00+00:00")), 3)
    assert [start.isoformat() for start in said] == [f"{moment}:00+00:00" for moment in found]


@given(st.sets(st.integers(0, 1439), min_size=1, max_size=5), st.sets(st.integers(1, 7), min_size=1), st.integers(0, 400 * 24 * 60))
def test_starts_come_in_order_and_there_is_always_a_next_one(minutes: set[int], weekdays: set[int], offset: int):
    after = SINCE + timedelta(minutes=offset)
    table = Timetable("Asia/Shanghai", tuple(weekdays), tuple(minutes))
    found = list(starts(table, after))
    assert found and found == sorted(set(found)) and found[0] > after
    local = [start.astimezone(ZoneInfo("Asia/Shanghai")) for start in found]
    assert {start.isoweekday() for start in local} <= weekdays and {start.hour * 60 + start.minute for start in local} <= minutes
    assert found[0] - after <= timedelta(days=7)


def test_what_is_not_set_has_no_rounds():
    assert next_round(ROUTES.initial) is None and due(ROUTES.initial) is None and decided(BeginRounds(SINCE)) == []
    assert ROUTES.fold(decided(BeginRounds(at(2, 22)), SET)) == ROUTES.initial, "a round of nothing is passed over"
    assert isinstance(decided(BeginRounds(at(2, 22)), SET)[0], PatrolRoundBegun)
