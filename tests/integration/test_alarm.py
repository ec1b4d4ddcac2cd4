"""alarm on a real database: from the panel's signal to the end of its incident; deadlines on time, also after a restart."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import DateTime

from libs.contracts import access, devices
from libs.eventkit.commands import Context
from libs.eventkit.service import App
from services.alarm.domain.incident_history import About, IncidentEscalated, IncidentRaised, IncidentRepeated, Raised
from services.alarm.domain.incidents import INCIDENTS, EscalateIncident, RaiseIncident
from services.alarm.domain.ladders import LADDERS
from services.alarm.main import SERVICE
from tests.integration.alarm_desk import (
    ANN,
    BUILDING,
    CORRIDOR,
    DEVICE,
    DOOR,
    GUARD,
    PANEL,
    SENSOR,
    Desk,
    context,
    desk_at,
    signal,
)
from tests.kit import caught_up, everything, folded, held, until

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def desk(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with desk_at(app_of, community, monkeypatch) as found:
        yield found


async def test_a_fire_from_the_first_signal_to_its_end(desk: Desk) -> None:
    incident = await desk.signals("1110")
    await desk.signals("1110")
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert (shown["id"], shown["kind"], shown["severity"], shown["state"], shown["count"], shown["sensor_id"]) == (
        str(incident), "fire", "critical", "raised", 2, str(SENSOR))
    assert shown["place"] == {"building_id": str(BUILDING), "unit": 1, "floor": 3, "home_id": None, "name": "corridor"}
    await desk.refused(incident, "verifications", {"how": "on_site"}, "not_acknowledged")
    await desk.does(incident, "acknowledgements", {})
    await desk.does(incident, "verifications", {"how": "on_site"})
    await desk.refused(incident, "false-alarms", {"cause": "cooking"}, "already_verified")
    await desk.does(incident, "dispatches", {"to": "fire_brigade"})
    await desk.does(incident, "dispatches", {"to": "guard", "assignee": str(GUARD)})
    await desk.signals("3110")
    await desk.settled()
    assert (await desk.get(f"/incidents/{incident}"))["active"] is False
    await desk.does(incident, "resolutions", {"how": "put_out"})
    await desk.settled()
    assert (await desk.get("/incidents"))["items"] == []
    (over,) = (await desk.get("/incidents?state=closed"))["items"]
    assert (over["state"], over["outcome"], over["owner"]) == ("resolved", "put_out", str(GUARD))
    history = (await desk.get(f"/incidents/{incident}"))["history"]
    assert [told["type"] for told in history] == [
        "incident_raised", "incident_repeated", "incident_acknowledged", "incident_verified", "incident_dispatched",
        "incident_dispatched", "incident_restored", "incident_resolved"]
    assert all("about" not in told and told["event_id"] and told["at"] for told in history) and len(history[0]["caused_by"]) == 3
    (sensor,) = (await desk.get("/sensors"))["items"]
    assert (sensor["raised"], sensor["verified"], sensor["found_false"], sensor["open"], sensor["false_rate"]) == (1, 1, 0, 0, 0.0)
    await desk.refused(incident, "resolutions", {"how": "left"}, "incident_over")
    await desk.does(incident, "resolutions", {"how": "put_out"})


async def test_views_are_what_the_log_says_and_panels_history_is_whole(desk: Desk) -> None:
    for code in ("1110", "1401", "3110", "1602", "1999", "1301"):
        await desk.signals(code)
    incident = (await desk.signals("1130", zone=9), await desk.settled())[0]
    await desk.does(incident, "acknowledgements", {})
    await desk.does(incident, "false-alarms", {"cause": "insects"})
    await desk.settled()
    pool = await desk.app.database.pool()
    log = await everything(pool)
    for view in SERVICE.views:
        moments = [column.name for column in view.table.columns if isinstance(column.type, DateTime)]
        there, wanted = (await held(pool, view)).get(desk.community), folded(view, desk.app.catalogue, log).get(desk.community)
        for rows in (there, wanted):
            for row in rows or ():
                row |= {name: datetime.fromisoformat(row[name]) for name in moments if row[name] is not None}
        assert there == wanted, view.name
    told = (await desk.get(f"/panels/{PANEL}/signals"))["items"]
    assert [(t["code"], t["effect"]) for t in told] == [
        ("1130", "raises"), ("1301", "raises"), ("1999", "raises"), ("1602", "history"), ("3110", "restores"), ("1401", "history"),
        ("1110", "raises")]
    assert told[0]["name"] == {"en": "Burglary", "zh": "盗警"}
    assert {i["kind"] for i in (await desk.get("/incidents"))["items"]} == {"fire", "other", "trouble"}


async def test_the_end_of_a_fault_calls_no_fire_of_its_zone_well_and_the_next_restoral_does(desk: Desk) -> None:
    said = [signal(code, 7, protocol="sia") for code in ("FA", "FT", "FR", "FR")]
    for several, active in ((said[:3], {"fire": True, "trouble": False}), (said[3:], {"fire": False, "trouble": False})):
        await desk.hears(*several)
        await desk.settled()
        assert {i["kind"]: i["active"] for i in (await desk.get("/incidents"))["items"]} == active


async def test_the_queue_is_worked_off_from_the_worst_and_oldest_page_by_page(desk: Desk) -> None:
    wanted = [await desk.signals(code, zone) for code, zone in (
        ("1301", 1), ("1130", 2), ("1110", 3), ("1130", 4), ("1110", 5))]
    await desk.settled()
    order = [str(wanted[n]) for n in (2, 4, 1, 3, 0)]
    await desk.does(wanted[3], "acknowledgements", {})
    await desk.does(wanted[3], "false-alarms", {"cause": "dust"})
    await desk.settled()
    order = [i for i in order if i != str(wanted[3])] + [str(wanted[3])]
    found, cursor = [], ""
    while cursor is not None:
        page = await desk.get(f"/incidents?state=all&limit=2{f'&cursor={cursor}' if cursor else ''}")
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert found == order
    first = await desk.get("/incidents?state=all&limit=2")
    await desk.ask("GET", f"/incidents?state=open&cursor={first['next']}", status=400)
    await desk.ask("GET", "/incidents?cursor=x", status=400)


async def test_a_thousand_zones_at_once_are_a_thousand_incidents_and_the_same_again_folds(desk: Desk) -> None:
    """One panel, one batch. Roughly measured: it goes through within seconds, whatever else the machine does."""
    await desk.settled()
    storm = [signal("1110", zone) for zone in range(1, 1001)]
    begun = time.monotonic()
    for start in range(0, 1000, 500):
        await desk.hears(*storm[start:start + 500])
    pool = await desk.app.database.pool()
    await caught_up(pool, "alarms_of_panels")
    took = time.monotonic() - begun
    print(f"1,000 signals in {took:.2f} s")
    assert took < 20
    await desk.hears(*(replace(event, report_id=uuid4()) for event in storm[:500]))
    await desk.settled()
    raised, repeated = await desk.said(IncidentRaised), await desk.said(IncidentRepeated)
    assert {e.about.incident_id for e in raised} == {e.report_id for e in storm} and len(raised) == 1000
    assert len({e.about.source_id for e in raised}) == 1000 and len(repeated) == 500
    assert await pool.fetchval("select count(*) from parked") == 0
    assert await pool.fetchval("select count(*) from incidents where state = 'raised'") == 1000


async def test_the_same_report_is_one_though_it_is_heard_twice(desk: Desk) -> None:
    report = await desk.signals("1110")
    await desk.signals("1110", report_id=report)
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert shown["count"] == 1


async def test_what_a_panel_kept_is_raised_late_and_a_restore_that_was_faster_is_not_forgotten(desk: Desk) -> None:
    began = datetime.now(UTC) - timedelta(minutes=20)
    await desk.signals("3110", device_time=began + timedelta(minutes=1))
    late = await desk.signals("1110", live=False, device_time=began)
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert (shown["id"], shown["live"], shown["active"], shown["state"]) == (str(late), False, False, "raised")


async def test_a_silent_line_and_duress_at_a_door_are_incidents_until_a_person_ends_them(desk: Desk) -> None:
    opened = access.DoorInstalled(DOOR, "east door", f"building:{BUILDING}", DEVICE, 1)
    report = uuid4()
    await desk.hears(
        devices.LineSilent(DEVICE, 90, None), opened, access.DuressSignalled(report, DOOR, ANN, True, datetime.now(UTC)),
        devices.LineBack(DEVICE))
    await desk.settled()
    duress, line = (await desk.get("/incidents"))["items"]
    assert (duress["id"], duress["kind"], duress["silent"], duress["raised_by"], duress["place"]["building_id"]) == (
        str(report), "duress", True, str(ANN), str(BUILDING))
    assert (line["kind"], line["state"], line["active"], line["place"]["name"]) == ("line", "raised", False, "east")
    await desk.does(line["id"], "acknowledgements", {})
    await desk.does(line["id"], "verifications", {"how": "call"})
    await desk.does(line["id"], "resolutions", {"how": "repaired"})


# deadlines


async def escalated(desk: Desk, count: int) -> list[IncidentEscalated]:
    async def there() -> Any:
        found = await desk.said(IncidentEscalated)
        return found if len(found) >= count else None

    return list(await until(there))


async def test_nobody_acknowledges_and_level_after_level_is_told_once_until_somebody_does(desk: Desk) -> None:
    body = {"acknowledge": 1, "verify": 600, "dispatch": 600, "resolve": 600, "again": 1}
    await desk.ask("PUT", "/ladders/critical", "staff", body)
    ladders = {one["severity"]: one for one in (await desk.get("/ladders"))["items"]}
    assert ladders["critical"] == {"severity": "critical", **body, "usual": False} and ladders["low"]["usual"]
    incident = await desk.signals("1110")
    found = await escalated(desk, 3)
    assert [(e.level, e.waiting_for, e.next_by is None) for e in found] == [
        (1, "acknowledgement", False), (2, "acknowledgement", False), (3, "acknowledgement", True)]
    rows = [r for r in await everything(await desk.app.database.pool()) if r.type == "incident_escalated"]
    late = [(row.recorded_at - due).total_seconds() for row, due in zip(
        rows, (found[0].due, found[0].next_by, found[1].next_by), strict=True)]
    assert all(0 <= seconds < 2 for seconds in late), late
    await desk.does(incident, "acknowledgements", {})
    await desk.settled()
    shown = await desk.get(f"/incidents/{incident}")
    assert (shown["level"], shown["waiting_for"], shown["state"]) == (0, "verification", "acknowledged")
    assert len(await desk.said(IncidentEscalated)) == 3


async def test_a_deadline_that_passed_while_nothing_ran_is_told_once_by_whoever_runs_then(
    app_of: AppOf, community: UUID, desk: Desk,
) -> None:
    """Raised two minutes ago; the service was killed before anybody was told, and two of it start at once."""
    await desk.app.supervisor.stop()
    source, report = uuid4(), uuid4()
    about = About(report, source, "fire", "critical", False, CORRIDOR)
    then = datetime.now(UTC) - timedelta(minutes=2)
    command = RaiseIncident(about, report, "contact_id:1110", True, LADDERS["critical"], then)
    await desk.app.commands.handle(source, command, Context(community_id=community, now=then))
    both = [Desk(await app_of(SERVICE, beside=desk.app), community, desk.client, desk.heard) for _ in range(2)]
    for other in both:
        other.works()
    (first,) = await escalated(both[0], 1)
    assert (first.level, first.due) == (1, then + timedelta(seconds=60))
    await both[0].settled()
    state, _ = await both[1].app.commands.state(INCIDENTS, source, community)
    assert isinstance(state, Raised) and state.incident.level == 1, "it stays raised"
    assert len(await both[0].said(IncidentEscalated)) == 1
    await both[0].app.commands.handle(source, EscalateIncident(datetime.now(UTC)), context(community))
    assert len(await both[0].said(IncidentEscalated)) == 1, "the next level is not due"
