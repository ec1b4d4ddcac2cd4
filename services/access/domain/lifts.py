"""A lift: which relay of which device takes it to which floor; and which floor a home is on.

A relay of a lift is asked for and ordered like a door's. Residents go to the floors registered for their homes, visitors
to those of their pass, everybody who may be in the building to the ground floor (`admission.py`).
"""

from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from services.access.domain.doors import MOST_RELAYS

LOWEST, HIGHEST = -8, 55
"""What fits into the 64 bits that a visitor's code has for floors."""


class LiftFloor(Struct, frozen=True):
    """`door_no`: the relay of the lift's device for this floor."""

    floor: int
    door_no: int


# what happened


class LiftInstalled(Struct, frozen=True, tag="lift_installed"):
    lift_id: UUID
    name: str
    building_id: UUID
    device_id: UUID
    floors: tuple[LiftFloor, ...]


class HomeFloorSet(Struct, frozen=True, tag="home_floor_set"):
    home_id: UUID
    floor: int


# what is


class NoLift(Struct, frozen=True):
    pass


class Lift(Struct, frozen=True):
    name: str
    building_id: UUID
    device_id: UUID
    floors: tuple[LiftFloor, ...]


class NoFloor(Struct, frozen=True):
    pass


class OnFloor(Struct, frozen=True):
    floor: int


LiftState = NoLift | Lift
HomeFloor = NoFloor | OnFloor


def evolve_lift(lift: LiftState, event: LiftInstalled) -> LiftState:
    match event:
        case LiftInstalled():
            return Lift(name=event.name, building_id=event.building_id, device_id=event.device_id, floors=event.floors)
        case _:
            return lift


def evolve_home_floor(home: HomeFloor, event: HomeFloorSet) -> HomeFloor:
    match event:
        case HomeFloorSet(floor=floor):
            return OnFloor(floor)
        case _:
            return home


# what is asked


class InstallLift(Struct, frozen=True):
    lift_id: UUID
    name: str
    building_id: UUID
    device_id: UUID
    floors: tuple[LiftFloor, ...]


class SetHomeFloor(Struct, frozen=True):
    home_id: UUID
    floor: int


def decide_install_lift(command: InstallLift, lift: LiftState) -> list[LiftInstalled]:
    if not all(LOWEST <= f.floor <= HIGHEST for f in command.floors):
        raise Refused("floor_out_of_range", lowest=LOWEST, highest=HIGHEST)
    if not all(1 <= f.door_no <= MOST_RELAYS for f in command.floors):
        raise Refused("door_number_out_of_range", limit=MOST_RELAYS)
    if min(len({f.floor for f in command.floors}), len({f.door_no for f in command.floors})) < len(command.floors):
        raise Refused("floor_named_twice")
    floors = tuple(sorted(command.floors, key=lambda f: f.floor))
    asked = Lift(name=command.name, building_id=command.building_id, device_id=command.device_id, floors=floors)
    if lift == asked:
        return []
    return [LiftInstalled(
        lift_id=command.lift_id, name=command.name, building_id=command.building_id, device_id=command.device_id, floors=floors)]


def decide_set_home_floor(command: SetHomeFloor, home: HomeFloor) -> list[HomeFloorSet]:
    if not LOWEST <= command.floor <= HIGHEST:
        raise Refused("floor_out_of_range", lowest=LOWEST, highest=HIGHEST)
    if home == OnFloor(command.floor):
        return []
    return [HomeFloorSet(home_id=command.home_id, floor=command.floor)]


def claims(command: InstallLift, event: LiftInstalled) -> tuple[Release | Take, ...]:
    """One relay opens one door or one floor; a lift that is changed gives up its old ones."""
    taken = (Take("relay", f"{event.device_id}/{f.door_no}", "relay_already_in_use") for f in event.floors)
    return (Release("relay"), *taken)


LIFTS = Decider[LiftState, LiftInstalled](
    category="lift", initial=NoLift(), evolve=evolve_lift, decide={InstallLift: decide_install_lift}, claims=claims)
HOME_FLOORS = Decider[HomeFloor, HomeFloorSet](
    category="home-floor", initial=NoFloor(), evolve=evolve_home_floor, decide={SetHomeFloor: decide_set_home_floor})
