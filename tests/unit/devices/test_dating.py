"""How far a device's clock is believed: as far as it was right, and not further back than anybody keeps."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.devices.domain.dating import Dated, dated
from services.devices.domain.told import Told

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
IMPLAUSIBLE = ("clock_implausible",)


def when(
        at: datetime | None, live: bool = False, history: bool = True, known: float | None = None, placed: datetime | None = None) -> Dated:
    told = Told(report_id=UUID(int=1), kind="plate_read", code="x", history=history, device_time=at, community_time=placed)
    return dated(told, live, known, NOW)


@pytest.mark.parametrize(("at", "told"), [
    (NOW - MINUTE, NOW - MINUTE), (NOW + MINUTE, NOW), (NOW - MINUTE - SECOND, None), (NOW + MINUTE + SECOND, None),
    (NOW - 2000 * DAY, None), (NAIVE, None), (None, None)])
def test_what_is_live_is_of_our_receipt_where_its_clock_says_otherwise(at: datetime | None, told: datetime | None) -> None:
    assert when(at, live=True, history=False, placed=NOW) == Dated(told)


@pytest.mark.parametrize(("at", "told"), [
    (NOW - HOUR, NOW - HOUR), (NOW - 31 * DAY, NOW - 31 * DAY), (NOW + MINUTE, NOW), (NOW - 31 * DAY - SECOND, None),
    (NOW + MINUTE + SECOND, None), (datetime(1970, 1, 1, tzinfo=UTC), None)])
def test_what_was_kept_is_of_its_device_s_time_within_31_days(at: datetime, told: datetime | None) -> None:
    assert when(at) == when(NAIVE, placed=at) == Dated(told, () if told else IMPLAUSIBLE)


def test_what_was_kept_without_a_time_is_of_our_receipt() -> None:
    assert when(None) == when(NAIVE) == Dated()


@pytest.mark.parametrize("off", [HOUR, 8 * HOUR, 38 * DAY + 13 * HOUR, -8 * HOUR])
def test_what_was_kept_by_a_clock_that_is_known_to_be_wrong_is_put_right(off: timedelta) -> None:
    came, known = NOW - 20 * MINUTE, -off.total_seconds()
    assert when(came - off, known=known) == when(NAIVE, placed=came - off, known=known) == Dated(came, ("clock_skew",))


def test_a_clock_that_goes_right_within_a_minute_is_left_as_it_is() -> None:
    assert when(NOW - HOUR, known=-60.0) == Dated(NOW - HOUR)


def test_a_clock_that_was_set_right_since_is_not_put_right_twice() -> None:
    assert when(NOW - HOUR, known=-7200.0) == Dated(NOW - HOUR)
    assert when(NOW - 2 * HOUR + SECOND, known=-7200.0) == Dated(NOW, ("clock_skew",))


def test_what_is_implausible_though_put_right_is_of_our_receipt() -> None:
    assert when(NOW - 40 * DAY, known=-7200.0) == Dated(None, ("clock_skew", *IMPLAUSIBLE))


def test_what_is_old_without_the_mark_of_history_is_of_our_receipt() -> None:
    for at in (NOW - HOUR, NOW - 270 * DAY):
        assert when(at, history=False) == when(at, history=False, known=-3600.0) == Dated()
