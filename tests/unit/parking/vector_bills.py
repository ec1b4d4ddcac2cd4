"""What the rule answers to a vector of `tests/vectors/tariffs.json`."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.parking.domain.billing import Permit, Stay, bill
from services.parking.domain.published_tariffs import by_the_day, nine_seats_large, nine_seats_small, qinzhou_zone_1, residential_visitors
from services.parking.domain.tariffs import Tariff, Vehicle

PUBLISHED = {"A": qinzhou_zone_1, "B": nine_seats_small, "C": residential_visitors, "D": nine_seats_large}


def run(vector: dict[str, Any], document: dict[str, Any]) -> list[int]:
    """The total in fen; where the vector lists `stays`, followed by what each of them owes. Cars are billed each by itself."""
    tariff, listed = tariff_of(vector, document), vector.get("stays", [vector])
    owed = [0] * len(listed)
    for plate in {stay.get("plate") for stay in listed}:
        of_this_car = [number for number, stay in enumerate(listed) if stay.get("plate") == plate]
        of_this_car.sort(key=lambda number: listed[number]["entry"])
        stays = tuple(_stay(vector, listed[number], document["tz"]) for number in of_this_car)
        found = bill(
            tariff, stays, class_of(tariff, vector), document["tz"], spaces=spaces_of(vector),
            read_at_entry=vector.get("class_read_at_entry"), permits=_permits(vector, stays, document["tz"]))
        assert found.total_fen == sum(line.amount_fen for line in found.lines)
        for position, number in enumerate(of_this_car):
            owed[number] = found.of_stay(position)
    return [sum(owed), *(owed if "stays" in vector else [])]


def tariff_of(vector: dict[str, Any], document: dict[str, Any]) -> Tariff:
    if vector["tariff"] != "E":
        return PUBLISHED[vector["tariff"]]()
    lot = document["E_lot"]
    prices = {name: fen for name, fen in lot["price_fen"].items() if name != "on_duty"}
    return by_the_day(prices, lot["free_seconds"])


def class_of(tariff: Tariff, vector: dict[str, Any]) -> str:
    """The class that the vector names, unless the tariff has to find it: by seats where they are given, and for a vehicle
    that the vector names by its permit or its duty."""
    named = vector["class"]
    known = {vehicle_class.name: vehicle_class for vehicle_class in tariff.classes}
    if named in known and "seats" not in vector:
        return str(named)
    kinds = known[named].belongs.kinds if named in known else ("motor_vehicle",)
    return tariff.class_of(Vehicle(
        kind=kinds[0], seats=vector.get("seats"), spaces=spaces_of(vector),
        new_energy=vector.get("new_energy", named == "ev"))).name


def spaces_of(vector: dict[str, Any]) -> int:
    """Under whatever key with `spaces` in it, or in the name of the class (`large_2_spaces`)."""
    given = [value for key, value in vector.items() if "spaces" in key]
    in_name = re.search(r"(\d+)_(?:small_)?spaces", vector["class"])
    return int(given[0]) if given else int(in_name[1]) if in_name else 1


def _time(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def _stay(vector: dict[str, Any], listed: dict[str, Any], zone: str) -> Stay:
    return Stay(_time(listed["entry"], zone), _time(listed["exit"], zone), on_duty=vector["class"] == "on_duty")


def _permits(vector: dict[str, Any], stays: tuple[Stay, ...], zone: str) -> tuple[Permit, ...]:
    if vector["class"] != "permit" and "permit_until" not in vector:
        return ()
    until = _time(vector["permit_until"], zone) if "permit_until" in vector else stays[-1].exit
    return (Permit(min(stays[0].entry, until), until),)
