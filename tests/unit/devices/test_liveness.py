from datetime import UTC, datetime, timedelta

import pytest

from services.devices.domain.liveness import Clock, Liveness, is_live, learn

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MONTHS = 90 * 86400.0


def told(skew: float) -> datetime:
    return NOW + timedelta(seconds=skew)


def judged(skew: float, clock: Clock, now: datetime = NOW) -> tuple[bool, tuple[str, ...]]:
    found = is_live(False, told(skew), clock, now)
    return found.live, found.findings


def test_the_mark_of_history_is_believed_whatever_the_clock_says() -> None:
    assert is_live(True, NOW, Clock(skew=0), NOW) == Liveness(live=False)


@pytest.mark.parametrize("moment", [None, NOW.replace(tzinfo=None)])
def test_without_a_readable_clock_the_device_is_believed(moment: datetime | None) -> None:
    assert is_live(False, moment, Clock(skew=0), NOW) == Liveness(live=True)


@pytest.mark.parametrize(("skew", "findings"), [(0, ()), (-60, ()), (61, ("clock_skew",)), (-MONTHS, ("clock_skew",))])
def test_a_device_never_heard_of_is_believed_and_its_skew_found(skew: float, findings: tuple[str, ...]) -> None:
    assert judged(skew, Clock()) == (True, findings)


@pytest.mark.parametrize(
    ("known", "skew", "live"),
    [
        (0, -600, True), (0, -601, False), (0, -3600, False),
        (0, 3600, True), (0, MONTHS, True),
        (-MONTHS, -MONTHS - 600, True), (-MONTHS, -MONTHS - 601, False),
        (-MONTHS, 0, True), (-MONTHS, -3600, False),
        (MONTHS, 0, True), (MONTHS, MONTHS - 3600, False), (MONTHS, -3600, False),
        (MONTHS, -600, True), (MONTHS, -601, False),
    ],
)
def test_what_is_older_than_the_clock_allows_is_a_replay(known: float, skew: float, live: bool) -> None:
    assert judged(skew, Clock(skew=known))[0] is live


def test_a_clock_put_back_is_believed_when_it_has_kept_its_time_for_five_minutes() -> None:
    doubted = learn(Clock(skew=0), False, False, told(-7200), NOW)
    again = learn(doubted, False, False, told(-7190), NOW + timedelta(seconds=10))
    assert again == doubted == Clock(skew=0, doubted=-7200, since=NOW)
    soon, later = NOW + timedelta(seconds=299), NOW + timedelta(seconds=300)
    assert not is_live(False, soon - timedelta(hours=2), doubted, soon).live
    assert is_live(False, later - timedelta(hours=2), doubted, later).findings == ("clock_skew", "clock_moved")


def test_kept_events_sent_at_last_never_look_like_a_clock() -> None:
    clock = Clock(skew=0)
    for minute in range(30):
        now = NOW + timedelta(seconds=20 * minute)
        event = NOW - timedelta(hours=3) + timedelta(minutes=5 * minute)
        found = is_live(False, event, clock, now)
        clock = learn(clock, found.live, False, event, now)
        assert not found.live


def test_history_teaches_nothing_about_a_clock() -> None:
    assert learn(Clock(skew=1), False, True, told(-MONTHS), NOW) == Clock(skew=1)
