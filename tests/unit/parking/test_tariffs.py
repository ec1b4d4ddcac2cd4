"""Every vector of the five published tariffs, and what a tariff is as data."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from libs.eventkit.problems import Problem
from services.parking.api.lots import tariff_of
from services.parking.domain.published_tariffs import by_the_day, nine_seats_large, nine_seats_small, qinzhou_zone_1, residential_visitors
from services.parking.domain.tariffs import (
    HIGHEST,
    LONGEST,
    SHORTEST,
    Adoption,
    CalendarDay,
    DayPass,
    Exempt,
    Free,
    Hours,
    Metered,
    Rule,
    Share,
    SinceEntry,
    Step,
    Tariff,
    Vehicle,
    VehicleClass,
    check,
    in_force,
)
from tests.unit.parking.vector_bills import run

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "tariffs.json").read_text(encoding="utf-8"))
BY_THE_DAY = by_the_day({"motorcycle": 200, "small": 1000, "large": 1500, "extra_large": 2000}, 1800)
PUBLISHED = [qinzhou_zone_1(), nine_seats_small(), residential_visitors(), nine_seats_large(), BY_THE_DAY]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in DOCUMENT["vectors"]])
def test_a_vector(vector: dict[str, Any]) -> None:
    assert run(vector, DOCUMENT) == [vector["expected_fen"], *(stay["expected_fen"] for stay in vector.get("stays", ()))]


# who belongs where


@pytest.mark.parametrize(("tariff", "vehicle", "vehicle_class"), [
    (qinzhou_zone_1(), Vehicle(), "small"),
    (qinzhou_zone_1(), Vehicle(spaces=2), "large"),
    (qinzhou_zone_1(), Vehicle(spaces=2, new_energy=True), "ev"),
    (qinzhou_zone_1(), Vehicle("motorcycle", new_energy=True), "motorcycle"),
    (qinzhou_zone_1(), Vehicle("bicycle"), "bicycle"),
    (qinzhou_zone_1(), Vehicle("disabled_motor_tricycle"), "disabled_motor_tricycle"),
    (nine_seats_small(), Vehicle(seats=9), "small_up_to_9_seats"),
    (nine_seats_small(), Vehicle(seats=10), "coach_over_9_seats"),
    (nine_seats_small(), Vehicle(seats=5, new_energy=True), "small_up_to_9_seats"),
    (residential_visitors(), Vehicle(seats=40, new_energy=True), "visitor"),
    (nine_seats_large(), Vehicle(), "small"),
    (nine_seats_large(), Vehicle(seats=8), "small"),
    (nine_seats_large(), Vehicle(seats=9), "large_9_seats_or_more"),
    (nine_seats_large(), Vehicle(load_kg=2499), "small"),
    (nine_seats_large(), Vehicle(load_kg=2500), "large_9_seats_or_more"),
    (nine_seats_large(), Vehicle(seats=40, new_energy=True), "ev"),
    (nine_seats_large(), Vehicle("hearse"), "hearse"),
    (BY_THE_DAY, Vehicle(seats=20), "small"),
    (BY_THE_DAY, Vehicle(seats=21), "large"),
    (BY_THE_DAY, Vehicle(load_kg=2000), "small"),
    (BY_THE_DAY, Vehicle(load_kg=2001), "large"),
    (BY_THE_DAY, Vehicle("motorcycle"), "motorcycle"),
])
def test_a_vehicle_belongs_to_the_first_class_that_it_fits(tariff: Tariff, vehicle: Vehicle, vehicle_class: str) -> None:
    assert tariff.class_of(vehicle).name == vehicle_class


def test_a_vehicle_that_fits_no_class_is_refused() -> None:
    with pytest.raises(Refused, match="vehicle_in_no_class"):
        nine_seats_small().class_of(Vehicle("tractor"))


def test_a_price_for_a_class_that_the_rule_by_the_day_does_not_know_is_refused() -> None:
    with pytest.raises(Refused, match="class_unknown"):
        by_the_day({"small": 1000, "on_duty": 0}, 1800)


# as data


@pytest.mark.parametrize("tariff", PUBLISHED, ids=lambda tariff: tariff.name)
def test_a_tariff_is_sound_and_is_read_back_as_it_was_stored(tariff: Tariff) -> None:
    check(tariff)
    assert msgspec.json.decode(msgspec.json.encode(tariff), type=Tariff) == tariff


def test_a_part_of_a_fen_is_not_read_back() -> None:
    stored = msgspec.json.encode(residential_visitors())
    assert b'"fen":200' in stored
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(stored.replace(b'"fen":200', b'"fen":200.5'), type=Tariff)


@pytest.mark.parametrize("tariff", PUBLISHED, ids=lambda tariff: tariff.name)
def test_a_tariff_is_taken_as_it_is_shown(tariff: Tariff) -> None:
    assert tariff_of(msgspec.to_builtins(tariff)) == tariff


@pytest.mark.parametrize(("was", "wrong"), [
    ("cap_fen", "cap"), ("seconds", "second"), ("deducted", "deduct"), ("belongs", "belong"), ("share", "discount"),
])
def test_a_name_that_no_tariff_has_is_refused_and_not_left_out(was: str, wrong: str) -> None:
    given = msgspec.json.encode(residential_visitors()).replace(f'"{was}"'.encode(), f'"{wrong}"'.encode(), 1)
    with pytest.raises(Problem) as refused:
        tariff_of(msgspec.json.decode(given))
    assert (refused.value.status, refused.value.code) == (422, "tariff_unreadable")


HOURLY = Step(100, 3600, units=None)
SOUND = Metered((Step(300, 7200), HOURLY), SinceEntry(), 1000, Free(60))


@pytest.mark.parametrize(("rule", "fault"), [
    (replace(SOUND, steps=()), "steps_without_end"),
    (replace(SOUND, steps=(Step(300, 7200),)), "steps_without_end"),
    (replace(SOUND, steps=(HOURLY, HOURLY)), "steps_without_end"),
    (replace(SOUND, steps=(Step(-1, 7200), HOURLY)), "price_negative"),
    (replace(SOUND, steps=(Step(300, 0), HOURLY)), "duration_not_positive"),
    (replace(SOUND, steps=(Step(300, 7200, units=0), HOURLY)), "duration_not_positive"),
    (replace(SOUND, free=Free(0)), "duration_not_positive"),
    (replace(SOUND, period=SinceEntry(0)), "duration_not_positive"),
    (replace(SOUND, cap_fen=-1), "cap_negative"),
    (replace(SOUND, free=Free(60, hours=Hours(time(8), time(8)))), "hours_empty"),
    (replace(SOUND, free=Free(60, hours=Hours(time(8, tzinfo=UTC), time(22, tzinfo=UTC)))), "hours_with_offset"),
    (replace(SOUND, steps=(replace(HOURLY, hours=Hours(time(8), time(22, tzinfo=UTC))),)), "hours_with_offset"),
    (DayPass(-1, 1800), "price_negative"),
    (DayPass(1000, -1), "duration_not_positive"),
    (DayPass(1000, 1800, seconds=0), "duration_not_positive"),
    (replace(SOUND, steps=(replace(HOURLY, fen=HIGHEST + 1),)), "price_too_high"),
    (replace(SOUND, cap_fen=HIGHEST + 1), "price_too_high"),
    (DayPass(HIGHEST + 1, 1800), "price_too_high"),
    (replace(SOUND, period=SinceEntry(LONGEST + 1)), "duration_too_long"),
    (replace(SOUND, steps=(Step(300, LONGEST + 1), HOURLY)), "duration_too_long"),
    (DayPass(1000, 1800, seconds=LONGEST + 1), "duration_too_long"),
    (DayPass(1000, LONGEST + 1), "duration_too_long"),
    (replace(SOUND, period=SinceEntry(24)), "period_too_short"),
    (DayPass(1000, 1800, seconds=SHORTEST - 1), "period_too_short"),
])
def test_a_rule_that_cannot_be_billed_is_refused_before_it_is_adopted(rule: Rule, fault: str) -> None:
    check(Tariff("x", 1, "", (VehicleClass("small", SOUND),)))
    with pytest.raises(Refused, match=fault) as refused:
        check(Tariff("x", 1, "", (VehicleClass("small", rule),)))
    assert refused.value.facts == {"vehicle_class": "small"}


@pytest.mark.parametrize(("classes", "fault"), [
    ((), "tariff_without_classes"),
    ((VehicleClass("small", Exempt()), VehicleClass("small", SOUND)), "class_named_twice"),
    ((VehicleClass("small", SOUND, share=Share(3, 2)),), "share_not_a_part"),
    ((VehicleClass("small", SOUND, share=Share(0, 0)),), "share_not_a_part"),
    ((VehicleClass("small", SOUND, share=Share(-1, 2)),), "share_not_a_part"),
])
def test_classes_that_cannot_be_billed_are_refused(classes: tuple[VehicleClass, ...], fault: str) -> None:
    with pytest.raises(Refused, match=fault):
        check(Tariff("x", 1, "", classes))


def test_the_dearest_the_shortest_and_the_longest_are_sound() -> None:
    dearest = Metered((Step(HIGHEST, LONGEST), replace(HOURLY, fen=HIGHEST)), SinceEntry(SHORTEST), HIGHEST, Free(LONGEST))
    check(Tariff("x", 1, "", (VehicleClass("small", dearest), VehicleClass("pass", DayPass(HIGHEST, LONGEST, seconds=LONGEST)))))


def test_a_free_day_and_an_open_end_are_sound() -> None:
    check(Tariff("x", 1, "", (
        VehicleClass("pass", DayPass(0, 0)), VehicleClass("visit", Metered((Step(100, None, per_visit=True),), CalendarDay())))))


# the tariff of the day


def test_a_stay_is_priced_by_the_tariff_of_its_day_of_entry_in_the_lots_zone() -> None:
    old, new = residential_visitors(), replace(residential_visitors(), version=2)
    adopted = (Adoption(new, date(2026, 3, 1)), Adoption(old, date(2020, 1, 1)))
    assert in_force(adopted, datetime(2026, 2, 28, 15, 59, 59, tzinfo=UTC), "Asia/Shanghai") == old
    assert in_force(adopted, datetime(2026, 2, 28, 16, tzinfo=UTC), "Asia/Shanghai") == new
    assert in_force((*adopted, Adoption(old, date(2026, 3, 1))), datetime(2026, 3, 1, tzinfo=UTC), "Asia/Shanghai") == old
    noon = datetime(2026, 3, 2, 4, tzinfo=UTC)
    today = (*adopted, Adoption(old, date(2026, 3, 2), noon))
    assert [in_force(today, noon - timedelta(seconds=n), "Asia/Shanghai") for n in (1, 0)] == [new, old], "for who comes in from then on"


def test_a_day_before_any_tariff_and_a_time_without_zone_are_refused() -> None:
    adopted = (Adoption(residential_visitors(), date(2026, 3, 1)),)
    with pytest.raises(Refused, match="no_tariff_in_force"):
        in_force(adopted, datetime(2026, 2, 28, 12, tzinfo=UTC), "Asia/Shanghai")
    with pytest.raises(Refused, match="time_without_zone"):
        in_force(adopted, datetime(2026, 3, 2), "Asia/Shanghai")  # noqa: DTZ001
