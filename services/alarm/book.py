"""What alarm keeps in memory: panels, sensors and doors and where they are, who lives where, deadlines, and which source an incident
is of. A fold of the own log."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts import access, devices, identity
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from services.alarm.domain.incident_history import IncidentFoundFalse, IncidentRaised, IncidentResolved
from services.alarm.domain.kinds import Place, Severity
from services.alarm.domain.ladder_settings import LadderSet
from services.alarm.domain.ladders import LADDERS, Ladder
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import SensorInstalled, SensorKind

EVENTS = (
    identity.CommunityFounded, identity.BuildingRegistered, identity.HomeRegistered, identity.ResidentRegistered, identity.ResidenceStarted,
    identity.ResidenceEnded, identity.AccountOpened, identity.AccountClosed, devices.DeviceRegistered, devices.DeviceRetired,
    access.DoorInstalled, access.LiftInstalled, PanelInstalled, SensorInstalled, LadderSet, IncidentRaised, IncidentFoundFalse,
    IncidentResolved)
ENDED_KEPT = 10_000
"""Incidents that are over whose source is remembered; of older ones the view knows it."""


class Spot(Struct, frozen=True):
    """Where something is, the sensor there and which event of a camera it is on, and the events that said so."""

    place: Place
    because: tuple[UUID, ...] = ()
    sensor_id: UUID | None = None
    sensor_kind: SensorKind | None = None
    code: str = ""


class KnownPanel(Struct, frozen=True):
    community_id: UUID
    said: PanelInstalled
    because: UUID


class KnownSensor(Struct, frozen=True):
    said: SensorInstalled
    because: UUID


class AlarmBook:
    """`memory` says how fresh it is."""

    def __init__(self) -> None:
        self.memory = Memory("alarm_book", EVENTS, self._apply)
        self._devices: dict[tuple[UUID, UUID], Spot] = {}
        self._retired: set[tuple[UUID, UUID]] = set()
        self._panels: dict[UUID, KnownPanel] = {}
        self._by_device: dict[tuple[UUID, UUID], UUID] = {}
        self._sensors: dict[UUID, KnownSensor] = {}
        self._zones: dict[tuple[UUID, int], dict[tuple[int, str], UUID]] = {}
        self._doors: dict[tuple[UUID, UUID], Spot] = {}
        self._opens: dict[tuple[UUID, UUID], dict[UUID, Spot]] = {}
        self._opened_by: dict[UUID, UUID] = {}
        self._clocks: dict[UUID, str] = {}
        self._buildings: set[tuple[UUID, UUID]] = set()
        self._homes: dict[tuple[UUID, UUID], Spot] = {}
        self._people: set[tuple[UUID, UUID]] = set()
        self._duties: dict[tuple[UUID, UUID], set[UUID]] = {}
        self._residences: dict[tuple[UUID, UUID], dict[UUID, UUID]] = {}
        self._ladders: dict[tuple[UUID, Severity], Ladder] = {}
        self._sources: dict[UUID, tuple[UUID, UUID]] = {}
        self._ended: dict[UUID, None] = {}

    def _apply(self, event: Any, row: Recorded) -> None:
        here = row.community_id
        match event:
            case identity.CommunityFounded(community_id=community_id, zone=zone):
                self._clocks[community_id] = zone
            case identity.BuildingRegistered(building_id=building_id):
                self._buildings.add((here, building_id))
            case identity.HomeRegistered(home_id=home_id, building_id=building_id, unit=unit, label=label):
                place = Place(building_id=building_id, unit=unit, home_id=home_id, name=label)
                self._homes[here, home_id] = Spot(place, (row.event_id,))
            case identity.ResidentRegistered(resident_id=person_id):
                self._people.add((here, person_id))
            case identity.AccountOpened(account_id=account_id, person_id=person_id, role=role):
                self._people.add((here, person_id))
                if role != "resident":
                    self._duties.setdefault((here, person_id), set()).add(account_id)
            case identity.AccountClosed(account_id=account_id, person_id=person_id):
                self._duties.get((here, person_id), set()).discard(account_id)
            case identity.ResidenceStarted(residence_id=residence_id, resident_id=resident_id, home_id=home_id):
                self._residences.setdefault((here, resident_id), {})[residence_id] = home_id
            case identity.ResidenceEnded(residence_id=residence_id, resident_id=resident_id):
                self._residences.get((here, resident_id), {}).pop(residence_id, None)
            case devices.DeviceRegistered(device_id=device_id, name=name):
                self._devices[here, device_id] = Spot(Place(name=name), (row.event_id,))
                self._retired.discard((here, device_id))
            case devices.DeviceRetired(device_id=device_id):
                self._retired.add((here, device_id))
            case access.DoorInstalled(door_id=door_id, name=name, zone=zone, device_id=device_id):
                kind, _, building = zone.partition(":")
                place = Place(building_id=UUID(building) if kind == "building" else None, name=name)
                self._install_door(here, door_id, device_id, Spot(place, (row.event_id,)))
            case access.LiftInstalled(lift_id=lift_id, building_id=building_id, name=name, device_id=device_id):
                self._install_door(here, lift_id, device_id, Spot(Place(building_id=building_id, name=name), (row.event_id,)))
            case PanelInstalled():
                self._install_panel(event, row)
            case SensorInstalled():
                self._install_sensor(event, row)
            case LadderSet(severity=severity, ladder=ladder):
                self._ladders[here, severity] = ladder
            case IncidentRaised(about=about):
                self._sources[about.incident_id] = (here, about.source_id)
            case IncidentFoundFalse(about=about) | IncidentResolved(about=about):
                self._ended[about.incident_id] = None
                if len(self._ended) > ENDED_KEPT:
                    oldest = next(iter(self._ended))
                    del self._ended[oldest]
                    self._sources.pop(oldest, None)

    def _install_panel(self, event: PanelInstalled, row: Recorded) -> None:
        before = self._panels.get(event.panel_id)
        if before is not None:
            self._by_device.pop((row.community_id, before.said.device_id), None)
        self._panels[event.panel_id] = KnownPanel(row.community_id, event, row.event_id)
        self._by_device[row.community_id, event.device_id] = event.panel_id

    def _install_sensor(self, event: SensorInstalled, row: Recorded) -> None:
        before = self._sensors.get(event.sensor_id)
        if before is not None:
            was = before.said
            self._zones.get((was.panel_id, was.zone), {}).pop((was.partition, was.code), None)
        self._sensors[event.sensor_id] = KnownSensor(event, row.event_id)
        self._zones.setdefault((event.panel_id, event.zone), {})[event.partition, event.code] = event.sensor_id

    def _install_door(self, here: UUID, door_id: UUID, device_id: UUID, spot: Spot) -> None:
        self._opens.get((here, self._opened_by.get(door_id, device_id)), {}).pop(door_id, None)
        self._opened_by[door_id] = device_id
        self._opens.setdefault((here, device_id), {})[door_id] = spot
        self._doors[here, door_id] = spot

    def device(self, community_id: UUID, device_id: UUID) -> Spot:
        """Of a panel without more: its name, else the device's, else nothing; in the building of all doors that it opens."""
        panel = self._panel_of(community_id, device_id)
        known = self._devices.get((community_id, device_id), Spot(Place()))
        spot = Spot(Place(name=panel.said.name), (panel.because,)) if panel is not None else known
        doors = self._opens.get((community_id, device_id), {}).values()
        buildings = {door.place.building_id for door in doors}
        if len(buildings) != 1 or None in buildings:
            return spot
        because = (*spot.because, *(event_id for door in doors for event_id in door.because))
        return replace(spot, place=replace(spot.place, building_id=buildings.pop()), because=because)

    def retired(self, community_id: UUID, device_id: UUID) -> bool:
        """Whether the device is out of use: a panel for which it speaks says nothing more."""
        return (community_id, device_id) in self._retired

    def zone(self, community_id: UUID, device_id: UUID, partition: int | None, zone: int | None) -> Spot:
        """Where the sensor of this zone hangs; of a zone without one, where its panel is said to be.

        Many panels report all their zones without a partition (0): then the zone's only sensor is meant."""
        panel = self._panel_of(community_id, device_id)
        known = self._zones.get((panel.said.panel_id, zone), {}) if panel is not None and zone is not None else {}
        there = {number: sensor_id for (number, code), sensor_id in known.items() if not code}
        found = there.get(partition or 0)
        if found is None and len(there) == 1 and (not partition or 0 in there):
            found = next(iter(there.values()))
        return self._spot_of(panel, found) if panel is not None and found is not None else self.device(community_id, device_id)

    def speaks(self, community_id: UUID, panel_id: UUID, device_id: UUID) -> None:
        """Raises Refused (device_retired) for a panel whose device is to be one that is out of use; not where it was before."""
        if self.retired(community_id, device_id) and self._by_device.get((community_id, device_id)) != panel_id:
            raise Refused("device_retired")

    def detector(self, community_id: UUID, device_id: UUID, channel: int | None, code: str) -> Spot:
        """Where the sensor on this event hangs, else the one on all of the channel (0: on any); else where the device is.
        Its zones have no partitions."""
        if (panel := self._panel_of(community_id, device_id)) is not None:
            for meant, zone in ((code, channel or 0), (code, 0), ("", channel or 0), ("", 0)):
                there = self._zones.get((panel.said.panel_id, zone), {})
                if (found := next((sensor_id for (_, on), sensor_id in there.items() if on == meant), None)) is not None:
                    return self._spot_of(panel, found)
        return self.device(community_id, device_id)

    def door(self, community_id: UUID, door_id: UUID) -> Spot:
        """Of a door, or a lift."""
        return self._doors.get((community_id, door_id), Spot(Place()))

    def home(self, community_id: UUID, home_id: UUID) -> Spot:
        """Raises NotFound, also for a home of another community."""
        known = self._homes.get((community_id, home_id))
        if known is None:
            raise NotFound("home")
        return known

    def panel(self, community_id: UUID, panel_id: UUID) -> PanelInstalled:
        """Raises NotFound, also for a panel of another community."""
        known = self._panels.get(panel_id)
        if known is None or known.community_id != community_id:
            raise NotFound("panel")
        return known.said

    def building(self, community_id: UUID, building_id: UUID) -> None:
        """Raises NotFound."""
        if (community_id, building_id) not in self._buildings:
            raise NotFound("building")

    def clock(self, community_id: UUID) -> str:
        """By which time zone the community lives. Raises NotFound where it has not been heard of."""
        if community_id not in self._clocks:
            raise NotFound("community")
        return self._clocks[community_id]

    def works(self, community_id: UUID, person_id: UUID) -> bool:
        """Whether the person has an account here that is not a resident's, and not closed. Raises NotFound for a stranger."""
        if (community_id, person_id) not in self._people:
            raise NotFound("person")
        return bool(self._duties.get((community_id, person_id)))

    def lives_here(self, community_id: UUID, person_id: UUID) -> bool:
        """In any home of the community."""
        return bool(self._residences.get((community_id, person_id)))

    def lives_in(self, community_id: UUID, person_id: UUID, home_id: UUID) -> bool:
        return home_id in self._residences.get((community_id, person_id), {}).values()

    def ladder(self, community_id: UUID, severity: Severity) -> Ladder:
        return self._ladders.get((community_id, severity), LADDERS[severity])

    def source(self, community_id: UUID, incident_id: UUID) -> UUID | None:
        owner, source_id = self._sources.get(incident_id, (None, None))
        return source_id if owner == community_id else None

    def _spot_of(self, panel: KnownPanel, sensor_id: UUID) -> Spot:
        said = self._sensors[sensor_id].said
        return Spot(said.place, (self._sensors[sensor_id].because, panel.because), sensor_id, said.kind, said.code)

    def _panel_of(self, community_id: UUID, device_id: UUID) -> KnownPanel | None:
        panel_id = self._by_device.get((community_id, device_id))
        return self._panels[panel_id] if panel_id is not None else None
