"""Five published tariffs as data. All sources are reposts on public pages, not the official documents; what a page
leaves open was read in the ordinary meaning first, then against the house (Civil Code, article 498).

That vehicles on duty and holders of a monthly permit pay nothing holds in every tariff and is no part of one.
"""

from collections.abc import Mapping
from datetime import time

from libs.eventkit.decider import Refused
from services.parking.domain.tariffs import (
    Belongs,
    CalendarDay,
    DayPass,
    Exempt,
    Free,
    Hours,
    Metered,
    Share,
    SinceEntry,
    Step,
    Tariff,
    VehicleClass,
)

MINUTE, HOUR = 60, 3_600


def qinzhou_zone_1() -> Tariff:
    """A. Qinzhou, zone 1 (szftgk.com/XiangGuanZhengCe/915174.html, year not shown).

    Source: charged 08:00-22:00 only; up to 30 minutes free, beyond them the stay counts from entry; up to 1 h ¥2.5,
    up to 2 h ¥3, beyond ¥5, accumulating (累计), at most ¥30 a day; new energy half; large vehicles times the small
    spaces used; motor cycle ¥1 a visit; bicycle free; disabled person's motor tricycle 2 h free.
    Ours: hour 1 + hour 2 + every further started hour; only charged hours count, also for what is free; each calendar
    day begins at hour 1 without a new free period; the cap is the car's and grows with the spaces; the tricycle's 2 h
    are deducted.
    """
    day = Hours(time(8), time(22))
    hours = (Step(250, HOUR, hours=day), Step(300, HOUR, hours=day), Step(500, HOUR, units=None, hours=day))

    def metered(free: Free) -> Metered:
        return Metered(steps=hours, period=CalendarDay(), cap_fen=3_000, free=free)

    half_hour = Free(30 * MINUTE, hours=day)
    visit = Metered((Step(100, seconds=None, hours=day, per_visit=True),), CalendarDay(), free=half_hour)
    return Tariff("A", 1, "szftgk.com/XiangGuanZhengCe/915174.html", (
        VehicleClass("ev", metered(half_hour), Belongs(new_energy=True), Share(1, 2), per_space=True),
        VehicleClass("small", metered(half_hour), Belongs(max_spaces=1)),
        VehicleClass("large", metered(half_hour), per_space=True),
        VehicleClass("motorcycle", visit, Belongs(("motorcycle",))),
        VehicleClass("bicycle", Exempt(), Belongs(("bicycle",))),
        VehicleClass(
            "disabled_motor_tricycle", metered(Free(2 * HOUR, deducted=True, hours=day)), Belongs(("disabled_motor_tricycle",)))))


def nine_seats_small() -> Tariff:
    """B. A reply (批复) valid from 2020-12-10 (ddtbk.com/news/554083.html, place not shown).

    Source, up to 9 seats: up to 45 min free; up to 2 h ¥3 at any hour; the part over 2 h ¥1 a started hour inside
    05:00-19:00, nothing outside; at most ¥10 in 24 h from entry; after 24 h all again, without the free time. Over 9
    seats: up to 45 min free, up to 12 h ¥25, beyond ¥3 an hour, at most ¥40 in 24 h.
    Ours: within 24 h the daytime seconds of the over part are added, then rounded up once; a coach's ¥3 are for the
    hours beyond 12; new energy pays in full.
    """
    free, day = Free(45 * MINUTE), Hours(time(5), time(19))
    car = Metered((Step(300, 2 * HOUR), Step(100, HOUR, units=None, hours=day)), SinceEntry(), 1_000, free)
    coach = Metered((Step(2_500, 12 * HOUR), Step(300, HOUR, units=None)), SinceEntry(), 4_000, free)
    return Tariff("B", 1, "ddtbk.com/news/554083.html", (
        VehicleClass("small_up_to_9_seats", car, Belongs(max_seats=9)),
        VehicleClass("coach_over_9_seats", coach)))


def residential_visitors() -> Tariff:
    """C. Visitors of residential lots (186177.com/index.php/news/detail/id/918.html).

    Source: nothing within the first hour, beyond it ¥2 a started hour, at most ¥10 a day ("within 24 hours").
    Ours: the first hour, inclusive, stays free and is given once a stay; the 24 h count from entry; new energy pays
    in full.
    """
    rule = Metered((Step(200, HOUR, units=None),), SinceEntry(), 1_000, Free(HOUR, deducted=True))
    return Tariff("C", 1, "186177.com/index.php/news/detail/id/918.html", (VehicleClass("visitor", rule),))


def nine_seats_large() -> Tariff:
    """D. (zuomama.com/news/jiaodian/274680.html).

    Source, under 9 seats and trucks under 2.5 t: 1.5 h free; up to 2 h ¥5 a visit, beyond ¥1 a started hour, at most
    ¥20 in 24 h. 9 seats and more: ¥6, ¥2, ¥30. New energy: 3 h free, up to 4 h ¥2.5, beyond ¥1, at most ¥10. Free:
    army, police, fire, rescue, sanitation, ambulance, repair, disabled persons with papers, hearse.
    Ours: 1:30:00 is free; new energy goes before size; after 24 h from entry the hours go on under a new cap, while
    neither the price of the visit nor the free time comes again.
    """
    def metered(free: int, visit_fen: int, visit: int, hour_fen: int, cap_fen: int) -> Metered:
        steps = (Step(visit_fen, visit, per_visit=True), Step(hour_fen, HOUR, units=None))
        return Metered(steps, SinceEntry(), cap_fen, Free(free))

    exempt = ("army", "police", "fire", "rescue", "sanitation", "ambulance", "repair", "disabled_permit", "hearse")
    return Tariff("D", 1, "zuomama.com/news/jiaodian/274680.html", (
        *(VehicleClass(name, Exempt(), Belongs((name,))) for name in exempt),
        VehicleClass("ev", metered(3 * HOUR, 250, 4 * HOUR, 100, 1_000), Belongs(new_energy=True)),
        VehicleClass("small", metered(90 * MINUTE, 500, 2 * HOUR, 100, 2_000), Belongs(max_seats=8, max_load_kg=2_499)),
        VehicleClass("large_9_seats_or_more", metered(90 * MINUTE, 600, 2 * HOUR, 200, 3_000))))


def by_the_day(prices_fen: Mapping[str, int], free_seconds: int) -> Tariff:
    """E. Guangdong, lots that charge by the day, articles 11-14 (fymate.net/html/text/lar/167999/16799978_2.html; an
    old regulation, not checked whether in force). It is a rule without prices, which belong to the lot: `prices_fen`
    of a day for any of motorcycle, small, large, extra_large.

    Source: 30 to 60 min free in residential lots (the city sets it); several entries of one car on one day pay once;
    four classes, small up to 2 t or 20 seats.
    Ours: the day is 24 h from the entry that opened it, so that no calendar day sees two fees and a night is one.

    Raises Refused `class_unknown`.
    """
    limits = {
        "motorcycle": Belongs(("motorcycle",)), "small": Belongs(max_seats=20, max_load_kg=2_000),
        "large": Belongs(), "extra_large": Belongs()}
    for name in prices_fen:
        if name not in limits:
            raise Refused("class_unknown", vehicle_class=name)
    return Tariff("E", 1, "fymate.net/html/text/lar/167999/16799978_2.html", tuple(
        VehicleClass(name, DayPass(prices_fen[name], free_seconds), belongs)
        for name, belongs in limits.items() if name in prices_fen))
