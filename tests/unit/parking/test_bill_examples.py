"""Bills to read: each limit from both sides, each reading once, changed clocks, and what is refused."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from services.parking.domain.bill_lines import Line
from services.parking.domain.billing import Bill, Permit, Stay, bill
from services.parking.domain.lot_time import LotTime
from services.parking.domain.published_tariffs import by_the_day, nine_seats_large, nine_seats_small, qinzhou_zone_1, residential_visitors
from services.parking.domain.tariffs import CalendarDay, Exempt, Free, Hours, Metered, Share, SinceEntry, Step, Tariff, VehicleClass

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
A, B, C, D = qinzhou_zone_1(), nine_seats_small(), residential_visitors(), nine_seats_large()
E = by_the_day({"motorcycle": 201, "small": 1000, "large": 1500, "extra_large": 2000}, 1800)
BEGINNING = datetime(2026, 2, 26, 16, tzinfo=UTC)


def local(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}").replace(tzinfo=ZoneInfo(SHANGHAI))


def stay(start: datetime, end: datetime) -> tuple[Stay]:
    return (Stay(start, end),)


def told(found: Bill) -> list[tuple[str, int, int, int]]:
    return [(line.code, line.units, line.unit_fen, line.amount_fen) for line in found.lines]


def owed(tariff: Tariff, vehicle_class: str, length: int, start: datetime = BEGINNING, **more: Any) -> int:
    return bill(tariff, stay(start, start + timedelta(seconds=length)), vehicle_class, SHANGHAI, **more).total_fen


# each limit, from both sides: seconds from 08:00 and what they cost


@pytest.mark.parametrize(("tariff", "vehicle_class", "limits"), [
    (A, "small", [(1800, 0), (1801, 250), (3600, 250), (3601, 550), (7200, 550), (7201, 1050), (10800, 1050), (10801, 1550)]),
    (A, "ev", [(1800, 0), (1801, 125), (3601, 275), (7201, 525)]),
    (A, "motorcycle", [(1800, 0), (1801, 100), (86400 * 3, 100)]),
    (A, "bicycle", [(86400 * 3, 0)]),
    (A, "disabled_motor_tricycle", [(7200, 0), (7201, 250), (10800, 250), (10801, 550)]),
    (B, "small_up_to_9_seats", [(2700, 0), (2701, 300), (7200, 300), (7201, 400), (10800, 400), (10801, 500), (86401, 1300)]),
    (B, "coach_over_9_seats", [(2700, 0), (2701, 2500), (43200, 2500), (43201, 2800), (46801, 3100), (86400, 4000), (86401, 6500)]),
    (C, "visitor", [(3600, 0), (3601, 200), (7200, 200), (7201, 400), (86400, 1000), (86401, 1200)]),
    (D, "small", [(5400, 0), (5401, 500), (7200, 500), (7201, 600), (10800, 600), (10801, 700), (86401, 2100), (90001, 2200)]),
    (D, "large_9_seats_or_more", [(5400, 0), (5401, 600), (7200, 600), (7201, 800), (86401, 3200)]),
    (D, "ev", [(10800, 0), (10801, 250), (14400, 250), (14401, 350), (86401, 1100)]),
    (D, "hearse", [(86400, 0)]),
    (E, "small", [(1800, 0), (1801, 1000), (86400, 1000), (88200, 1000), (88201, 2000)]),
    (E, "extra_large", [(1800, 0), (1801, 2000)]),
])
def test_a_limit_is_inclusive(tariff: Tariff, vehicle_class: str, limits: list[tuple[int, int]]) -> None:
    assert [(length, owed(tariff, vehicle_class, length, local(2, "08:00:00"))) for length, _ in limits] == limits


def test_large_vehicles_pay_prices_and_cap_for_each_space() -> None:
    start = local(2, "08:00:00")
    assert [owed(A, "large", 7201, start, spaces=n) for n in (1, 2, 3)] == [1050, 2100, 3150]
    assert [owed(A, "large", 50400, start, spaces=n) for n in (1, 2, 3)] == [3000, 6000, 9000]
    assert owed(A, "small", 7201, start, spaces=3) == 1050
    assert owed(A, "ev", 50400, start, spaces=2) == 3000


# bills to read


def test_the_bill_of_1170_yuan() -> None:
    found = bill(A, stay(local(1, "09:00:00"), local(1, "22:00:00") + timedelta(days=38)), "small", SHANGHAI)
    assert found.total_fen == 117_000
    assert told(found)[:5] == [
        ("free_period_exceeded", 0, 0, 0), ("step", 1, 250, 250), ("step", 1, 300, 300), ("step", 11, 500, 5500), ("cap", 1, -3050, -3050)]
    assert found.lines[4].facts == {"cap_fen": 3000, "before_fen": 0, "spaces": 1, "day": "2026-03-01"}
    assert told(found)[5:] == [
        ("step", 1, 250, 250), ("step", 1, 300, 300), ("step", 12, 500, 6000), ("cap", 1, -3550, -3550), ("as_before", 36, 3000, 108_000),
        ("step", 1, 250, 250), ("step", 1, 300, 300), ("step", 12, 500, 6000), ("cap", 1, -3550, -3550)]
    again = found.lines[9]
    assert (again.starts, again.ends) == (local(3, "00:00:00"), local(8, "00:00:00") + timedelta(days=31))
    assert again.facts == {"repeats": 4}
    assert found.lines[-1].facts["day"] == "2026-04-08"


def test_a_line_says_which_time_it_prices() -> None:
    found = bill(B, stay(local(2, "16:30:00"), local(3, "05:30:01")), "small_up_to_9_seats", SHANGHAI)
    assert found.lines == (
        Line(code="free_period_exceeded", stay=0, starts=local(2, "16:30:00"), ends=local(3, "05:30:01"), amount_fen=0,
             facts={"free_seconds": 2700, "counted_seconds": 46801, "deducted": 0}),
        Line(code="step", stay=0, starts=local(2, "16:30:00"), ends=local(2, "18:30:00"), units=1, unit_fen=300, amount_fen=300, facts={
            "step": 1, "seconds": 7200, "unit_seconds": 7200, "after_seconds": 0, "per_visit": 0, "spaces": 1, "period": 1}),
        Line(code="step", stay=0, starts=local(2, "18:30:00"), ends=local(3, "05:30:01"), units=2, unit_fen=100, amount_fen=200, facts={
            "step": 2, "seconds": 3601, "unit_seconds": 3600, "after_seconds": 7200, "per_visit": 0, "spaces": 1, "period": 1,
            "opens": "05:00:00", "closes": "19:00:00"}))
    assert (found.tariff, found.version, found.vehicle_class, found.total_fen) == ("B", 1, "small_up_to_9_seats", 500)
    assert found.lines[0].starts.tzinfo == ZoneInfo(SHANGHAI)


def test_the_first_hour_that_stays_free_is_a_line() -> None:
    found = bill(C, stay(local(2, "14:00:00"), local(2, "16:00:01")), "visitor", SHANGHAI)
    assert told(found) == [("free_period", 0, 0, 0), ("step", 2, 200, 400)]
    assert (found.lines[0].ends, found.lines[1].starts) == (local(2, "15:00:00"), local(2, "15:00:00"))
    assert found.lines[0].facts == {"free_seconds": 3600, "counted_seconds": 7201, "deducted": 1}


def test_two_stays_of_one_day_share_its_cap_and_each_begins_at_the_first_hour() -> None:
    morning, evening = Stay(local(2, "08:00:00"), local(2, "13:00:00")), Stay(local(2, "15:00:00"), local(2, "18:00:00"))
    found = bill(A, (morning, evening), "small", SHANGHAI)
    assert [found.of_stay(0), found.of_stay(1)] == [2050, 950]
    assert found.lines[-1].facts == {"cap_fen": 3000, "before_fen": 2050, "spaces": 1, "day": "2026-03-02"}
    night = Stay(local(2, "19:00:00"), local(2, "20:00:00"))
    third = bill(A, (night,), "small", SHANGHAI, earlier=found.lines)
    assert third.total_fen == 0 and third.lines[-1].facts["before_fen"] == 3000
    half = bill(A, (morning, evening), "ev", SHANGHAI)
    assert [half.of_stay(0), half.of_stay(1)] == [1025, 475]
    assert told(half)[-2:] == [("cap", 1, -100, -100), ("share", 1, -475, -475)]
    assert half.lines[-1].facts == {"numerator": 1, "denominator": 2, "of_fen": 950}


def test_24_hours_from_entry_are_the_stays_own() -> None:
    twice = (Stay(local(2, "08:00:00"), local(2, "13:00:00")), Stay(local(2, "13:00:00"), local(2, "22:00:00")))
    found = bill(C, twice, "visitor", SHANGHAI)
    assert [found.of_stay(0), found.of_stay(1)] == [800, 1000]


def test_half_of_an_odd_price_is_rounded_down() -> None:
    odd = replace(E, classes=tuple(replace(found, share=Share(1, 2)) for found in E.classes))
    assert owed(odd, "motorcycle", 3600) == 100
    assert owed(odd, "motorcycle", 86400 + 3600) == 200


def test_a_motor_cycle_that_comes_by_night_pays_its_visit_in_the_morning_and_once() -> None:
    found = bill(A, stay(local(2, "22:00:00"), local(4, "09:00:00")), "motorcycle", SHANGHAI)
    assert told(found) == [("free_period_exceeded", 0, 0, 0), ("step", 1, 100, 100)]
    assert found.lines[1].facts["day"] == "2026-03-03"


def test_the_tricycles_free_hours_run_on_over_night_and_the_rest_begins_at_hour_one() -> None:
    found = bill(A, stay(local(2, "21:00:00"), local(3, "10:00:01")), "disabled_motor_tricycle", SHANGHAI)
    assert found.lines[0].ends == local(3, "09:00:00")
    assert found.lines[0].facts == {
        "free_seconds": 7200, "counted_seconds": 10801, "deducted": 1, "opens": "08:00:00", "closes": "22:00:00"}
    assert told(found)[1:] == [("step", 1, 250, 250), ("step", 1, 300, 300)]


def test_free_time_ends_with_the_hours_and_may_pass_midnight() -> None:
    evening = bill(A, stay(local(2, "20:00:00"), local(3, "08:30:00")), "disabled_motor_tricycle", SHANGHAI)
    assert [line.ends for line in evening.lines] == [local(2, "22:00:00"), local(3, "08:30:00")]
    rule = Metered((Step(100, 3600, units=None),), CalendarDay(), free=Free(7200, deducted=True))
    own = Tariff("own", 1, "", (VehicleClass("small", rule),))
    assert told(bill(own, stay(local(2, "23:00:00"), local(3, "03:00:00")), "small", SHANGHAI)) == [
        ("free_period", 0, 0, 0), ("step", 2, 100, 200)]


def test_a_permit_that_runs_out_begins_a_stay_of_its_own() -> None:
    permit = Permit(local(1, "00:00:00"), local(3, "00:00:00"))
    over_night = stay(local(2, "20:00:00"), local(3, "01:00:01"))
    found = bill(C, over_night, "visitor", SHANGHAI, permits=(permit,))
    assert told(found) == [("permit", 0, 0, 0), ("free_period", 0, 0, 0), ("step", 1, 200, 200)]
    assert found.lines[0].ends == found.lines[1].starts == local(3, "00:00:00")
    renewed = Permit(permit.valid_until, local(9, "00:00:00"))
    assert told(bill(C, over_night, "visitor", SHANGHAI, permits=(renewed, permit))) == [("permit", 0, 0, 0)] * 2


def test_a_permit_that_begins_during_a_stay_ends_it() -> None:
    permit = Permit(local(2, "20:00:00"), local(2, "22:00:00"))
    found = bill(C, stay(local(2, "18:30:00"), local(2, "23:00:00")), "visitor", SHANGHAI, permits=(permit,))
    assert told(found) == [("free_period", 0, 0, 0), ("step", 1, 200, 200), ("permit", 0, 0, 0), ("free_period", 0, 0, 0)]


def test_parts_of_a_day_around_a_permit_share_the_days_cap() -> None:
    permit = Permit(local(2, "14:00:00"), local(2, "15:00:00"))
    assert bill(A, stay(local(2, "08:00:00"), local(2, "22:00:00")), "small", SHANGHAI, permits=(permit,)).total_fen == 3000


def test_a_corrected_class_prices_the_whole_stay_and_is_said() -> None:
    found = bill(D, stay(local(2, "10:00:00"), local(2, "14:00:01")), "ev", SHANGHAI, read_at_entry="small")
    assert told(found) == [("class_corrected", 0, 0, 0), ("free_period_exceeded", 0, 0, 0), ("step", 1, 250, 250), ("step", 1, 100, 100)]
    assert found.lines[0].facts == {"read_at_entry": "small", "vehicle_class": "ev"}
    as_read = bill(D, stay(local(2, "10:00:00"), local(2, "14:00:01")), "ev", SHANGHAI, read_at_entry="ev")
    assert as_read.lines == found.lines[1:]


def test_a_day_pass_covers_what_comes_back_and_the_next_begins_where_it_ends() -> None:
    stays = (
        Stay(local(2, "20:00:00"), local(2, "23:00:00")), Stay(local(3, "19:00:00"), local(3, "20:30:00")),
        Stay(local(3, "20:30:00"), local(3, "21:00:01")), Stay(local(4, "20:00:00"), local(4, "22:00:00")))
    found = bill(E, stays, "small", SHANGHAI)
    assert [(line.code, line.stay, line.starts, line.ends) for line in found.lines] == [
        ("day_pass", 0, local(2, "20:00:00"), local(3, "20:00:00")),
        ("covered_by_pass", 1, local(3, "19:00:00"), local(3, "20:00:00")),
        ("free_period", 1, local(3, "20:00:00"), local(3, "20:30:00")),
        ("day_pass", 2, local(3, "20:30:00"), local(4, "20:30:00")),
        ("covered_by_pass", 3, local(4, "20:00:00"), local(4, "20:30:00")),
        ("day_pass", 3, local(4, "20:30:00"), local(5, "20:30:00"))]


def test_seconds_that_were_only_begun_are_not_counted() -> None:
    late, early = timedelta(microseconds=1), timedelta(microseconds=999_999)
    assert bill(C, stay(local(2, "14:00:00") + late, local(2, "15:00:01") + early), "visitor", SHANGHAI).total_fen == 0
    assert bill(C, stay(local(2, "14:00:00"), local(2, "15:00:01") + early), "visitor", SHANGHAI).total_fen == 200
    assert bill(C, stay(local(2, "14:00:00") + late, local(2, "14:00:00") + early), "visitor", SHANGHAI).total_fen == 0


# clocks that are changed: 2026-03-08 02:00 -> 03:00 and 2026-11-01 02:00 -> 01:00 in New York


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_where_clocks_are_changed_elapsed_time_counts_and_days_and_hours_are_wall_clock(day: date, length: int) -> None:
    zone = ZoneInfo(NEW_YORK)
    midnight, next_midnight = (datetime.combine(some, time(), zone) for some in (day, day + timedelta(days=1)))
    visitor = bill(C, stay(midnight, midnight.replace(hour=5)), "visitor", NEW_YORK)
    assert visitor.total_fen == 200 * (length - 24 + 5 - 1)
    whole_day = bill(C, stay(midnight, next_midnight), "visitor", NEW_YORK)
    assert sum(int(line.facts.get("seconds", 0)) for line in whole_day.lines) == (length - 1) * 3600
    by_clock = bill(A, stay(midnight, next_midnight + timedelta(hours=9)), "small", NEW_YORK)
    assert [line.facts["day"] for line in by_clock.lines if line.code == "cap"] == [day.isoformat()]
    assert by_clock.total_fen == 3250


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    first = datetime(2026, 11, 1, 1, 50, tzinfo=ZoneInfo(NEW_YORK))
    second = first.replace(minute=10, fold=1)
    found = bill(C, (Stay(first, second), Stay(second, second.replace(hour=2))), "visitor", NEW_YORK)
    assert [line.facts["counted_seconds"] for line in found.lines] == [20 * 60, 3600]


@given(st.integers(0, 400 * 86400))
def test_midnight_after_is_the_beginning_of_the_next_day(after: int) -> None:
    for zone in (SHANGHAI, NEW_YORK, "Pacific/Apia"):
        lot = LotTime(ZoneInfo(zone))
        moment = 1_767_225_600 + after
        midnight = lot.midnight_after(moment)
        assert moment < midnight and lot.clock(midnight).date() == lot.clock(midnight - 1).date() + timedelta(days=1)


# what is refused


def test_what_cannot_be_billed_is_refused() -> None:
    one, two = Stay(local(2, "08:00:00"), local(2, "10:00:00")), Stay(local(2, "09:59:59"), local(2, "11:00:00"))
    naive = datetime(2026, 3, 2, 9)  # noqa: DTZ001
    for stays, name, more, code in [
        ((one,), "tram", {}, "class_not_in_tariff"),
        ((one,), "small", {"spaces": 0}, "spaces_not_positive"),
        ((Stay(naive, one.exit),), "small", {}, "time_without_zone"),
        ((Stay(one.entry, naive),), "small", {}, "time_without_zone"),
        ((one,), "small", {"permits": (Permit(one.entry, naive),)}, "time_without_zone"),
        ((Stay(one.exit, one.entry),), "small", {}, "exit_before_entry"),
        ((one, two), "small", {}, "stays_overlap"),
        ((Stay(local(3, "08:00:00"), local(3, "09:00:00")), one), "small", {}, "stays_overlap"),
    ]:
        with pytest.raises(Refused, match=code):
            bill(A, stays, name, SHANGHAI, **more)  # type: ignore[arg-type]


def test_stays_may_touch_and_may_be_none() -> None:
    touching = (Stay(local(2, "08:00:00"), local(2, "08:30:00")), Stay(local(2, "08:30:00"), local(2, "09:00:00")))
    assert bill(A, touching, "small", SHANGHAI).total_fen == 0
    assert bill(A, (), "small", SHANGHAI).lines == ()


def test_an_exempt_class_is_named_in_its_line() -> None:
    assert isinstance(A.named("bicycle").rule, Exempt)
    assert bill(A, stay(local(2, "08:00:00"), local(2, "18:00:00")), "bicycle", SHANGHAI).lines[0].facts == {"vehicle_class": "bicycle"}


def test_hours_may_run_past_midnight_and_a_period_may_be_short() -> None:
    night = Hours(time(20), time(6))
    own = Tariff("own", 1, "", (VehicleClass("small", Metered((Step(100, 3600, units=None, hours=night),), SinceEntry(12 * 3600))),))
    assert bill(own, stay(local(2, "19:00:00"), local(3, "07:00:00")), "small", SHANGHAI).total_fen == 1000
    assert bill(own, stay(local(2, "01:00:00"), local(2, "07:00:00")), "small", SHANGHAI).total_fen == 500
    twice = Tariff("own", 1, "", (VehicleClass("small", Metered((Step(100, 3600, units=2), Step(500, None)), SinceEntry())),))
    assert [owed(twice, "small", seconds) for seconds in (3601, 7200, 7201)] == [200, 200, 700]
    short = Tariff("own", 1, "", (VehicleClass("small", Metered((Step(100, 3600, units=None),), SinceEntry(5400), 150)),))
    assert owed(short, "small", 5401) == 250
