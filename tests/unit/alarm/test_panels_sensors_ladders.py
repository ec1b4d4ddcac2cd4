"""Panels, sensors and deadlines: installed, changed, said once."""

from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest
from msgspec.structs import astuple, replace

from libs.eventkit.decider import Refused, Release, Take
from services.alarm.domain.kinds import IncidentKind, Place, Severity
from services.alarm.domain.ladder_settings import LADDER_SETTINGS, LONGEST, LadderSet, SetLadder, ladder_id_of
from services.alarm.domain.ladders import LADDERS, Ladder, levels_of
from services.alarm.domain.panels import PANELS, InstallPanel, PanelInstalled
from services.alarm.domain.sensors import ALARM_OF, SENSORS, InstallSensor, SensorInstalled, SensorKind
from tests.unit.alarm.samples import BUILDING, DEVICE, HERE, NOW, PANEL, SENSOR

INSTALLED = PanelInstalled(PANEL, DEVICE, "east")
HANGS = SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", Place(BUILDING, 1, 3, None, "corridor"))
SLOW = Ladder(61, 181, 121, 7201, 61)


def decided(decider, command, *events):
    return decider.decide[type(command)](command, decider.fold(events))


def test_a_panel_is_installed_once_and_again_when_device_or_name_are_others():
    assert decided(PANELS, InstallPanel(PANEL, DEVICE, "east")) == [INSTALLED]
    assert decided(PANELS, InstallPanel(PANEL, DEVICE, "east"), INSTALLED) == []
    assert decided(PANELS, InstallPanel(PANEL, DEVICE, "west"), INSTALLED) == [PanelInstalled(PANEL, DEVICE, "west")]
    assert decided(PANELS, InstallPanel(PANEL, SENSOR, "east"), INSTALLED) == [PanelInstalled(PANEL, SENSOR, "east")]


def test_a_device_speaks_for_one_panel():
    assert tuple(PANELS.claims(InstallPanel(PANEL, DEVICE, "east"), INSTALLED)) == (
        Release("panel-device"), Take("panel-device", str(DEVICE), "device_speaks_for_another_panel"))


def test_a_sensor_is_installed_once_and_keeps_its_id_where_it_is_moved_or_replaced():
    assert decided(SENSORS, InstallSensor(HANGS)) == [HANGS]
    assert decided(SENSORS, InstallSensor(HANGS), HANGS) == []
    for changed in (replace(HANGS, zone=8), replace(HANGS, kind="heat"), replace(HANGS, place=Place(BUILDING, 2))):
        assert decided(SENSORS, InstallSensor(changed), HANGS) == [changed]


@pytest.mark.parametrize("wrong", [{"partition": -1}, {"partition": 10_000}, {"zone": -1}, {"zone": 100_000_000}])
def test_a_zone_that_no_panel_has_is_refused(wrong: dict[str, int]):
    with pytest.raises(Refused, match="zone_out_of_range"):
        decided(SENSORS, InstallSensor(replace(HANGS, **wrong)))


def test_a_zone_has_one_sensor():
    assert tuple(SENSORS.claims(InstallSensor(HANGS), HANGS)) == (
        Release("zone"), Take("zone", f"{PANEL}/1/7", "zone_has_another_sensor"))
    on_one = replace(HANGS, code="VMD")
    assert tuple(SENSORS.claims(InstallSensor(on_one), on_one))[1] == Take("zone", f"{PANEL}/1/7/VMD", "zone_has_another_sensor")


def test_every_kind_of_sensor_but_one_tells_a_kind_of_alarm():
    assert set(ALARM_OF) == set(get_args(SensorKind)) - {"other"} and set(ALARM_OF.values()) <= set(get_args(IncidentKind))


def test_what_is_worse_has_less_time_for_every_step():
    critical, high, low = (astuple(LADDERS[severity]) for severity in ("critical", "high", "low"))
    assert all(a < b < c for a, b, c in zip(critical, high, low, strict=True))
    assert critical == (60, 180, 120, 7200, 60) and set(LADDERS) == set(get_args(Severity))


def test_each_step_has_its_own_deadline():
    seconds = {"acknowledgement": 1, "verification": 2, "dispatch": 3, "resolution": 4}
    assert all(Ladder(1, 2, 3, 4, 5).until(step, NOW) == NOW + timedelta(seconds=s) for step, s in seconds.items())


@pytest.mark.parametrize("kind", get_args(IncidentKind))
def test_each_level_tells_more_and_of_duress_and_panic_the_police(kind: IncidentKind):
    first, second, third = levels_of(kind)
    assert first == ("guard", "staff") and set(first) < set(second) < set(third)
    assert set(third) - set(second) == {"police" if kind in ("duress", "panic") else "operator"}


def test_a_community_sets_deadlines_and_says_so_once():
    asked, said = SetLadder("critical", SLOW), LadderSet("critical", SLOW)
    assert decided(LADDER_SETTINGS, asked) == [said]
    assert decided(LADDER_SETTINGS, asked, said) == []
    assert decided(LADDER_SETTINGS, SetLadder("critical", LADDERS["critical"])) == [], "these are the usual ones"
    assert decided(LADDER_SETTINGS, SetLadder("critical", LADDERS["critical"]), said) == [LadderSet("critical", LADDERS["critical"])]


@pytest.mark.parametrize("wrong", [{"acknowledge": 0}, {"verify": LONGEST + 1}, {"dispatch": -1}, {"resolve": 0}, {"again": 0}])
def test_a_deadline_that_is_none_is_refused(wrong: dict[str, int]):
    with pytest.raises(Refused, match="deadline_out_of_range"):
        decided(LADDER_SETTINGS, SetLadder("critical", replace(SLOW, **wrong)))


def test_each_severity_of_each_community_has_its_own_ladder():
    assert len({ladder_id_of(c, s) for c in (HERE, UUID(int=99)) for s in get_args(Severity)}) == 6
