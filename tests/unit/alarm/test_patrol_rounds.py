"""How a round is judged: early, on time, late, missed; again when more is told; the same in whatever order."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alarm.domain.patrol_rounds import (
    ROUNDS,
    CloseStops,
    OpenRound,
    PatrolRoundJudged,
    PatrolRoundOpened,
    PatrolStopMissed,
    PatrolStopVisited,
    Visit,
    VisitPoint,
    Walked,
    due,
    nearest,
)
from services.alarm.domain.patrol_routes import Course, Round, Stop
from tests.unit.alarm.samples import ANN, NOW

GATE, ROOF, ROUTE, ROUND = (UUID(int=41 + n) for n in range(4))
COURSE = Course("night", (Stop(GATE, 0), Stop(ROOF, 10), Stop(GATE, 20)), 5, 15)
HERE = Round(ROUND, ROUTE, NOW, COURSE)
OPENED = PatrolRoundOpened(HERE)


def visit(seconds: float, number: int = 1) -> Visit:
    return Visit(UUID(int=100 + number), ANN, NOW + timedelta(seconds=seconds))


def decided(command, *events):
    return ROUNDS.decide[type(command)](command, ROUNDS.fold(events))


def visited(point: UUID, at: Visit, *events):
    return decided(VisitPoint(HERE, point, at), *events)


def closed(minutes: float, *events):
    return decided(CloseStops(NOW + timedelta(minutes=minutes)), *events)


def judged(early: int, on_time: int, late: int, missed: int, times: int = 1) -> PatrolRoundJudged:
    stops = {"early": early, "on_time": on_time, "late": late, "missed": missed}
    return PatrolRoundJudged(ROUND, ROUTE, "night", NOW, stops, times)


def test_a_round_opens_once_also_by_who_is_first_at_a_stop():
    assert decided(OpenRound(HERE)) == [OPENED] and decided(OpenRound(HERE), OPENED) == []
    assert visited(GATE, visit(0)) == [OPENED, PatrolStopVisited(ROUND, 0, visit(0), "on_time")]


@pytest.mark.parametrize(("seconds", "met"), [
    (-901, None), (-900, "early"), (-301, "early"), (-300, "on_time"), (0, "on_time"), (300, "on_time"), (300.001, "late"), (600, "late")])
def test_a_visit_is_early_on_time_or_late(seconds: float, met: str | None):
    found = visited(GATE, visit(seconds), OPENED)
    assert [event.met for event in found] == ([met] if met else [])


def test_a_scan_is_of_the_stop_whose_time_is_nearest():
    assert [nearest(HERE, GATE, visit(60 * m).at) for m in (-16, -15, 0, 9, 10, 10.1, 20, 35, 35.1)] == [None, 0, 0, 0, 0, 2, 2, 2, None]
    assert nearest(HERE, ROOF, visit(600).at) == 1 and nearest(HERE, UUID(int=9), visit(600).at) is None


def test_of_several_the_nearest_to_the_time_counts():
    first = visited(GATE, visit(-600), OPENED)
    better = visited(GATE, visit(240, 2), OPENED, *first)
    assert [e.met for e in better] == ["on_time"]
    assert visited(GATE, visit(-250, 3), OPENED, *first, *better) == [], "farther off"
    assert visited(GATE, visit(240, 2), OPENED, *first, *better) == [], "told again"
    assert visited(GATE, visit(-240, 4), OPENED, *first, *better) != [], "of two as near the earlier"


def test_what_nobody_reached_in_time_is_missed_and_not_before():
    assert due(ROUNDS.fold([OPENED])) == NOW + timedelta(minutes=15)
    assert closed(14.99, OPENED) == []
    first = closed(15, OPENED)
    assert first == [PatrolStopMissed(ROUND, 0)] and due(ROUNDS.fold([OPENED, *first])) == NOW + timedelta(minutes=25)
    assert closed(15, OPENED, *first) == []
    rest = closed(600, OPENED, *first)
    assert rest == [PatrolStopMissed(ROUND, 1), PatrolStopMissed(ROUND, 2), judged(0, 0, 0, 3)]
    assert due(ROUNDS.fold([OPENED, *first, *rest])) is None and closed(601, OPENED, *first, *rest) == []
    assert closed(600) == [] and due(ROUNDS.initial) is None


def test_a_round_is_judged_as_soon_as_nothing_is_open():
    events = [OPENED]
    for n, (point, seconds) in enumerate(((GATE, 0), (ROOF, 1000))):
        events += visited(point, visit(seconds, n), *events)
    last = visited(GATE, visit(1200 - 400, 5), *events)
    assert last == [PatrolStopVisited(ROUND, 2, visit(800, 5), "early"), judged(1, 1, 1, 0)]


def test_what_a_phone_had_kept_judges_a_round_again():
    events = [OPENED, *closed(600, OPENED)]
    late = visited(ROOF, visit(600, 1), *events)
    assert late == [PatrolStopVisited(ROUND, 1, visit(600, 1), "on_time"), judged(0, 1, 0, 2, times=2)]
    assert 1 not in ROUNDS.fold([*events, *late]).missed
    better = visited(ROOF, visit(599.5, 2), *events, *late)
    assert [type(e) for e in better] == [], "farther off by half a second"
    nearer = visited(GATE, visit(-900, 3), *events, *late)
    assert nearer[-1] == judged(1, 1, 0, 1, times=3)
    assert visited(GATE, visit(-899, 4), *events, *late, *nearer) == [PatrolStopVisited(ROUND, 0, visit(-899, 4), "early")], (
        "nearer, and judged the same: that is not said again")


SCANS = st.lists(st.tuples(st.sampled_from((GATE, ROOF)), st.integers(-1200, 2400)), max_size=8)


@given(SCANS, st.permutations(range(12)), st.lists(st.integers(0, 40), max_size=4))
def test_the_end_is_the_same_in_whatever_order_it_is_told(scans, order, closings):
    """However often stops were closed in between."""
    commands = [VisitPoint(HERE, point, visit(seconds, n)) for n, (point, seconds) in enumerate(scans)]
    commands += [CloseStops(NOW + timedelta(minutes=m)) for m in closings]
    shuffled = [commands[n] for n in order if n < len(commands)]

    def walked(some) -> Walked:
        events = []
        for command in (OpenRound(HERE), *some, CloseStops(NOW + timedelta(days=1))):
            events += decided(command, *events)
        return ROUNDS.fold(events)

    one, other = walked(commands), walked(shuffled)
    assert (one.visits, one.missed, one.judged.stops) == (other.visits, other.missed, other.judged.stops)
    assert sum(one.judged.stops.values()) == 3 and one.visits.keys() | one.missed == {0, 1, 2}
