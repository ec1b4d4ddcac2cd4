"""What is made of what others say: each signal one command to its source."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.contracts import access, devices
from libs.eventkit.db import is_away
from libs.eventkit.problems import Problem
from libs.eventkit.reactions import Do
from services.alarm.book import AlarmBook
from services.alarm.domain.incident_history import About, IncidentRaised, IncidentRestored, Quiet, Source
from services.alarm.domain.incidents import INCIDENTS, RaiseIncident, RestoreSource
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladder_settings import LadderSet
from services.alarm.domain.ladders import LADDERS, Ladder
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import SensorInstalled
from services.alarm.domain.signals import source_of_duress, source_of_line, source_of_zone
from services.alarm.reactions import duress, lines, panel_signals, reactions
from tests.kit import recorded
from tests.unit.alarm.samples import ANN, BUILDING, DEVICE, HERE, NOW, PANEL, REPORT, SENSOR

CORRIDOR = Place(BUILDING, 1, 3, None, "corridor")
FIRE = source_of_zone(DEVICE, 1, 7, False, "fire", "")
DOOR = uuid4()
APP: Any = None
"""What only some ask, as they run."""


class Book(AlarmBook):
    """Fresh, or as fresh as `problem` says."""

    def __init__(self, *events: Any, warm: bool = True, problem: Problem | None = None) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.memory._fresh_at = 1.0 if warm else self.memory._fresh_at

        async def fresh(position: int = 0) -> None:
            self.asked.append(position)
            if problem is not None:
                raise problem

        self.memory.fresh = fresh  # type: ignore[method-assign]
        for event in events:
            self.memory.apply(event, recorded(event, HERE))


PLACED = (PanelInstalled(PANEL, DEVICE, "east"), SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", CORRIDOR))


def signal(code: str, **more: Any) -> devices.PanelSignalled:
    said = {"protocol": "contact_id", "partition": 1, "zone": 7, "user": False, "live": True, **more}
    return devices.PanelSignalled(report_id=REPORT, device_id=DEVICE, code=code, findings=(), **{"device_time": None, **said})


def signals(book: AlarmBook, **standing: Source) -> Any:
    """By the kind of source in zone 7 how it stands, else nothing has ever been said of it."""
    known = {source_of_zone(DEVICE, 1, 7, False, kind, "F"): source for kind, source in standing.items()}

    async def asks(source_id: UUID, community_id: UUID) -> Source:
        assert community_id == HERE
        return known.get(source_id, Quiet())

    return panel_signals(book, asks)


async def asked(reaction: Any, event: Any) -> list[Do]:
    return list(await reaction.on[type(event)](event, recorded(event, HERE, position=9, source="devices", at=NOW)))


async def raised(event: devices.PanelSignalled, *placed: Any) -> RaiseIncident:
    (do,) = await asked(signals(Book(*(placed or PLACED))), event)
    assert isinstance(do.command, RaiseIncident) and do.subject_id == do.command.about.source_id and do.new
    return do.command


async def test_a_smoke_detector_raises_fire_where_it_hangs():
    book = Book(*PLACED)
    (do,) = await asked(signals(book), signal("1110"))
    assert do.command == RaiseIncident(
        About(REPORT, FIRE, "fire", "critical", False, CORRIDOR, SENSOR, DEVICE), REPORT, "contact_id:1110", True, LADDERS["critical"],
        NOW)
    assert (do.subject_id, len(do.caused_by), book.asked) == (FIRE, 2, [9])


async def test_what_is_told_late_says_so_and_what_the_community_set_counts():
    assert not (await raised(signal("1110", live=False))).live
    ladder = Ladder(1, 2, 3, 4, 5)
    assert (await raised(signal("1110"), *PLACED, LadderSet("critical", ladder))).ladder == ladder


async def test_a_zone_that_nobody_knows_raises_at_its_panel_and_a_panel_that_nobody_knows_too():
    assert (await raised(signal("1110", zone=8))).about.place == Place(name="east")
    unknown = await raised(signal("1110"), LadderSet("low", LADDERS["low"]))
    assert (unknown.about.place, unknown.about.sensor_id, unknown.about.source_id) == (Place(), None, FIRE)


async def test_the_number_of_a_user_is_no_zone():
    command = await raised(signal("1121", user=True))
    assert (command.about.sensor_id, command.about.silent, command.about.kind) == (None, True, "duress")
    assert command.about.source_id == source_of_zone(DEVICE, 1, 7, True, "duress", "")


@pytest.mark.parametrize("code", ["3400", "1400", "1602", "1570", "3602"])
async def test_what_is_history_asks_nothing_of_anybody(code: str):
    book = Book(*PLACED)
    assert await asked(signals(book), signal(code)) == [] and book.asked == []


async def test_a_restore_goes_to_the_source_that_was_raised():
    (do,) = await asked(signals(Book(*PLACED)), signal("3110"))
    assert (do.subject_id, do.command) == (FIRE, RestoreSource(FIRE, REPORT))


async def test_a_restoral_of_sia_is_of_all_that_the_zone_can_have_and_only_the_first_is_kept():
    done = await asked(signals(Book(*PLACED)), signal("FR", protocol="sia"))
    wanted = [("fire", "", True), ("trouble", "F", False), ("supervisory", "F", False)]
    assert [do.command for do in done] == [
        RestoreSource(source_of_zone(DEVICE, 1, 7, False, kind, condition), REPORT, kept) for kind, condition, kept in wanted]
    assert len({do.name for do in done}) == 3


@pytest.mark.parametrize("kind", ["trouble", "supervisory"])
async def test_a_restoral_that_does_not_say_of_what_is_of_the_fault_where_one_is_open_and_calls_no_fire_well(kind: Any):
    about = About(uuid4(), uuid4(), kind, "high", False, CORRIDOR)
    raised_ = IncidentRaised(about, uuid4(), "sia:FT", None, True, LADDERS["high"], NOW)
    restored = INCIDENTS.fold((raised_, IncidentRestored(about, REPORT)))
    faults = [("trouble", "F", False), ("supervisory", "F", False)]
    every, before = [("fire", "", True), *faults], INCIDENTS.fold((raised_, IncidentRestored(about, uuid4())))
    for stands, wanted in (
            (INCIDENTS.fold((raised_,)), faults), (restored, faults),  # the latter: by this very report, tried again after a crash
            (before, every), (Quiet(), every)):
        done = await asked(signals(Book(*PLACED), **{kind: stands}), signal("FR", protocol="sia"))
        assert [do.command for do in done] == [
            RestoreSource(source_of_zone(DEVICE, 1, 7, False, k, c), REPORT, kept) for k, c, kept in wanted]
    (named,) = await asked(signals(Book(*PLACED), **{kind: INCIDENTS.fold((raised_,))}), signal("FH", protocol="sia"))
    assert named.subject_id == FIRE, "it says of what"


async def test_when_it_was_by_the_devices_clock_goes_with_what_is_raised_and_with_what_is_restored():
    assert (await raised(signal("1110", device_time=NOW))).device_time == NOW
    done = await asked(signals(Book(*PLACED)), signal("FR", protocol="sia", device_time=NOW))
    assert [do.command.device_time for do in done] == [NOW, NOW, NOW]


async def test_an_alarm_of_no_kind_is_of_the_kind_of_its_sensor_and_so_is_its_restore():
    for code, protocol in (("UA", "sia"), ("1140", "contact_id")):
        command = await raised(signal(code, protocol=protocol))
        assert (command.about.kind, command.about.severity, command.about.source_id) == ("fire", "critical", FIRE)
    done = await asked(signals(Book(*PLACED)), signal("UR", protocol="sia"))
    assert done[0].subject_id == FIRE
    bare = await raised(signal("UA", protocol="sia", zone=8))
    assert (bare.about.kind, bare.about.severity) == ("other", "high")


async def test_a_code_that_nobody_knows_is_of_no_sensors_kind():
    command = await raised(signal("1999"))
    assert (command.about.kind, command.about.sensor_id, command.code) == ("other", SENSOR, "contact_id:1999")
    assert command.about.source_id == source_of_zone(DEVICE, 1, 7, False, "other", "999")


async def test_two_zones_do_not_wait_for_each_other_and_one_zone_keeps_its_order():
    reaction = signals(Book())
    keys = {reaction.key(event, recorded(event, HERE)) for event in (
        signal("1110"), signal("3110"), signal("1110", zone=8), signal("1110", partition=2))}
    assert reaction.apart and len(keys) == 3


async def test_memory_that_cannot_be_asked_holds_up_no_alarm_unless_it_knows_nothing_at_all():
    away = Problem(503, "not_ready")
    (do,) = await asked(signals(Book(*PLACED, problem=away)), signal("1110"))
    assert do.command.about.sensor_id == SENSOR
    with pytest.raises(Exception) as raised:
        await asked(signals(Book(warm=False, problem=away)), signal("1110"))
    assert is_away(raised.value), "it would be parked until somebody looks"


async def test_a_line_that_falls_silent_is_an_incident_and_one_that_is_back_is_well():
    source, reaction = source_of_line(DEVICE), lines(Book(*PLACED))
    event = devices.LineSilent(DEVICE, 90, NOW)
    row = recorded(event, HERE, source="devices", at=NOW)
    (do,) = await reaction.on[type(event)](event, row)
    about = About(row.event_id, source, "line", "high", False, Place(name="east"), None, DEVICE)
    assert do.command == RaiseIncident(about, row.event_id, "line", True, LADDERS["high"], NOW)
    back = devices.LineBack(DEVICE)
    row = recorded(back, HERE, source="devices")
    (do,) = await reaction.on[type(back)](back, row)
    assert (do.subject_id, do.command) == (source, RestoreSource(source, row.event_id))


async def test_duress_at_a_door_is_silent_and_in_its_building():
    opened = access.DoorInstalled(DOOR, "east door", f"building:{BUILDING}", DEVICE, 1)
    event = access.DuressSignalled(REPORT, DOOR, ANN, True, NOW)
    (do,) = await asked(duress(Book(opened)), event)
    about = About(REPORT, source_of_duress(DOOR), "duress", "critical", True, Place(building_id=BUILDING, name="east door"))
    assert do.command == RaiseIncident(about, REPORT, "duress", True, LADDERS["critical"], NOW, ANN)
    (late,) = await asked(duress(Book()), replace(event, live=False))
    assert (late.command.live, late.command.about.place) == (False, Place())


def test_alarm_hears_panels_cameras_lines_and_doors():
    assert {event for reaction in reactions(APP, Book()) for event in reaction.on} == {
        devices.PanelSignalled, devices.DetectionReported, devices.LineSilent, devices.LineBack, access.DuressSignalled}
    panels, _, lines_, doors = reactions(APP, Book())
    for reaction, event in zip(
            (panels, lines_, doors),
            (signal("1110"), devices.LineBack(DEVICE), access.DuressSignalled(REPORT, DOOR, None, True, NOW)), strict=True):
        assert str(DOOR if isinstance(event, access.DuressSignalled) else DEVICE) in reaction.key(event, recorded(event, HERE))
