"""alarm on a real database: from the panel's signal to the end of its incident; deadlines on time, also after a restart; and who may
do what."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, json
from msgspec.structs import replace
from sqlalchemy import DateTime

from libs.contracts import access, devices, identity
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.envelope import Heard
from libs.eventkit.hear import _CALL, _columns
from libs.eventkit.recorded import Meta, Number, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from libs.eventkit.views import follow_views
from services.alarm.domain.incident_history import About, IncidentEscalated, IncidentRaised, IncidentRepeated, Raised
from services.alarm.domain.incidents import INCIDENTS, EscalateIncident, RaiseIncident
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladders import LADDERS
from services.alarm.domain.panels import InstallPanel
from services.alarm.domain.sensors import InstallSensor, SensorInstalled
from services.alarm.main import SERVICE
from tests.kit import caught_up, everything, folded, held, until

AppOf = Callable[..., Awaitable[App]]
BUILDING, HOME, DEVICE, PANEL, SENSOR, ANN, BEN, GUARD, DOOR = (uuid4() for _ in range(9))
CORRIDOR = Place(BUILDING, 1, 3, None, "corridor")


class Desk(Struct):
    """The alarm service with one building, one home where Ann lives, one panel, and a smoke detector on its zone 7."""

    app: App
    community: UUID
    client: httpx.AsyncClient
    heard: dict[str, int] = {}

    def works(self) -> None:
        """All but what hears from Kafka."""
        app = self.app
        app.start_api()
        app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, SERVICE.views))
        for s in app.subscriptions:
            app.supervisor.start(s.name, lambda s=s: follow(app.log, app.wake, s))

    async def hears(self, *events: Any, ids: Sequence[UUID] = ()) -> None:
        """As it takes them from a topic: several in one transaction."""
        rows = []
        for n, event in enumerate(events):
            source = tag_of(event).partition(".")[0]
            before = self.heard.get(source, 0)
            self.heard[source] = before + 1
            data = json.encode(event).decode()
            rows.append((source, Heard(
                self.community, Number(1, before + 1), Number(1, before) if before else Number(),
                ids[n] if ids else uuid4(), tag_of(event), 1, data, Meta(source_time=datetime.now(UTC)))))
        pool = await self.app.database.pool()
        answers = await pool.fetchval(_CALL, *_columns(rows, {source: source for source, _ in rows}))
        assert set(answers) == {"taken"}, answers
        self.app.wake()

    async def signals(self, code: str, zone: int = 7, report_id: UUID | None = None, **more: Any) -> UUID:
        event = signal(code, zone, report_id, **more)
        await self.hears(event)
        return event.report_id

    async def settled(self) -> None:
        """Until everybody has read what there is."""
        pool = await self.app.database.pool()
        names = [*(view.name for view in SERVICE.views), *(s.name for s in self.app.subscriptions)]
        end = await caught_up(pool, *names)
        while (now := await caught_up(pool, *names)) != end:
            end = now

    async def said(self, *types: type) -> list[Any]:
        rows = await everything(await self.app.database.pool())
        found = [self.app.catalogue.read(row) for row in rows if row.community_id == self.community]
        return [event for event in found if isinstance(event, types)]

    async def ask(self, method: str, path: str, who: str = "guard", body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = await self.client.request(
            method, f"/v1{path}", json=body, headers={"authorization": f"Bearer {who}", **headers})
        assert answer.status_code == status, answer.text
        return answer

    async def get(self, path: str, who: str = "guard") -> Any:
        return (await self.ask("GET", path, who)).json()

    async def does(self, incident: Any, what: str, body: Any, who: str = "guard", status: int = 201, **headers: str) -> Any:
        return await self.ask("POST", f"/incidents/{incident}/{what}", who, body, status, **headers)

    async def refused(self, incident: Any, what: str, body: Any, code: str, who: str = "guard", status: int = 409) -> None:
        answer = await self.does(incident, what, body, who, status)
        assert answer.json()["code"] == code and answer.headers["content-type"] == "application/problem+json"


def signal(code: str, zone: int = 7, report_id: UUID | None = None, **more: Any) -> devices.PanelSignalled:
    said = {"protocol": "contact_id", "partition": 1, "user": False, "live": True, "device_id": DEVICE, **more}
    return devices.PanelSignalled(report_id=report_id or uuid4(), code=code, zone=zone, device_time=None, findings=(), **said)


def context(community: UUID) -> Context:
    return Context(community_id=community, now=datetime.now(UTC))


@pytest.fixture
async def desk(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        """`role`, `role:person` or `role:person:community`."""
        role, *more = token.split(":")
        person, where = (*more, "", "")[:2]
        return Principal(
            UUID(person) if person else GUARD, role, frozenset({UUID(where) if where else community}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://alarm", timeout=30) as client:
        found = Desk(app, community, client, {})
        found.works()
        await found.hears(
            identity.BuildingRegistered(BUILDING, "1", 2), identity.HomeRegistered(HOME, BUILDING, 2, "1-2-303"),
            identity.AccountOpened(uuid4(), GUARD, "guard"),
            identity.ResidenceStarted(uuid4(), ANN, HOME, BUILDING, 2, "owner", date(2026, 1, 1)))
        await app.commands.handle(PANEL, InstallPanel(PANEL, DEVICE, "east"), context(community))
        await app.commands.handle(
            SENSOR, InstallSensor(SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", CORRIDOR)), context(community))
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
    await desk.signals("3110")
    late = await desk.signals("1110", live=False)
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


# who may do what


async def test_a_resident_calls_for_help_from_home_and_from_nowhere_else(desk: Desk) -> None:
    body, ann = {"home_id": str(HOME)}, f"resident:{ANN}"
    first = await desk.ask("POST", "/sos", ann, body, 201, **{"idempotency-key": "a"})
    again = await desk.ask("POST", "/sos", ann, body, 201, **{"idempotency-key": "a"})
    assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
    pressed = await desk.ask("POST", "/sos", ann, body, 201)
    assert pressed.json() == first.json(), "it folds into the one that is open"
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert (shown["kind"], shown["severity"], shown["count"], shown["raised_by"], shown["code"]) == ("sos", "critical", 2, str(ANN), "sos")
    assert (shown["place"]["home_id"], shown["place"]["building_id"], shown["place"]["unit"]) == (str(HOME), str(BUILDING), 2)
    answer = await desk.ask("POST", "/sos", f"resident:{BEN}", body, 409)
    assert answer.json()["code"] == "not_a_resident_of_this_home"
    await desk.ask("POST", "/sos", ann, {"home_id": str(uuid4())}, 409)
    await desk.ask("POST", "/sos", "guard", body, 403)


async def test_a_resident_sees_no_incident_and_takes_no_step(desk: Desk) -> None:
    incident, ann = await desk.signals("1121", user=True), f"resident:{ANN}"
    await desk.settled()
    for path in ("/incidents", f"/incidents/{incident}", "/panels", "/sensors", f"/panels/{PANEL}/signals", "/ladders"):
        await desk.ask("GET", path, ann, status=403)
    for what, body in STEPS:
        await desk.does(incident, what, body, ann, 403)
        await desk.does(incident, what, body, "police", 403)
    await desk.ask("POST", "/incidents", ann, {"kind": "fire", "place": {}}, 403)
    await desk.ask("POST", "/panels", "guard", {"device_id": str(uuid4()), "name": "x"}, 403)


STEPS: tuple[tuple[str, Any], ...] = (
    ("acknowledgements", {}), ("verifications", {"how": "camera"}), ("false-alarms", {"cause": "dust"}), ("dispatches", {"to": "guard"}),
    ("resolutions", {"how": "left"}))


async def test_an_incident_of_another_community_is_not_there(desk: Desk) -> None:
    incident, foreign = await desk.signals("1110"), f"guard:{GUARD}:{uuid4()}"
    await desk.settled()
    await desk.ask("GET", f"/incidents/{incident}", foreign, status=404)
    assert (await desk.get("/incidents?state=all", foreign))["items"] == []
    for what, body in STEPS:
        await desk.refused(incident, what, body, "incident_not_found", foreign, 404)
        await desk.refused(uuid4(), what, body, "incident_not_found", status=404)
    await desk.ask("GET", f"/panels/{PANEL}/signals", foreign, status=404)
    staff, seen = foreign.replace("guard", "staff"), {"if-match": "1"}
    for place in ({"building_id": str(BUILDING)}, {"home_id": str(HOME)}):
        await desk.ask("POST", "/incidents", foreign, {"kind": "fire", "place": place}, 404)
        sensor = {"panel_id": str(PANEL), "zone": 9, "kind": "smoke", "place": place}
        await desk.ask("POST", "/sensors", staff, sensor, 404)
        await desk.ask("PUT", f"/sensors/{SENSOR}", staff, sensor, 404, **seen)
    await desk.ask("PUT", f"/panels/{PANEL}", staff, {"device_id": str(DEVICE), "name": "mine"}, 404, **seen)
    for path in ("/panels", "/sensors"):
        assert (await desk.get(path, staff))["items"] == []
    answer = await desk.ask("POST", "/sos", f"resident:{ANN}:{foreign[-36:]}", {"home_id": str(HOME)}, 409)
    assert answer.json()["code"] == "not_a_resident_of_this_home", "as for a home that is nowhere"


async def test_two_guards_one_incident(desk: Desk) -> None:
    incident = await desk.signals("1110")
    await desk.settled()
    await desk.does(incident, "acknowledgements", {})
    await desk.does(incident, "acknowledgements", {})
    other = f"guard:{BEN}"
    await desk.refused(incident, "acknowledgements", {}, "acknowledged_by_another", other)
    await desk.does(incident, "acknowledgements", {"take_over": True}, other)
    await desk.settled()
    shown = await desk.ask("GET", f"/incidents/{incident}")
    assert shown.json()["owner"] == str(BEN)
    await desk.signals("1110")
    await desk.settled()
    seen = {"if-match": shown.headers["etag"]}
    await desk.does(incident, "verifications", {"how": "camera"}, status=412, **seen)
    seen = {"if-match": (await desk.ask("GET", f"/incidents/{incident}")).headers["etag"]}
    await desk.does(incident, "verifications", {"how": "camera"}, **seen)


async def test_by_hand_each_place_and_kind_is_one_incident(desk: Desk) -> None:
    lobby, roof = {"building_id": str(BUILDING), "name": "lobby"}, {"building_id": str(BUILDING), "name": "roof"}
    answers = [
        (await desk.ask("POST", "/incidents", "guard", {"kind": kind, "place": place}, 201)).json()["id"]
        for kind, place in (("fire", lobby), ("fire", lobby), ("water", lobby), ("fire", roof))]
    assert answers[0] == answers[1] and len(set(answers)) == 3
    home = (await desk.ask("POST", "/incidents", "staff", {"kind": "gas", "place": {"home_id": str(HOME)}}, 201)).json()["id"]
    await desk.settled()
    shown = await desk.get(f"/incidents/{home}")
    assert (shown["place"]["building_id"], shown["place"]["name"], shown["raised_by"], shown["code"]) == (
        str(BUILDING), "1-2-303", str(GUARD), "manual")
    await desk.ask("POST", "/incidents", "guard", {"kind": "fire", "place": {"building_id": str(uuid4())}}, 404)
    await desk.ask("POST", "/incidents", "guard", {"kind": "fire", "place": {"home_id": str(HOME), "unit": 1}}, 409)
    for wrong in ({"kind": "line", "place": {}}, {"kind": "fire"}, {"kind": "fire", "place": {}, "more": 1}):
        assert (await desk.ask("POST", "/incidents", "guard", wrong, 422)).json()["code"] == "invalid"


async def test_input_that_is_none_is_refused_before_anything_happens(desk: Desk) -> None:
    incident = await desk.signals("1110")
    await desk.settled()
    for what, body in (
            ("acknowledgements", {"take_over": "perhaps"}), ("verifications", {"how": "guess"}), ("false-alarms", {}),
            ("dispatches", {"to": "army"}), ("dispatches", {"to": "guard", "assignee": "x"}), ("resolutions", {"how": "put_out", "x": 1})):
        await desk.does(incident, what, body, status=422)
    await desk.refused(incident, "dispatches", {"to": "guard", "assignee": str(uuid4())}, "person_not_found", status=404)
    await desk.hears(identity.AccountOpened(uuid4(), ANN, "resident"))
    await desk.refused(incident, "dispatches", {"to": "guard", "assignee": str(ANN)}, "assignee_not_on_duty")
    await desk.ask("PUT", "/ladders/critical", "guard", {}, 403)
    await desk.ask("PUT", "/ladders/worst", "staff", {}, 422)
    assert len(await desk.said(IncidentRaised)) == 1


async def test_panels_and_sensors_are_installed_moved_and_one_a_zone(desk: Desk) -> None:
    device, place = str(uuid4()), {"building_id": str(BUILDING), "floor": 2, "name": "shaft"}
    panel = (await desk.ask("POST", "/panels", "staff", {"device_id": device, "name": "west"}, 201)).json()["id"]
    answer = await desk.ask("POST", "/panels", "staff", {"device_id": device, "name": "other"}, 409)
    assert answer.json()["code"] == "device_speaks_for_another_panel"
    body = {"panel_id": panel, "partition": 0, "zone": 3, "kind": "heat", "place": place}
    sensor = await desk.ask("POST", "/sensors", "staff", body, 201)
    path = f"/sensors/{sensor.json()['id']}"
    assert (await desk.ask("POST", "/sensors", "staff", body, 409)).json()["code"] == "zone_has_another_sensor"
    await desk.ask("PUT", path, "staff", {**body, "zone": 4}, 428)
    moved = await desk.ask("PUT", path, "staff", {**body, "zone": 4}, 200, **{"if-match": sensor.headers["etag"]})
    await desk.ask("PUT", path, "staff", {**body, "zone": 5}, 412, **{"if-match": sensor.headers["etag"]})
    await desk.ask("POST", "/sensors", "staff", body, 201)
    await desk.ask("POST", "/sensors", "staff", {**body, "panel_id": str(uuid4())}, 404)
    for wrong in ({"zone": -1}, {"kind": "camera"}, {"partition": 10_000}):
        await desk.ask("POST", "/sensors", "staff", {**body, **wrong}, 422)
    position = {"lifang-min-position": moved.headers["lifang-position"]}
    shown = (await desk.ask("GET", f"/sensors?panel_id={panel}", "guard", **position)).json()["items"]
    assert len(shown) == 2 and {s["zone"] for s in shown} == {3, 4} and all(s["false_rate"] is None for s in shown)
    assert {p["name"] for p in (await desk.get("/panels"))["items"]} == {"east", "west"}
    await desk.signals("1110", zone=4, device_id=UUID(device), partition=1)
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert shown["sensor_id"] == sensor.json()["id"] and shown["place"]["name"] == "shaft"


async def test_a_demonstration_is_seeded_twice_and_is_one(app_of: AppOf, desk: Desk) -> None:
    app = await app_of(SERVICE, beside=desk.app)
    object.__setattr__(app.settings, "demo", True)
    buildings, homes = [str(uuid4()) for _ in range(2)], [{"id": str(HOME), "label": "1-2-303"}]
    body = {"community_id": str(uuid4()), "buildings": buildings, "homes": homes,
            "panels": [{"device_id": str(uuid4()), "name": "panel 1"}, {"device_id": str(uuid4()), "name": "panel 2"}]}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://alarm") as client:
        token = {"authorization": f"Bearer {app.settings.secret('demo')}"}
        first = await client.post("/v1/demo-seed", json=body, headers=token)
        end = await app.log.last()
        again = await client.post("/v1/demo-seed", json=body, headers=token)
        assert (await client.post("/v1/demo-seed", json=body, headers={"authorization": "Bearer x"})).status_code == 403
    object.__setattr__(app.settings, "demo", False)
    assert first.status_code == 200 and first.json() == again.json() and await app.log.last() == end
    assert [p["name"] for p in first.json()["alarm_panels"]] == ["panel 1", "panel 2"]
    sensor = first.json()["sensors"][0]
    assert set(sensor) == {"id", "name", "kind", "device_id", "partition", "zone", "building_id"} and sensor["building_id"] == buildings[0]


def test_the_desk_is_what_the_service_is() -> None:
    assert {view.name for view in SERVICE.views} == {"incidents", "panels", "panel_signals", "sensors"}
