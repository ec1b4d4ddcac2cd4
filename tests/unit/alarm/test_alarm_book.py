"""What alarm remembers: where a zone is, who lives where, and of which source an incident is."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import replace

from libs.contracts import access, devices, identity
from libs.eventkit.decider import NotFound, Refused
from services.alarm import book as module
from services.alarm.book import AlarmBook, Spot
from services.alarm.domain.incident_history import IncidentFoundFalse
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladder_settings import LadderSet
from services.alarm.domain.ladders import LADDERS, Ladder
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import SensorInstalled
from tests.kit import recorded
from tests.unit.alarm.samples import ABOUT, ANN, BUILDING, DEVICE, HERE, HOME, PANEL, RAISED, REPORT, SENSOR, SOURCE

ELSEWHERE, OTHER = uuid4(), uuid4()
CORRIDOR = Place(BUILDING, 1, 3, None, "corridor")
EAST = PanelInstalled(PANEL, DEVICE, "east")
HANGS = SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", CORRIDOR)


class Told(Struct):
    book: AlarmBook
    ids: dict[str, UUID] = {}

    def hears(self, *events: Any, here: UUID = HERE) -> "Told":
        for event in events:
            row = recorded(event, here)
            self.ids[type(event).__name__] = row.event_id
            self.book.memory.apply(event, row)
        return self


@pytest.fixture
def told() -> Told:
    return Told(AlarmBook())


def test_a_zone_is_where_its_sensor_hangs_and_says_on_what_that_rests(told: Told):
    told.hears(EAST, HANGS)
    assert told.book.zone(HERE, DEVICE, 1, 7) == Spot(
        CORRIDOR, (told.ids["SensorInstalled"], told.ids["PanelInstalled"]), SENSOR, "smoke")


@pytest.mark.parametrize(("partition", "zone"), [(1, 8), (2, 7), (1, None), (None, None)])
def test_a_zone_without_a_sensor_is_at_its_panel(told: Told, partition: int | None, zone: int | None):
    told.hears(EAST, HANGS)
    assert told.book.zone(HERE, DEVICE, partition, zone) == Spot(Place(name="east"), (told.ids["PanelInstalled"],))


def test_a_sensor_on_one_event_of_a_camera_is_no_panels_zone(told: Told):
    told.hears(EAST, replace(HANGS, code="VMD"))
    assert told.book.zone(HERE, DEVICE, 1, 7) == Spot(Place(name="east"), (told.ids["PanelInstalled"],))


@pytest.mark.parametrize("partition", [0, None])
def test_a_panel_that_names_no_partition_means_the_zones_only_sensor(told: Told, partition: int | None):
    told.hears(EAST, HANGS)
    assert told.book.zone(HERE, DEVICE, partition, 7).sensor_id == SENSOR
    told.hears(replace(HANGS, sensor_id=OTHER, partition=2))
    assert told.book.zone(HERE, DEVICE, partition, 7).sensor_id is None, "two could be meant"
    assert [told.book.zone(HERE, DEVICE, n, 7).sensor_id for n in (1, 2)] == [SENSOR, OTHER]


def test_a_sensor_without_a_partition_is_meant_whatever_partition_is_named(told: Told):
    told.hears(EAST, replace(HANGS, partition=0))
    assert [told.book.zone(HERE, DEVICE, n, 7).sensor_id for n in (0, None, 1, 5)] == [SENSOR] * 4


def test_a_sensor_that_is_moved_is_where_it_hangs_now(told: Told):
    cellar = replace(CORRIDOR, floor=-1)
    told.hears(EAST, HANGS, replace(HANGS, zone=9, place=cellar))
    assert told.book.zone(HERE, DEVICE, 1, 7).sensor_id is None
    assert told.book.zone(HERE, DEVICE, 1, 9).place == cellar


def test_a_panel_with_a_new_device_keeps_its_sensors(told: Told):
    told.hears(EAST, HANGS, replace(EAST, device_id=OTHER))
    assert told.book.zone(HERE, OTHER, 1, 7).sensor_id == SENSOR and told.book.zone(HERE, DEVICE, 1, 7) == Spot(Place())


def test_a_device_that_is_no_panel_has_at_least_its_name(told: Told):
    told.hears(devices.DeviceRegistered(DEVICE, "dc09-panel", "box"))
    assert told.book.zone(HERE, DEVICE, 1, 7) == told.book.device(HERE, DEVICE) == Spot(
        Place(name="box"), (told.ids["DeviceRegistered"],))
    assert told.book.device(HERE, OTHER) == Spot(Place())


def test_no_panel_is_given_a_device_that_was_retired_but_one_that_had_it_may_be_renamed(told: Told):
    told.hears(EAST, devices.DeviceRetired(DEVICE), devices.DeviceRetired(OTHER))
    told.book.speaks(HERE, PANEL, DEVICE)
    told.book.speaks(ELSEWHERE, SENSOR, DEVICE)
    for panel_id, device_id in ((SENSOR, DEVICE), (PANEL, OTHER)):
        with pytest.raises(Refused, match="device_retired"):
            told.book.speaks(HERE, panel_id, device_id)


def test_a_device_that_was_retired_is_known_as_such_in_its_community_until_it_is_registered_again(told: Told):
    told.hears(registered := devices.DeviceRegistered(DEVICE, "dc09-panel", "box"), devices.DeviceRetired(DEVICE))
    assert told.book.retired(HERE, DEVICE) and not told.book.retired(ELSEWHERE, DEVICE) and not told.book.retired(HERE, OTHER)
    assert told.book.device(HERE, DEVICE).place == Place(name="box"), "what it said before is still told by its name"
    assert not told.hears(registered).book.retired(HERE, DEVICE)


def test_a_door_is_in_its_building_or_at_the_gates(told: Told):
    gate, door = uuid4(), uuid4()
    told.hears(access.DoorInstalled(gate, "south gate", "community", DEVICE, 1))
    told.hears(access.DoorInstalled(door, "east door", f"building:{BUILDING}", DEVICE, 2))
    assert told.book.door(HERE, gate).place == Place(name="south gate")
    assert told.book.door(HERE, door) == Spot(Place(building_id=BUILDING, name="east door"), (told.ids["DoorInstalled"],))
    assert told.book.door(HERE, OTHER) == Spot(Place())


def test_a_lift_in_which_somebody_is_threatened_is_in_its_building(told: Told):
    lift = uuid4()
    told.hears(access.LiftInstalled(lift, BUILDING, "lift A", DEVICE, ()))
    assert told.book.door(HERE, lift) == Spot(Place(building_id=BUILDING, name="lift A"), (told.ids["LiftInstalled"],))


def test_who_lives_in_a_home_does_so_until_they_leave(told: Told):
    first, second = uuid4(), uuid4()
    lives = identity.ResidenceStarted(first, ANN, HOME, BUILDING, 1, "tenant", date(2026, 1, 1))
    told.hears(identity.HomeRegistered(HOME, BUILDING, 1, "1-1-301"), lives, replace(lives, residence_id=second))
    assert told.book.lives_in(HERE, ANN, HOME) and not told.book.lives_in(HERE, ANN, OTHER) and not told.book.lives_in(HERE, OTHER, HOME)
    assert told.book.home(HERE, HOME).place == Place(BUILDING, 1, None, HOME, "1-1-301")
    ended = identity.ResidenceEnded(first, ANN, HOME, BUILDING, date(2026, 2, 1))
    assert told.hears(ended).book.lives_in(HERE, ANN, HOME), "by the other one"
    assert not told.hears(replace(ended, residence_id=second)).book.lives_in(HERE, ANN, HOME)


def test_who_works_here_does_so_until_their_last_account_is_closed(told: Told):
    first, second, resident = uuid4(), uuid4(), uuid4()
    told.hears(identity.AccountOpened(resident, ANN, "resident"))
    assert not told.book.works(HERE, ANN), "who lives here is sent nowhere"
    told.hears(identity.AccountOpened(first, ANN, "guard"), identity.AccountOpened(second, ANN, "staff"))
    assert told.book.works(HERE, ANN)
    assert told.hears(identity.AccountClosed(first, ANN, "guard")).book.works(HERE, ANN), "by the other one"
    assert not told.hears(identity.AccountClosed(second, ANN, "staff")).book.works(HERE, ANN)


def test_nothing_of_another_community_is_known(told: Told):
    told.hears(
        EAST, HANGS, identity.HomeRegistered(HOME, BUILDING, 1, "1-1-301"), identity.BuildingRegistered(BUILDING, "1", 2),
        identity.AccountOpened(OTHER, ANN, "guard"), identity.ResidenceStarted(OTHER, ANN, HOME, BUILDING, 1, "owner", date(2026, 1, 1)),
        access.DoorInstalled(OTHER, "gate", "community", DEVICE, 1), devices.DeviceRegistered(DEVICE, "dc09-panel", "box"),
        LadderSet("low", Ladder(1, 1, 1, 1, 1)), RAISED)
    book = told.book
    for asked in (
            lambda c: book.home(c, HOME), lambda c: book.panel(c, PANEL), lambda c: book.building(c, BUILDING),
            lambda c: book.works(c, ANN)):
        asked(HERE)
        with pytest.raises(NotFound):
            asked(ELSEWHERE)
    assert book.zone(ELSEWHERE, DEVICE, 1, 7) == book.door(ELSEWHERE, OTHER) == Spot(Place())
    assert not book.lives_in(ELSEWHERE, ANN, HOME) and book.source(ELSEWHERE, REPORT) is None
    assert book.ladder(ELSEWHERE, "low") == LADDERS["low"] and book.ladder(HERE, "low") == Ladder(1, 1, 1, 1, 1)
    assert book.ladder(HERE, "high") == LADDERS["high"]


def test_of_what_is_over_the_last_are_remembered_and_of_what_is_open_all(told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ENDED_KEPT", 2)
    ids = [uuid4() for _ in range(5)]
    abouts = [replace(ABOUT, incident_id=i) for i in ids]
    told.hears(*(replace(RAISED, about=about) for about in abouts))
    assert all(told.book.source(HERE, i) == SOURCE for i in ids)
    told.hears(*(IncidentFoundFalse(about, ANN, "dust") for about in abouts[:4]))
    assert [told.book.source(HERE, i) is not None for i in ids] == [False, False, True, True, True]
