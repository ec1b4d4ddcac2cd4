"""What holds for every bill, of every class of every tariff."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.parking.domain import billing
from services.parking.domain.bill_lines import Line, carried
from services.parking.domain.billing import Bill, Permit, Stay, bill
from services.parking.domain.published_tariffs import by_the_day, nine_seats_large, nine_seats_small, qinzhou_zone_1, residential_visitors
from services.parking.domain.tariffs import (
    CalendarDay,
    DayPass,
    Free,
    Hours,
    Metered,
    Share,
    SinceEntry,
    Step,
    Tariff,
    VehicleClass,
)

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
A, B, C, D = qinzhou_zone_1(), nine_seats_small(), residential_visitors(), nine_seats_large()
E = by_the_day({"motorcycle": 201, "small": 1000, "large": 1500, "extra_large": 2000}, 1800)
# A tariff of our own that takes every freedom: hours past midnight, a deduction, an odd share, a short period.
ODD = Tariff("odd", 1, "", (
    VehicleClass("night", Metered(
        (Step(7, 1000, units=3, hours=Hours(time(20), time(6)), per_visit=True),
         Step(3, 60, units=10), Step(11, None)), CalendarDay(), 101, Free(777, deducted=True)), share=Share(2, 3), per_space=True),
    VehicleClass("short", Metered((Step(5, 90, units=None),), SinceEntry(5_000), 97, Free(100)), share=Share(1, 3)),
    VehicleClass("pass", DayPass(333, 0, seconds=7_000), share=Share(1, 2), per_space=True)))
CLASSES = [(tariff, found.name) for tariff in (A, B, C, D, E, ODD) for found in tariff.classes]
BEGINNING = datetime(2026, 2, 26, 16, tzinfo=UTC)

classes = st.sampled_from(CLASSES)
spaces = st.integers(1, 3)
seconds = st.one_of(
    st.integers(0, 3 * 3600), st.integers(0, 30 * 86400),
    st.builds(lambda unit, n, off: max(0, unit * n + off), st.sampled_from([900, 3600, 86400]), st.integers(0, 30), st.integers(-1, 1)))


@st.composite
def some_stays(draw: st.DrawFn, longest: int = 5) -> tuple[Stay, ...]:
    """Of one car, one after the other."""
    moment, stays = BEGINNING + timedelta(seconds=draw(st.integers(0, 2 * 86400))), []
    pauses = st.one_of(st.integers(0, 6 * 3600), seconds)
    for length, pause in draw(st.lists(st.tuples(seconds, pauses), min_size=1, max_size=longest)):
        stays.append(Stay(moment, moment + timedelta(seconds=length), on_duty=draw(st.integers(0, 9)) == 0))
        moment += timedelta(seconds=length + pause)
    return tuple(stays)


some_permits = st.lists(st.builds(
    lambda start, length: Permit(BEGINNING + timedelta(seconds=start), BEGINNING + timedelta(seconds=start + length)),
    st.integers(0, 5 * 86400), seconds), max_size=3).map(tuple)


def local(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}").replace(tzinfo=ZoneInfo(SHANGHAI))


def written_out(found: Bill) -> list[Line]:
    """With every day in full that costs what the day before cost."""
    lines: list[Line] = []
    for line in found.lines:
        if line.code != "as_before":
            lines.append(line)
            continue
        repeated, each = lines[-int(line.facts["repeats"]):], (line.ends - line.starts) / line.units
        assert line.unit_fen == sum(one.amount_fen for one in repeated)
        lines += [later(one, n, each) for n in range(1, line.units + 1) for one in repeated]
    return lines


def later(line: Line, times: int, each: timedelta) -> Line:
    facts = dict(line.facts)
    if "day" in facts:
        facts["day"] = (date.fromisoformat(str(facts["day"])) + timedelta(days=times)).isoformat()
    if "period" in facts:
        facts["period"] = int(facts["period"]) + times
    return replace(line, starts=line.starts + times * each, ends=line.ends + times * each, facts=facts)


# what holds for every bill


@given(classes, some_stays(), some_permits, spaces)
def test_a_bill_is_the_sum_of_its_lines_in_whole_fen_and_never_negative(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...], spaces: int,
) -> None:
    found = bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces)
    assert found.total_fen == sum(line.amount_fen for line in found.lines) == sum(map(found.of_stay, range(len(stays))))
    assert all(found.of_stay(number) >= 0 for number in range(len(stays)))
    for line in found.lines:
        assert line.amount_fen == line.units * line.unit_fen
        assert [type(value) for value in (line.units, line.unit_fen, line.amount_fen)] == [int, int, int]
        within = stays[line.stay]
        assert within.entry <= line.starts <= line.ends
        assert line.ends <= within.exit or isinstance(of[0].named(of[1]).rule, DayPass)
    assert all(any(line.stay == number for line in found.lines) for number in range(len(stays)))


@given(classes, some_stays(), some_permits, seconds, spaces)
def test_a_longer_stay_never_costs_less(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...], more: int, spaces: int,
) -> None:
    longer = (*stays[:-1], replace(stays[-1], exit=stays[-1].exit + timedelta(seconds=more)))
    shorter, longer_bill = (bill(of[0], some, of[1], SHANGHAI, permits=permits, spaces=spaces) for some in (stays, longer))
    assert shorter.total_fen <= longer_bill.total_fen


@given(classes, some_stays(), some_permits)
def test_a_permit_never_makes_what_it_covers_cost_anything(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...],
) -> None:
    found = bill(of[0], stays, of[1], SHANGHAI, permits=permits)
    for line in found.lines:
        if line.amount_fen > 0 and line.code != "day_pass":
            assert not any(permit.valid_from < line.ends and line.starts < permit.valid_until for permit in permits
                           if permit.valid_from < permit.valid_until)
    always = Permit(BEGINNING, stays[-1].exit + timedelta(seconds=1))
    assert bill(of[0], stays, of[1], SHANGHAI, permits=(always, *permits)).total_fen == 0


def said(lines: list[Line]) -> list[Any]:
    return [(line.code, line.stay, line.units, line.unit_fen, line.facts) for line in lines]


@given(classes, some_stays(), some_permits, spaces)
def test_a_day_that_is_only_counted_costs_what_it_would_cost_written_out(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...], spaces: int,
) -> None:
    found = bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(billing, "written", chain.from_iterable)
        in_full = bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces)
    assert said(written_out(found)) == said(list(in_full.lines)) and found.total_fen == in_full.total_fen
    out = stays[-1].exit
    assert carried(found.lines, out, SHANGHAI) == carried(in_full.lines, out, SHANGHAI)


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
@pytest.mark.parametrize(("tariff", "vehicle_class"), [(t, c) for t, c in CLASSES if t is not ODD], ids=lambda of: getattr(of, "name", of))
def test_the_bill_of_ten_years_is_a_page(tariff: Tariff, vehicle_class: str, zone: str) -> None:
    stay = Stay(BEGINNING + timedelta(hours=9), BEGINNING + timedelta(days=3653))
    found = bill(tariff, (stay,), vehicle_class, zone)
    assert len(found.lines) < 200
    assert (found.lines[0].starts, found.lines[-1].ends >= stay.exit) == (stay.entry, True) or vehicle_class == "motorcycle"


TWICE = (Stay(local(2, "08:00:00"), local(2, "14:00:00")), Stay(local(2, "15:00:00"), local(2, "18:00:00")))


@given(classes, some_stays(), some_permits, st.integers(0, 5), spaces)
@example((A, "ev"), TWICE, (), 1, 1)
@example((E, "small"), TWICE, (), 1, 1)
def test_what_was_billed_stays_and_the_next_bill_follows_from_it(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...], at: int, spaces: int,
) -> None:
    whole = bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces)
    first = bill(of[0], stays[:at], of[1], SHANGHAI, permits=permits, spaces=spaces)
    rest = bill(of[0], stays[at:], of[1], SHANGHAI, permits=permits, spaces=spaces, earlier=first.lines)
    assert whole.lines == (*first.lines, *(replace(line, stay=line.stay + at) for line in rest.lines))


@given(classes, some_stays(), some_permits, spaces)
def test_years_later_the_bill_is_the_same_from_what_was_stored(
    of: tuple[Tariff, str], stays: tuple[Stay, ...], permits: tuple[Permit, ...], spaces: int,
) -> None:
    found = bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces)
    tariff = msgspec.json.decode(msgspec.json.encode(of[0]), type=Tariff)
    same_stays = msgspec.json.decode(msgspec.json.encode(stays), type=tuple[Stay, ...])
    same_permits = msgspec.json.decode(msgspec.json.encode(permits), type=tuple[Permit, ...])
    assert bill(of[0], stays, of[1], SHANGHAI, permits=permits, spaces=spaces) == found
    assert bill(tariff, same_stays, of[1], SHANGHAI, permits=same_permits, spaces=spaces) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=Bill) == found


@given(classes, some_stays(), st.sampled_from([SHANGHAI, NEW_YORK, "Europe/Berlin", "Pacific/Apia"]))
def test_it_does_not_matter_in_whose_clock_a_time_is_written(of: tuple[Tariff, str], stays: tuple[Stay, ...], written: str) -> None:
    elsewhere = tuple(
        replace(stay, entry=stay.entry.astimezone(ZoneInfo(written)), exit=stay.exit.astimezone(ZoneInfo(written))) for stay in stays)
    for lot in (SHANGHAI, NEW_YORK):
        assert bill(of[0], elsewhere, of[1], lot) == bill(of[0], stays, of[1], lot)


@given(classes, some_stays())
def test_whoever_is_on_duty_pays_nothing_and_opens_nothing(of: tuple[Tariff, str], stays: tuple[Stay, ...]) -> None:
    found = bill(of[0], tuple(replace(stay, on_duty=True) for stay in stays), of[1], SHANGHAI)
    assert [line.code for line in found.lines] == ["on_duty"] * len(stays) and found.total_fen == 0


# caps


def by_day(found: Bill) -> dict[Any, int]:
    paid: dict[Any, int] = {}
    for line in written_out(found):
        if line.amount_fen:
            paid[line.starts.date()] = paid.get(line.starts.date(), 0) + line.amount_fen
    return paid


@given(some_stays(), some_permits, st.sampled_from([("small", 3000), ("ev", 1500), ("large", 3000)]), spaces)
def test_no_calendar_day_of_a_costs_more_than_its_cap(
    stays: tuple[Stay, ...], permits: tuple[Permit, ...], of: tuple[str, int], spaces: int,
) -> None:
    found = bill(A, stays, of[0], SHANGHAI, permits=permits, spaces=spaces)
    assert all(fen <= of[1] * (1 if of[0] == "small" else spaces) for fen in by_day(found).values())


@given(seconds, st.integers(0, 86400), st.sampled_from([
    (B, "small_up_to_9_seats", 1000), (B, "coach_over_9_seats", 4000), (C, "visitor", 1000),
    (D, "small", 2000), (D, "large_9_seats_or_more", 3000), (D, "ev", 1000)]))
def test_no_24_hours_from_entry_cost_more_than_their_cap(length: int, after: int, of: tuple[Tariff, str, int]) -> None:
    start = BEGINNING + timedelta(seconds=after)
    found = bill(of[0], (Stay(start, start + timedelta(seconds=length)),), of[1], SHANGHAI)
    paid: dict[int, int] = {}
    for line in written_out(found):
        if line.amount_fen:
            number = (line.starts - start) // timedelta(days=1)
            paid[number] = paid.get(number, 0) + line.amount_fen
            assert line.facts["period"] == number + 1
    assert all(fen <= of[2] for fen in paid.values())


@pytest.mark.parametrize(("tariff", "vehicle_class", "cap"), [
    (A, "small", 3000), (A, "ev", 1500), (B, "small_up_to_9_seats", 1000), (B, "coach_over_9_seats", 4000), (C, "visitor", 1000),
    (D, "small", 2000), (D, "large_9_seats_or_more", 3000), (D, "ev", 1000), (E, "small", 1000)])
def test_a_whole_day_costs_the_cap(tariff: Tariff, vehicle_class: str, cap: int) -> None:
    day = (Stay(BEGINNING, BEGINNING + timedelta(days=1)),)
    assert bill(tariff, day, vehicle_class, SHANGHAI).total_fen == cap


@given(some_stays(), some_permits, st.sampled_from(["small", "large", "motorcycle"]))
def test_passes_never_overlap_and_no_calendar_day_sees_two(stays: tuple[Stay, ...], permits: tuple[Permit, ...], name: str) -> None:
    found = bill(E, stays, name, SHANGHAI, permits=permits)
    passes = [line for line in written_out(found) if line.code == "day_pass"]
    assert all(before.ends <= after.starts for before, after in pairwise(passes))
    assert all(line.ends - line.starts == timedelta(days=1) for line in passes)
    days = [line.starts.date() for line in passes]
    assert len(days) == len(set(days))
    assert all(line.code in ("on_duty", "permit", "covered_by_pass", "free_period", "day_pass") for line in written_out(found))


@given(some_stays(1), classes)
@example((Stay(local(2, "21:00:00"), local(3, "10:00:01")),), (A, "disabled_motor_tricycle"))
def test_the_time_that_is_charged_is_never_longer_than_the_stay(stays: tuple[Stay, ...], of: tuple[Tariff, str]) -> None:
    found = bill(of[0], stays, of[1], SHANGHAI)
    steps = [line for line in written_out(found) if line.code == "step"]
    assert all(before.ends <= after.starts for before, after in pairwise(steps))
    assert sum(int(line.facts["seconds"]) for line in steps) <= (stays[0].exit - stays[0].entry) // timedelta(seconds=1)
