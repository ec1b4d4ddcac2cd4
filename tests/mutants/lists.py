"""The mutants of every service."""

from tests.mutants import (
    access,
    alarm,
    care,
    devices,
    gateway,
    gateway_fire,
    identity,
    neighbors,
    parking,
    parking_lanes,
    patrols,
    people,
    releases,
)
from tests.mutants.mutant import Mutant

LISTS: dict[str, tuple[Mutant, ...]] = {
    "identity": identity.MUTANTS + people.OF_IDENTITY,
    "access": access.MUTANTS + releases.OF_ACCESS + people.OF_ACCESS,
    "parking": parking.MUTANTS + parking_lanes.MUTANTS,
    "devices": devices.MUTANTS + releases.OF_DEVICES + people.OF_DEVICES,
    "alarm": alarm.MUTANTS + patrols.OF_ALARM + care.OF_ALARM,
    "neighbors": neighbors.MUTANTS,
    "gateway": gateway.MUTANTS + gateway_fire.MUTANTS + people.OF_GATEWAY + patrols.OF_GATEWAY,
}
