"""How long a home is usually silent."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alarm.domain.rhythm import ENOUGH, Absence, by_day, learnt, silences, usual

SHANGHAI, MONDAY = "Asia/Shanghai", datetime(2026, 3, 2, 0, tzinfo=UTC)
LEAST, MOST = timedelta(hours=12), timedelta(hours=48)


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def test_a_silence_is_of_the_day_on_which_it_ended_by_the_communitys_clock():
    found = silences(at(0), [at(14.5), at(15.5), at(16.5), at(40)], (), SHANGHAI)
    assert found == {date(2026, 3, 2): 870, date(2026, 3, 3): 60, date(2026, 3, 4): 1410}, "16:30 UTC is the next day in Shanghai"
    assert silences(None, [at(5)], (), SHANGHAI) == {}, "before the first sign nothing is known"


def test_a_silence_while_nobody_was_at_home_is_none():
    away = Absence(at(2), at(30))
    assert silences(at(1), [at(40), at(41)], (away,), "UTC") == {date(2026, 3, 3): 60}
    assert silences(at(30), [at(40)], (away,), "UTC") == {date(2026, 3, 3): 600}, "they were back when it began"


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=40), st.randoms())
def test_signs_count_the_same_in_whatever_order_they_are_told(minutes: list[int], random):  # type: ignore[no-untyped-def]
    signs = [MONDAY + timedelta(minutes=m) for m in minutes]
    shuffled = signs[:]
    random.shuffle(shuffled)
    assert silences(MONDAY, shuffled, (), "UTC") == silences(MONDAY, signs, (), "UTC")


def test_what_nine_days_of_ten_do_not_exceed_is_usual_and_a_quarter_more():
    days = {date(2026, 3, n): 60 * 16 for n in range(1, 10)} | {date(2026, 3, 10): 60 * 40}
    assert usual(days, LEAST, MOST) == timedelta(hours=20), "one day of ten is none"
    assert usual(days | {date(2026, 3, 9): 60 * 40}, LEAST, MOST) == MOST, "bounded by what was arranged"
    assert usual(dict.fromkeys(days, 30), LEAST, MOST) == LEAST


def test_until_enough_is_known_the_longest_counts():
    days = {date(2026, 3, n): 60 for n in range(1, ENOUGH)}
    assert usual(days, LEAST, MOST) == MOST
    assert usual(days | {date(2026, 3, 20): 60}, LEAST, MOST) == LEAST


def test_four_weeks_are_remembered_and_of_a_day_its_longest():
    known = {date(2026, 3, 1): 100, date(2026, 3, 2): 100}
    assert learnt(known, {date(2026, 3, 29): 50}) == {date(2026, 3, 2): 100, date(2026, 3, 29): 50}
    assert learnt(known, {date(2026, 3, 2): 50}) == known and learnt(known, {date(2026, 3, 2): 150})[date(2026, 3, 2)] == 150
    assert learnt({}, {}) == {}


@pytest.mark.parametrize(("hour", "then"), [(6.99, 7), (7, 7), (21.99, 21.99), (22, 31), (23.5, 31), (24.5, 31)])
def test_nobody_is_asked_at_night(hour: float, then: float):
    here = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(hours=8)
    assert by_day(here + timedelta(hours=hour), SHANGHAI) == here + timedelta(hours=then)
