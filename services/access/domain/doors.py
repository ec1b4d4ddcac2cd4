"""A door: where it belongs, and which relay of which device opens it.

A zone is what a right is about: `community` (gates that everybody passes) or `building:<id>`. An evacuation door stands open
while its building is released for a fire (`releases.py`); a plant room's does not.
"""

from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take

MOST_RELAYS = 256


# what happened


class DoorInstalled(Struct, frozen=True, tag="door_installed"):
    door_id: UUID
    name: str
    zone: str
    device_id: UUID
    door_no: int
    evacuation: bool = True


DoorEvent = DoorInstalled


# what is


class NoDoor(Struct, frozen=True):
    pass


class Door(Struct, frozen=True):
    name: str
    zone: str
    device_id: UUID
    door_no: int
    evacuation: bool = True


DoorState = NoDoor | Door


def evolve(door: DoorState, event: DoorEvent) -> DoorState:
    match event:
        case DoorInstalled():
            return Door(event.name, event.zone, event.device_id, event.door_no, event.evacuation)
        case _:
            return door


# what is asked


class InstallDoor(Struct, frozen=True):
    door_id: UUID
    name: str
    zone: str
    device_id: UUID
    door_no: int
    evacuation: bool = True


def decide_install_door(command: InstallDoor, door: DoorState) -> list[DoorEvent]:
    if not 1 <= command.door_no <= MOST_RELAYS:
        raise Refused("door_number_out_of_range", limit=MOST_RELAYS)
    if not is_zone(command.zone):
        raise Refused("zone_unknown")
    asked = Door(command.name, command.zone, command.device_id, command.door_no, command.evacuation)
    match door:
        case Door() if door == asked:
            return []
        case _:
            return [DoorInstalled(
                door_id=command.door_id, name=command.name, zone=command.zone, device_id=command.device_id,
                door_no=command.door_no, evacuation=command.evacuation)]


def is_zone(text: str) -> bool:
    kind, _, building = text.partition(":")
    if kind == "building":
        try:
            return str(UUID(building)) == building
        except ValueError:
            return False
    return text == "community"


def claims(command: InstallDoor, event: DoorEvent) -> tuple[Release | Take, ...]:
    """One relay opens one door; a door that moves gives up its old one."""
    return (Release("relay"), Take("relay", f"{event.device_id}/{event.door_no}", "relay_already_in_use"),)


DOORS = Decider[DoorState, DoorEvent](
    category="door", initial=NoDoor(), evolve=evolve, decide={InstallDoor: decide_install_door}, claims=claims)
