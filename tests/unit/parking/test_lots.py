from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from libs.eventkit.decider import Refused
from services.parking.domain.lots import LOTS, AdoptTariff, Lot, OpenLot, TariffAdopted
from services.parking.domain.published_tariffs import nine_seats_large, nine_seats_small, residential_visitors
from services.parking.domain.tariffs import Adoption, Belongs, Exempt, VehicleClass
from tests.unit.parking.samples import LOT, NOW, OPENED, deciding

when = deciding(LOTS)
OPEN = OpenLot(**asdict(OPENED))
TODAY = date(2026, 3, 1)
TARIFF = residential_visitors()
ADOPT = AdoptTariff(LOT, TARIFF, TODAY, TODAY)
ADOPTED = TariffAdopted(LOT, Adoption(TARIFF, TODAY))


def test_a_lot_is_opened_and_said_again_when_something_of_it_changes() -> None:
    assert when(OPEN) == [OPENED]
    assert when(replace(OPEN, grace=0), OPENED) == [replace(OPENED, grace=0)]
    assert LOTS.fold([OPENED, ADOPTED, replace(OPENED, grace=0)]) == Lot(replace(OPENED, grace=0), (ADOPTED.adoption,))


def test_a_lot_that_is_as_asked_says_nothing() -> None:
    assert when(OPEN, OPENED) == []


@pytest.mark.parametrize("clock", ["Mars/Olympus", "", "../../etc/passwd", "Asia", "a\0b", "x" * 64])
def test_a_time_zone_that_nobody_knows_is_refused(clock: str) -> None:
    with pytest.raises(Refused, match="time_zone_unknown"):
        when(replace(OPEN, clock=clock))


@pytest.mark.parametrize("spaces", [{}, {"ground": 3, "below": -1}])
def test_a_lot_without_spaces_is_refused(spaces: dict[str, int]) -> None:
    with pytest.raises(Refused, match="lot_without_spaces"):
        when(replace(OPEN, spaces=spaces))


def test_a_zone_may_have_no_space_at_all() -> None:
    assert when(replace(OPEN, spaces={"ground": 0})) == [replace(OPENED, spaces={"ground": 0})]


def test_a_tariff_is_adopted_from_today_on_or_later() -> None:
    assert when(ADOPT, OPENED) == [ADOPTED]
    later = replace(ADOPT, since=TODAY + timedelta(days=1))
    assert when(later, OPENED, ADOPTED) == [TariffAdopted(LOT, Adoption(TARIFF, later.since))]


def test_a_tariff_of_today_says_from_when_on_it_is_met_at_the_gate() -> None:
    assert when(replace(ADOPT, now=NOW), OPENED) == [TariffAdopted(LOT, Adoption(TARIFF, TODAY, NOW))]
    assert when(replace(ADOPT, now=NOW), OPENED, ADOPTED) == []


def test_what_is_adopted_already_says_nothing_however_late() -> None:
    assert when(ADOPT, OPENED, ADOPTED) == when(replace(ADOPT, today=TODAY + timedelta(days=9)), OPENED, ADOPTED) == []


def test_a_tariff_that_another_took_the_place_of_is_adopted_again() -> None:
    tomorrow = TODAY + timedelta(days=1)
    by_mistake = TariffAdopted(LOT, Adoption(nine_seats_large(), tomorrow))
    again = replace(ADOPT, since=tomorrow)
    (first,) = when(again, OPENED)
    assert when(again, OPENED, first, by_mistake) == [first]
    assert when(again, OPENED, first, by_mistake, first) == []
    refused_adoption("tariff_in_the_past", replace(again, today=tomorrow + timedelta(days=1)), OPENED, first, by_mistake)


def refused_adoption(code: str, command: AdoptTariff, *events: Any) -> None:
    with pytest.raises(Refused, match=code):
        when(command, *events)


def test_nobodys_past_price_changes() -> None:
    refused_adoption("tariff_in_the_past", replace(ADOPT, since=TODAY - timedelta(days=1)), OPENED)


def test_what_a_version_says_never_changes() -> None:
    other = replace(nine_seats_small(), name=TARIFF.name)
    refused_adoption("tariff_version_taken", replace(ADOPT, tariff=other), OPENED, ADOPTED)
    assert len(when(replace(ADOPT, tariff=replace(other, version=2)), OPENED, ADOPTED)) == 1
    assert len(when(replace(ADOPT, tariff=nine_seats_large()), OPENED, ADOPTED)) == 1


def test_a_lot_that_is_not_there_and_a_tariff_that_cannot_be_are_refused() -> None:
    refused_adoption("lot_unknown", ADOPT)
    refused_adoption("tariff_without_classes", replace(ADOPT, tariff=replace(TARIFF, classes=())), OPENED)


@pytest.mark.parametrize("belongs", [Belongs(("motorcycle",)), Belongs(new_energy=True), Belongs(new_energy=False)])
def test_a_tariff_in_which_a_car_has_no_class_is_refused(belongs: Belongs) -> None:
    """Else the car that nobody can bill would stand at the exit."""
    tariff = replace(TARIFF, classes=(VehicleClass("some", Exempt(), belongs),))
    refused_adoption("vehicle_in_no_class", replace(ADOPT, tariff=tariff), OPENED)
