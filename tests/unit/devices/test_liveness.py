from datetime import UTC, datetime, timedelta

import pytest

from services.devices.domain.liveness import LATE, SETTLED, Clock, Liveness, is_live, learn

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
        (MONTHS, 0, False), (MONTHS, MONTHS - 600, True), (MONTHS, MONTHS - 3600, False), (MONTHS, -3600, False),
        (MONTHS, -600, False), (600, 0, True), (600, -600, True), (601, 0, False), (601, 1, True), (601, 1202, True),
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


def heard(reports: list[tuple[float, datetime]], clock: Clock) -> tuple[list[bool], Clock]:
    """Whether each was live, told by a clock so far ahead of ours (seconds) at that moment; and what is known of the clock in the end."""
    live = []
    for skew, at in reports:
        found = is_live(False, at + timedelta(seconds=skew), clock, at)
        live.append(found.live)
        clock = learn(clock, found.live, False, at + timedelta(seconds=skew), at)
    return live, clock


@pytest.mark.parametrize("ahead", [601, 3600, 10800, 86400, MONTHS])
def test_a_clock_ahead_that_is_put_right_is_believed_within_five_minutes(ahead: float) -> None:
    minutes = [NOW + timedelta(minutes=n) for n in range(8)]
    assert heard([(0, at) for at in minutes], Clock(skew=ahead)) == ([False] * 5 + [True] * 3, Clock(skew=0, ahead=ahead))
    later = is_live(False, minutes[5], learn(Clock(skew=ahead), False, False, NOW, NOW), minutes[5])
    assert later == Liveness(live=True, skew=0, findings=("clock_moved",))


@pytest.mark.parametrize("ahead", [1800, 3600, 10800, 10 * 365 * 86400.0])
@pytest.mark.parametrize("put_right", [False, True])
def test_what_a_clock_ahead_has_kept_is_never_live(ahead: float, put_right: bool) -> None:
    kept = [(ahead - 60 * age, NOW + timedelta(seconds=1)) for age in range(24 * 60, 10, -7)]
    first = [(0.0, NOW)] if put_right else []
    live, clock = heard(first + kept, Clock(skew=ahead))
    assert not any(live)
    now, soon = NOW + timedelta(seconds=2), NOW + timedelta(seconds=302)
    assert heard([(0, now), (0, soon)] if put_right else [(ahead, now), (ahead, soon)], clock)[0] == [not put_right, True]


def test_what_was_kept_while_a_clock_was_ahead_is_not_live_either_when_it_has_been_put_right_for_long() -> None:
    _, right = heard([(0, NOW), (10800, NOW), (0, NOW), (0, NOW + SETTLED)], Clock())
    assert right == Clock(skew=0, ahead=10800)
    kept = [(10800 - 60.0 * age, NOW + timedelta(days=1)) for age in range(24 * 60, 0, -7) if abs(10800 - 60 * age) > LATE]
    assert not any(heard(kept, right)[0])
    assert heard([(10801, NOW)], right)[0] == [True], "further ahead than ever is no replay"


def test_a_clock_that_goes_ahead_again_is_believed_within_five_minutes() -> None:
    again = [(7200.0, NOW), (7200.0, NOW + timedelta(minutes=4)), (7200.0, NOW + SETTLED)]
    assert heard(again, Clock(skew=0, ahead=10800))[0] == [False, False, True]


def test_a_clock_that_is_ahead_and_drifts_stays_live() -> None:
    drifting = [(3600 + 60.0 * n, NOW + timedelta(hours=n)) for n in range(48)]
    back = [(skew, NOW + timedelta(days=3) - (at - NOW)) for skew, at in reversed(drifting)]
    assert all(heard(drifting + back, Clock())[0])


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
