"""alarm over HTTP on a real database: who may take which step, what is refused, and what is of another community."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts import devices, identity
from libs.eventkit.run import web
from libs.eventkit.service import App
from services.alarm.domain.incident_history import IncidentRaised
from services.alarm.main import SERVICE
from tests.integration.alarm_desk import ANN, BEN, BUILDING, DEVICE, GUARD, HOME, PANEL, SENSOR, Desk, desk_at
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def desk(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with desk_at(app_of, community, monkeypatch) as found:
        yield found


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


async def test_a_panel_whose_device_was_retired_is_shown_as_one_that_says_nothing_more(desk: Desk) -> None:
    async def shown() -> Any:
        return (await desk.get("/panels"))["items"][0]["device_retired"]

    await desk.settled()
    assert await shown() is False
    await desk.hears(devices.DeviceRetired(DEVICE))
    await until(shown)


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
    assert {p["name"]: p["device_retired"] for p in (await desk.get("/panels"))["items"]} == {"east": False, "west": False}
    await desk.signals("1110", zone=4, device_id=UUID(device), partition=1)
    await desk.settled()
    (shown,) = (await desk.get("/incidents"))["items"]
    assert shown["sensor_id"] == sensor.json()["id"] and shown["place"]["name"] == "shaft"


async def test_a_demonstration_is_seeded_twice_and_is_one(app_of: AppOf, desk: Desk) -> None:
    app = await app_of(SERVICE, beside=desk.app)
    object.__setattr__(app.settings, "demo", True)
    buildings, homes = [str(uuid4()) for _ in range(2)], [{"id": str(HOME), "label": "1-2-303"}]
    residents = [{"id": str(uuid4()), "home_id": str(home)} for home in (uuid4(), HOME)]
    body = {"community_id": str(uuid4()), "buildings": buildings, "homes": homes, "residents": residents,
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
    assert {view.name for view in SERVICE.views} == {
        "incidents", "panels", "panel_signals", "sensors", "patrol_points", "patrol_routes", "patrol_rounds", "patrol_scans",
        "cared_homes", "wellness_checks"}
