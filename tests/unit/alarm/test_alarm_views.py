"""The tables of alarm: what they show of a history, folded twice; in what order they are read."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql

from libs.contracts.devices import DetectionReported, PanelSignalled
from libs.eventkit.recorded import Recorded
from services.alarm.domain.incident_history import (
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
)
from services.alarm.domain.kinds import Place
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import SensorInstalled
from services.alarm.main import SERVICE
from services.alarm.views import incidents, panels, sensors
from tests.kit import folded, recorded
from tests.unit.alarm.samples import (
    ABOUT,
    ACKNOWLEDGE,
    ACKNOWLEDGED,
    AGAIN,
    ANN,
    BEN,
    BUILDING,
    DEVICE,
    DISPATCHED,
    HERE,
    NOW,
    PANEL,
    RAISED,
    REPORT,
    SENSOR,
    SOURCE,
    VERIFIED,
    after,
    when,
)

CATALOGUE = SERVICE.catalogue()
HANGS = SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", Place(BUILDING, 1, 3, None, "corridor"))
FALSE, RESOLVED = IncidentFoundFalse(ABOUT, ANN, "dust"), IncidentResolved(ABOUT, ANN, "put_out")


def rows_of(*events: Any) -> list[Recorded]:
    return [
        recorded(event, HERE, position=n, stream=f"source:{SOURCE}", version=n, at=after(n), event_id=UUID(int=500 + n))
        for n, event in enumerate(events, 1)]


def table(view: Any, *events: Any) -> list[dict[str, Any]]:
    """Folded twice: as it should be after the same rows have come again from the beginning."""
    log = rows_of(*events)
    found = folded(view, CATALOGUE, log).get(HERE, [])
    assert folded(view, CATALOGUE, log).get(HERE, []) == found
    return found


def incident(*events: Any, **wanted: Any) -> None:
    (row,) = table(incidents.VIEW, RAISED, *events)
    assert {name: row[name] for name in wanted} == wanted


def iso(seconds: int) -> str:
    return after(seconds).isoformat().replace("+00:00", "Z")


def test_an_incident_is_raised_and_waits_to_be_acknowledged():
    incident(
        state="raised", kind="fire", severity="critical", owner=None, count=1, active=True, level=0, waiting_for="acknowledgement",
        due=iso(60), raised_at=iso(1), last_at=iso(1), ended_at=None, outcome=None, rank=0, order_no=1, silent=False, live=True,
        source_id=str(SOURCE), sensor_id=str(SENSOR), device_id=str(DEVICE), code="contact_id:1110")


def test_each_step_shows_its_state_its_owner_and_its_deadline():
    escalated = IncidentEscalated(ABOUT, 1, "acknowledgement", after(60), ("guard",), after(120))
    incident(escalated, state="raised", level=1, due=iso(60))
    incident(escalated, ACKNOWLEDGED, state="acknowledged", owner=str(ANN), level=0, waiting_for="verification", due=iso(190))
    escalated = replace(escalated, level=2)
    incident(ACKNOWLEDGED, escalated, replace(ACKNOWLEDGED, by=BEN), owner=str(BEN), level=2, due=iso(190), state="acknowledged")
    incident(ACKNOWLEDGED, escalated, VERIFIED, state="verified", owner=str(ANN), level=0, waiting_for="dispatch", due=iso(140))
    incident(ACKNOWLEDGED, VERIFIED, escalated, DISPATCHED, state="dispatched", level=0, waiting_for="resolution", due=iso(7230))
    second = IncidentDispatched(ABOUT, ANN, "guard", BEN, after(7230))
    incident(ACKNOWLEDGED, VERIFIED, DISPATCHED, escalated, second, state="dispatched", level=2)


@pytest.mark.parametrize(("events", "state", "waiting_for", "due"), [
    ((ACKNOWLEDGED,), "acknowledged", "verification", 190), ((ACKNOWLEDGED, VERIFIED), "verified", "dispatch", 140),
    ((ACKNOWLEDGED, VERIFIED, DISPATCHED), "dispatched", "resolution", 7230)])
def test_whoever_takes_over_changes_the_owner_alone(events: tuple[Any, ...], state: str, waiting_for: str, due: int):
    escalated = IncidentEscalated(ABOUT, 2, "verification", after(190), ("guard",), after(250))
    (taken,) = when(replace(ACKNOWLEDGE, by=BEN, take_over=True), RAISED, *events)
    incident(*events, escalated, taken, state=state, owner=str(BEN), waiting_for=waiting_for, due=iso(due), level=2)


def test_repeats_count_and_a_restore_is_seen_and_ends_nothing():
    repeated = IncidentRepeated(ABOUT, AGAIN, "contact_id:1110", None, True, 2)
    incident(repeated, count=2, last_at=iso(2), raised_at=iso(1), active=True)
    incident(IncidentRestored(ABOUT, AGAIN), active=False, state="raised", due=iso(60), rank=0)
    incident(IncidentRestored(ABOUT, AGAIN), repeated, active=True, count=2)


@pytest.mark.parametrize(("events", "state", "outcome"), [
    ((ACKNOWLEDGED, FALSE), "false", "dust"), ((ACKNOWLEDGED, VERIFIED, RESOLVED), "resolved", "put_out")])
def test_what_is_over_waits_for_nothing_and_comes_last(events: tuple[Any, ...], state: str, outcome: str):
    ended = len(events) + 1
    incident(
        *events, state=state, outcome=outcome, ended_at=iso(ended), waiting_for=None, due=None, rank=incidents.CLOSED, order_no=-1,
        owner=str(ANN))
    incident(*events, IncidentRestored(ABOUT, AGAIN), state=state, active=False, rank=incidents.CLOSED)


def test_an_event_of_an_incident_that_is_not_there_makes_none():
    assert table(incidents.VIEW, ACKNOWLEDGED, RESOLVED) == []


def test_the_version_is_that_of_the_last_thing_shown():
    incident(version=1)
    incident(ACKNOWLEDGED, VERIFIED, version=3)
    rows = {row["incident_id"]: row["version"] for row in table(
        incidents.VIEW, RAISED, ACKNOWLEDGED, FALSE, replace(RAISED, about=replace(ABOUT, incident_id=AGAIN)))}
    assert rows == {str(REPORT): 3, str(AGAIN): 4}, "what came of the source afterwards is another incident"


def test_each_incident_of_a_source_has_its_row():
    anew = replace(RAISED, about=replace(ABOUT, incident_id=AGAIN, severity="low"))
    rows = {row["incident_id"]: row for row in table(incidents.VIEW, RAISED, ACKNOWLEDGED, FALSE, anew)}
    assert {i: (row["state"], row["rank"], row["order_no"]) for i, row in rows.items()} == {
        str(REPORT): ("false", incidents.CLOSED, -1), str(AGAIN): ("raised", 2, 4)}


def sql(query: Any) -> str:
    return str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})).partition("WHERE")[2]


def test_the_queue_is_read_in_its_order_and_goes_on_where_it_stopped():
    assert " ".join(sql(incidents.page_of("open", None, 10)).split()) == (
        "incidents.rank < 9 ORDER BY incidents.rank, incidents.order_no LIMIT 10")
    assert "incidents.rank = 9" in sql(incidents.page_of("closed", None, 10))
    assert "(incidents.rank, incidents.order_no) > (1, 17)" in sql(incidents.page_of("all", (1, 17), 10))
    assert "rank <" not in sql(incidents.page_of("all", (1, 17), 10)) and sql(incidents.page_of("all", None, 10)) == ""


def sensor(*events: Any) -> tuple[int, int, int, int]:
    (row,) = table(sensors.VIEW, *events)
    return row["raised"], row["verified"], row["found_false"], row["open"]


def test_a_sensor_counts_what_it_raised_and_what_became_of_it():
    assert sensor(HANGS) == (0, 0, 0, 0)
    assert sensor(HANGS, RAISED) == sensor(HANGS, RAISED, ACKNOWLEDGED) == (1, 0, 0, 1)
    assert sensor(HANGS, RAISED, ACKNOWLEDGED, FALSE) == (1, 0, 1, 0)
    assert sensor(HANGS, RAISED, ACKNOWLEDGED, VERIFIED) == (1, 1, 0, 1)
    assert sensor(HANGS, RAISED, ACKNOWLEDGED, VERIFIED, RESOLVED) == (1, 1, 0, 0)
    assert sensor(HANGS, RAISED, IncidentRepeated(ABOUT, AGAIN, "x", None, True, 2)) == (1, 0, 0, 1), "folded is one"


def test_a_sensor_that_is_moved_keeps_its_counts():
    log = (HANGS, RAISED, ACKNOWLEDGED, FALSE, replace(HANGS, zone=9))
    (row,) = table(sensors.VIEW, *log)
    assert (row["zone"], row["found_false"], row["version"]) == (9, 1, 5)


def test_what_no_sensor_raised_counts_for_none():
    assert table(sensors.VIEW, replace(RAISED, about=replace(ABOUT, sensor_id=None))) == []
    assert table(sensors.VIEW, RAISED) == []


@pytest.mark.parametrize(("verified", "false", "rate"), [(0, 0, None), (1, 0, 0.0), (0, 2, 1.0), (1, 3, 0.75)])
def test_the_rate_is_of_what_was_judged(verified: int, false: int, rate: float | None):
    assert sensors.rate(verified, false) == rate


def test_sensors_are_listed_by_panel_too():
    assert f"panel_id = '{PANEL}'" in sql(sensors.page_of(None, 10, PANEL)) and sql(sensors.page_of(None, 10)) == ""


def test_a_panel_shows_as_it_was_said_last():
    (row,) = table(panels.PANELS_VIEW, PanelInstalled(PANEL, DEVICE, "east"), PanelInstalled(PANEL, AGAIN, "west"))
    assert (row["device_id"], row["name"], row["version"]) == (str(AGAIN), "west", 2)


@pytest.mark.parametrize(("protocol", "code", "effect", "english"), [
    ("contact_id", "1110", "raises", "Fire"), ("contact_id", "3110", "restores", "Fire"),
    ("contact_id", "1401", "history", "Open/close by user"), ("contact_id", "1602", "history", "Periodic test report"),
    ("sia", "FR", "restores", "Fire restoral"), ("sia", "??", "raises", "Unknown")])
def test_all_that_a_panel_said_is_kept_with_what_it_means(protocol: Any, code: str, effect: str, english: str):
    said = PanelSignalled(REPORT, DEVICE, protocol, code, 1, 7, False, True, NOW, ())
    (row,) = table(panels.SIGNALS_VIEW, said, said)
    assert (row["effect"], row["english"], row["at"], row["position"], row["code"]) == (effect, english, iso(1), 1, code)


def test_what_was_said_stays_its_panels_whatever_device_speaks_for_it_later():
    west, used, new = UUID(int=901), UUID(int=902), UUID(int=903)

    def said(number: int, device_id: UUID) -> PanelSignalled:
        return PanelSignalled(UUID(int=number), device_id, "contact_id", "1110", 1, 7, False, True, NOW, ())

    rows = table(
        panels.SIGNALS_VIEW, said(951, DEVICE), PanelInstalled(PANEL, DEVICE, "east"), PanelInstalled(west, used, "west"),
        said(952, DEVICE), said(953, used), PanelInstalled(west, new, "west"), said(954, used),
        PanelInstalled(PANEL, used, "east"), said(955, used), said(956, new), said(957, DEVICE))
    found = {UUID(row["report_id"]).int: UUID(row["said_for"]) for row in rows if row["said_for"]}
    assert found == {951: PANEL, 952: PANEL, 953: west, 954: PANEL, 955: PANEL, 956: west, 957: DEVICE}, "954 spoke for none until then"


def test_what_a_camera_sees_is_kept_where_it_speaks_for_a_panel():
    def seen(number: int, kind: str, state: str | None, device_id: UUID = DEVICE) -> DetectionReported:
        return DetectionReported(
            UUID(int=number), device_id, kind, "VMD", state, None, None, True, False, NOW, None, (), channel=3)

    rows = table(
        panels.SIGNALS_VIEW, seen(950, "pir", None), PanelInstalled(PANEL, DEVICE, "yard"), seen(951, "camera_alarm", "active"),
        seen(952, "camera_alarm", "inactive"), seen(953, "tamper", None), seen(953, "tamper", None), seen(954, "panic", None, AGAIN),
        seen(955, "a kind of tomorrow", None))
    found = {UUID(row["report_id"]).int: (row["effect"], row["english"], row["zone"]) for row in rows if row["said_for"]}
    assert found == {
        951: ("detects", "Camera alarm", 3), 952: ("restores", "Camera alarm", 3), 953: ("raises", "Tamper", 3),
        955: ("detects", "Unknown", 3)}
    assert {(row["protocol"], row["code"], row["by_user"]) for row in rows if row["said_for"]} == {("event", "VMD", False)}


def test_a_number_that_no_panel_has_stops_no_table():
    said = PanelSignalled(REPORT, DEVICE, "sia", "FA", 10**30, 99_999_999, False, True, NOW, ())
    (row,) = table(panels.SIGNALS_VIEW, said)
    assert (row["partition"], row["zone"]) == (None, 99_999_999)


def test_what_a_panel_said_is_read_from_the_newest_on():
    assert "ORDER BY panel_signals.position DESC" in sql(panels.signals_of(DEVICE, 7, 10))
    assert "panel_signals.position < 7" in sql(panels.signals_of(DEVICE, 7, 10))
    assert "position <" not in sql(panels.signals_of(uuid4(), None, 10))
