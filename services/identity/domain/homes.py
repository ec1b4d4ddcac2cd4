"""A home (实有房屋) in a unit of a building. Its label is unique within the unit, however it is typed."""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from services.identity.domain.labels import forms

# what happened


class HomeRegistered(Struct, frozen=True, tag="home_registered"):
    home_id: UUID
    building_id: UUID
    unit: int
    label: str


HomeEvent = HomeRegistered


# what is


class NoHome(Struct, frozen=True):
    pass


class Registered(Struct, frozen=True):
    building_id: UUID
    unit: int
    label: str


Home = NoHome | Registered


def evolve(home: Home, event: HomeEvent) -> Home:
    match event:
        case HomeRegistered(building_id=building_id, unit=unit, label=label):
            return Registered(building_id=building_id, unit=unit, label=label)
        case _:
            return home


# what is asked


class RegisterHome(Struct, frozen=True):
    """`units`: how many the building has."""

    home_id: UUID
    building_id: UUID
    units: int
    unit: int
    label: str


def decide_register_home(command: RegisterHome, home: Home) -> list[HomeEvent]:
    match home:
        case NoHome() if not 1 <= command.unit <= command.units:
            raise Refused("no_such_unit", units=command.units)
        case NoHome():
            return [HomeRegistered(command.home_id, command.building_id, command.unit, command.label)]
        case Registered() if home == Registered(command.building_id, command.unit, command.label):
            return []
        case Registered():
            raise Refused("home_already_registered")
        case _:
            assert_never(home)


def claims(command: RegisterHome, event: HomeEvent) -> Iterable[Take | Release]:
    if isinstance(event, HomeRegistered):
        for form in forms(event.label):
            yield Take("home-label", f"{event.building_id}:{event.unit}:{form}", "home_label_taken")


HOMES = Decider[Home, HomeEvent](
    category="home",
    initial=NoHome(),
    evolve=evolve,
    decide={RegisterHome: decide_register_home},
    claims=claims,
)
