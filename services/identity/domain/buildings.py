"""A building of the community, with its units (stairways, counted from 1). Its name is unique in the community."""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from services.identity.domain.labels import forms

# what happened


class BuildingRegistered(Struct, frozen=True, tag="building_registered"):
    building_id: UUID
    name: str
    units: int


BuildingEvent = BuildingRegistered


# what is


class NoBuilding(Struct, frozen=True):
    pass


class Standing(Struct, frozen=True):
    name: str
    units: int


Building = NoBuilding | Standing


def evolve(building: Building, event: BuildingEvent) -> Building:
    match event:
        case BuildingRegistered(name=name, units=units):
            return Standing(name=name, units=units)
        case _:
            return building


# what is asked


class RegisterBuilding(Struct, frozen=True):
    building_id: UUID
    name: str
    units: int


def decide_register_building(command: RegisterBuilding, building: Building) -> list[BuildingEvent]:
    match building:
        case NoBuilding() if command.units < 1:
            raise Refused("building_without_units")
        case NoBuilding():
            return [BuildingRegistered(command.building_id, command.name, command.units)]
        case Standing() if building == Standing(name=command.name, units=command.units):
            return []
        case Standing():
            raise Refused("building_already_registered")
        case _:
            assert_never(building)


def claims(command: RegisterBuilding, event: BuildingEvent) -> Iterable[Take | Release]:
    if isinstance(event, BuildingRegistered):
        for form in forms(event.name):
            yield Take("building-name", form, "building_name_taken")


BUILDINGS = Decider[Building, BuildingEvent](
    category="building",
    initial=NoBuilding(),
    evolve=evolve,
    decide={RegisterBuilding: decide_register_building},
    claims=claims,
)
