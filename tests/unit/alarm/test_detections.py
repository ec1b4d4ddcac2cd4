"""What a camera sees and an input feels: when it is an alarm, of what kind, where, and that what is still so counts once."""

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access, devices
from services.alarm.domain.detections import BY_ITSELF, NAMES, TOLD_WITHIN, detected, is_told_in_time
from services.alarm.domain.incident_history import IncidentRepeated, IncidentRestored
from services.alarm.domain.incidents import RaiseIncident, RestoreSource
from services.alarm.domain.kinds import Place
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import ALARM_OF, SensorInstalled, SensorKind
from services.alarm.domain.signals import source_of_zone
from services.alarm.reactions import detections
from services.devices.publishing import DETECTIONS
from tests.kit import recorded
from tests.unit.alarm.samples import ABOUT, AGAIN, BUILDING, DEVICE, HERE, NOW, PANEL, RAISED, REPEAT, REPORT, SENSOR, THIRD, when
from tests.unit.alarm.test_alarm_reactions import Book

FENCE = Place(BUILDING, None, None, None, "fence")
CROSSED = "tns1:RuleEngine/LineDetector/Crossed"
CAMERA = PanelInstalled(PANEL, DEVICE, "yard camera")
ON_THE_FENCE = SensorInstalled(SENSOR, PANEL, 0, 2, "beam", FENCE)
ON_THE_LINE = SensorInstalled(THIRD, PANEL, 0, 0, "motion", FENCE, CROSSED)


def seen(kind: str = "camera_alarm", code: str = CROSSED, state: str | None = None, **more: Any) -> devices.DetectionReported:
    said = {"channel": 2, "live": True, "device_time": None, **more}
    return devices.DetectionReported(
        report_id=REPORT, device_id=DEVICE, kind=kind, code=code, state=state, serial=None, door_no=None, awaits_decision=False, skew=None,
        findings=(), **said)


async def asked(event: devices.DetectionReported, *placed: Any) -> list[Any]:
    reaction = detections(Book(*placed))
    return list(await reaction.on[type(event)](event, recorded(event, HERE, position=9, source="devices", at=NOW)))


async def raised(event: devices.DetectionReported, *placed: Any) -> RaiseIncident:
    (do,) = await asked(event, *placed)
    assert isinstance(do.command, RaiseIncident) and do.subject_id == do.command.about.source_id
    return do.command


@pytest.mark.parametrize(("kind", "alarm"), [("tamper", "tamper"), ("fire_input", "fire"), ("panic", "panic")])
async def test_what_says_by_itself_what_is_wrong_is_raised_where_its_device_is(kind: str, alarm: str):
    command = await raised(seen(kind, "shelteralarm"), CAMERA)
    assert (command.about.kind, command.about.place, command.about.sensor_id) == (alarm, Place(name="yard camera"), None)
    assert (command.code, command.about.device_id, command.live) == (f"{kind}:shelteralarm", DEVICE, True)
    hung = await raised(seen(kind, "shelteralarm"), CAMERA, ON_THE_FENCE)
    assert (hung.about.kind, hung.about.place, hung.about.sensor_id) == (alarm, FENCE, SENSOR)


@pytest.mark.parametrize("kind", ["camera_alarm", "door_forced", "io_alarm", "pir"])
async def test_whoever_walks_past_a_camera_calls_nobody_unless_staff_put_a_sensor_there(kind: str):
    assert await asked(seen(kind)) == await asked(seen(kind), CAMERA) == await asked(seen(kind, channel=3), CAMERA, ON_THE_FENCE) == []
    command = await raised(seen(kind), CAMERA, ON_THE_FENCE)
    assert (command.about.kind, command.about.severity, command.about.place) == ("burglary", "high", FENCE)


async def test_a_sensor_on_one_event_hears_that_one_alone_and_on_any_channel():
    placed = CAMERA, ON_THE_LINE
    assert (await raised(seen(), *placed)).about.sensor_id == (await raised(seen(channel=None), *placed)).about.sensor_id == THIRD
    assert await asked(seen(code="tns1:VideoSource/MotionAlarm"), *placed) == []


async def test_the_sensor_on_the_event_comes_before_the_one_on_the_channel_and_is_another_source():
    placed = CAMERA, ON_THE_FENCE, ON_THE_LINE
    crossed, moved = await raised(seen(), *placed), await raised(seen(code="VMD"), *placed)
    assert (crossed.about.sensor_id, moved.about.sensor_id) == (THIRD, SENSOR)
    assert crossed.about.source_id == source_of_zone(DEVICE, None, 2, False, "burglary", CROSSED)
    assert moved.about.source_id == source_of_zone(DEVICE, None, 2, False, "burglary", "")


async def test_a_sensor_that_was_moved_is_not_where_it_was():
    moved = replace(ON_THE_LINE, code="VMD"), replace(ON_THE_FENCE, zone=5)
    placed = CAMERA, ON_THE_FENCE, ON_THE_LINE, *moved
    assert await asked(seen(), *placed) == []
    assert (await raised(seen(code="VMD"), *placed)).about.sensor_id == THIRD
    assert (await raised(seen(channel=5), *placed)).about.sensor_id == SENSOR


async def test_the_place_of_a_reader_is_the_building_of_the_doors_that_it_opens():
    def door(number: int, building: int, device_id: UUID = DEVICE) -> access.DoorInstalled:
        return access.DoorInstalled(UUID(int=number), "door", f"building:{UUID(int=building)}", device_id, 1)

    fire = seen("fire_input", "5/52")
    assert (await raised(fire, door(70, 1), door(71, 1))).about.place.building_id == UUID(int=1)
    assert (await raised(fire, door(70, 1), door(71, 2))).about.place.building_id is None
    assert (await raised(fire, door(70, 1), door(71, 2), door(71, 2, SENSOR))).about.place.building_id == UUID(int=1)
    everywhere = replace(door(71, 2), zone="community")
    assert (await raised(fire, door(70, 1), everywhere)).about.place.building_id is None
    lift = access.LiftInstalled(UUID(int=72), UUID(int=1), "lift", DEVICE, ())
    (do,) = await asked(fire, lift)
    assert do.command.about.place.building_id == UUID(int=1) and len(do.caused_by) == 1


async def test_what_is_over_is_said_of_the_same_source():
    (do,) = await asked(seen(state="inactive", device_time=NOW), CAMERA, ON_THE_FENCE)
    source = source_of_zone(DEVICE, None, 2, False, "burglary", "")
    assert (do.subject_id, do.command) == (source, RestoreSource(source, REPORT, kept=False, device_time=NOW))
    assert await asked(seen(state="inactive"), CAMERA) == []


@pytest.mark.parametrize(("live", "age", "counts"), [
    (True, None, True), (True, timedelta(days=9), True), (False, timedelta(hours=1), True), (False, TOLD_WITHIN, True),
    (False, TOLD_WITHIN + timedelta(seconds=1), False), (False, None, False)])
async def test_what_was_kept_is_raised_for_a_day(live: bool, age: timedelta | None, counts: bool):
    at = NOW - age if age is not None else None
    assert is_told_in_time(live, at, NOW) is counts
    found = await asked(seen("tamper", live=live, device_time=at))
    assert [do.command.live for do in found] == ([live] if counts else [])
    assert bool(await asked(seen("tamper", state="inactive", live=live, device_time=at))) is counts


async def test_that_it_is_still_so_counts_once_and_each_crossing_for_itself():
    assert (await raised(seen(state="active"), CAMERA, ON_THE_FENCE)).lasting
    assert not (await raised(seen(), CAMERA, ON_THE_FENCE)).lasting
    still = replace(REPEAT, lasting=True)
    assert when(still, RAISED) == []
    assert when(replace(still, lasting=False), RAISED) == [IncidentRepeated(ABOUT, AGAIN, "contact_id:1110", None, True, 2)]
    assert when(still, RAISED, IncidentRestored(ABOUT, THIRD)) == [IncidentRepeated(ABOUT, AGAIN, "contact_id:1110", None, True, 2)]


def test_every_kind_that_devices_tells_so_has_a_name_and_every_sensor_a_kind_of_alarm():
    assert set(NAMES) == DETECTIONS and set(BY_ITSELF) < DETECTIONS
    for sensor in get_args(SensorKind):
        alarm = detected("camera_alarm", sensor)
        assert alarm is not None and alarm.kind == ALARM_OF.get(sensor, "other")
    assert (detected("camera_alarm", None), detected("a kind of tomorrow", None)) == (None, None)


async def test_detections_of_one_device_follow_each_other():
    reaction = detections(Book())
    assert reaction.apart and reaction.key(seen(), recorded(seen(), HERE)) == f"device:{DEVICE}"
