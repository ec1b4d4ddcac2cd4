"""A sensor on a zone (防区) of a panel, and where it hangs. One zone has one sensor; one that is moved or replaced keeps its id, and
with it what is known of its false alarms. Of a camera or reader that speaks for a panel a zone is a channel, input or door, and a sensor
may be on one of its events alone."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from services.alarm.domain.kinds import IncidentKind, Place

SensorKind = Literal[
    "smoke", "heat", "flame", "call_point", "gas", "co", "water", "motion", "contact", "glass", "vibration", "beam", "panic", "sos",
    "medical", "other"]
MOST_PARTITIONS, MOST_ZONES = 9999, 99_999_999
"""What SIA DC-03 can name; Contact ID has 99 and 999."""
ALARM_OF: Mapping[SensorKind, IncidentKind] = {
    "smoke": "fire", "heat": "fire", "flame": "fire", "call_point": "fire", "gas": "gas", "co": "gas", "water": "water",
    "motion": "burglary", "contact": "burglary", "glass": "burglary", "vibration": "burglary", "beam": "burglary", "panic": "panic",
    "sos": "sos", "medical": "medical"}
"""What its alarm is where the panel's code does not say what kind of alarm it is."""


# what happened


class SensorInstalled(Struct, frozen=True, tag="sensor_installed"):
    sensor_id: UUID
    panel_id: UUID
    partition: int
    zone: int
    kind: SensorKind
    place: Place
    code: str = ""
    """The event that is meant, by the device's own name for it; empty: all of the zone."""


# what is


class NoSensor(Struct, frozen=True):
    pass


class Sensor(Struct, frozen=True):
    said: SensorInstalled


SensorState = NoSensor | Sensor


def evolve(sensor: SensorState, event: SensorInstalled) -> SensorState:
    return Sensor(event) if isinstance(event, SensorInstalled) else sensor


# what is asked


class InstallSensor(Struct, frozen=True):
    installed: SensorInstalled


def decide_install_sensor(command: InstallSensor, sensor: SensorState) -> list[SensorInstalled]:
    asked = command.installed
    if not (0 <= asked.partition <= MOST_PARTITIONS and 0 <= asked.zone <= MOST_ZONES):
        raise Refused("zone_out_of_range", partitions=MOST_PARTITIONS, zones=MOST_ZONES)
    return [] if sensor == Sensor(asked) else [asked]


def claims(command: InstallSensor, event: SensorInstalled) -> tuple[Release | Take, ...]:
    zone = f"{event.panel_id}/{event.partition}/{event.zone}{f'/{event.code}' if event.code else ''}"
    return Release("zone"), Take("zone", zone, "zone_has_another_sensor")


SENSORS = Decider[SensorState, SensorInstalled](
    category="sensor", initial=NoSensor(), evolve=evolve, decide={InstallSensor: decide_install_sensor}, claims=claims)
