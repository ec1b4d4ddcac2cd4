"""Every list of every service: pages, cursors that nobody was given, and reading what one has just written."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest

from cli import scenario, status
from cli.place import ROOT
from cli.scenarios.care import Care
from cli.scenarios.fire import ROLES, Fire
from libs.contracts.topics import HEARS
from libs.eventkit.http import Position, _bound, _opaque
from libs.eventkit.recorded import NOWHERE
from tests.e2e.conftest import Stack
from tests.e2e.signing_in import handed_out, signed_in
from tests.kit import until

# service, path, what its cursors are bound to, who asks
LISTS = [
    ("access", "/v1/doors", "doors", "staff"),
    ("access", "/v1/credentials", "credentials None", "staff"),
    ("access", "/v1/fire-releases", "fire releases None", "guard"),
    ("access", "/v1/lifts", "lifts", "staff"),
    ("access", "/v1/notice-deliveries", "notice deliveries None", "operator"),
    ("access", "/v1/notices", "notices of {me}", "resident"),
    ("access", "/v1/visitor-passes", "visitor-passes of None", "staff"),
    ("access", "/v1/visitor-passes", "visitor-passes of {me}", "resident"),
    ("alarm", "/v1/care", "care", "staff"),
    ("alarm", "/v1/incidents", "incidents open", "guard"),
    ("alarm", "/v1/panels", "panels", "staff"),
    ("alarm", "/v1/panels/{panel_id}/signals", "signals {panel_id}", "guard"),
    ("alarm", "/v1/patrol-points", "patrol-points", "staff"),
    ("alarm", "/v1/patrol-routes", "patrol-routes", "staff"),
    ("alarm", "/v1/patrol-rounds", "patrol-rounds None None", "guard"),
    ("alarm", "/v1/patrol-scans", "patrol-scans", "guard"),
    ("alarm", "/v1/sensors", "sensors None", "staff"),
    ("alarm", "/v1/wellness-checks", "wellness-checks None None", "guard"),
    ("devices", "/v1/devices", "devices", "staff"),
    ("devices", "/v1/devices/{device_id}/findings", "findings of {device_id}", "staff"),
    ("devices", "/v1/devices/unplaced-findings", f"findings of {NOWHERE}", "operator"),
    ("gateway", "/v1/accounts", "accounts", "operator"),
    ("gateway", "/v1/buildings", "buildings", "staff"),
    ("gateway", "/v1/homes", "homes None", "staff"),
    ("gateway", "/v1/probing-findings", "probing-findings", "staff"),
    ("gateway", "/v1/credentials", "credentials None", "staff"),
    ("gateway", "/v1/lifts", "lifts", "staff"),
    ("gateway", "/v1/parking/lanes", "lanes", "staff"),
    ("gateway", "/v1/parking/lots/{lot_id}/spaces", "spaces {lot_id}", "staff"),
    ("gateway", "/v1/parking/plate-rights", "plate rights None None", "staff"),
    ("gateway", "/v1/parking-sessions", "sessions None None False", "staff"),
    ("gateway", "/v1/devices", "devices", "staff"),
    ("gateway", "/v1/devices/{device_id}/findings", "findings of {device_id}", "staff"),
    ("gateway", "/v1/devices/unplaced-findings", f"findings of {NOWHERE}", "operator"),
    ("gateway", "/v1/residences", "residences None None", "staff"),
    ("gateway", "/v1/notice-deliveries", "notice deliveries None", "operator"),
    ("gateway", "/v1/organisations", "organisations", "staff"),
    ("gateway", "/v1/vehicles", "vehicles None None False", "staff"),
    ("gateway", "/v1/visitor-passes", "visitor-passes of None", "staff"),
    ("gateway", "/v1/visitor-passes", "visitor-passes of {me}", "resident"),
    ("gateway", "/v1/me/visitor-notices", "notices of {me}", "resident"),
    ("gateway", "/v1/residents", "residents None", "staff"),
    ("gateway", "/v1/broadcasts", "broadcasts of None for {staff}", "staff"),
    ("gateway", "/v1/broadcasts/{broadcast_id}", "broadcast {broadcast_id}", "guard"),
    ("gateway", "/v1/care", "care", "staff"),
    ("gateway", "/v1/circles/{circle_id}/members", "members of {circle_id}", "resident"),
    ("gateway", "/v1/consents", "consents None None", "staff"),
    ("gateway", "/v1/door-events", "door-events None None None", "guard"),
    ("gateway", "/v1/doors", "doors", "staff"),
    ("gateway", "/v1/erasures", "erasures", "staff"),
    ("gateway", "/v1/doors/{door_id}/rights", "rights {door_id} None", "staff"),
    ("gateway", "/v1/fire-releases", "fire-releases False", "guard"),
    ("gateway", "/v1/government/incidents", "government-incidents", "grid"),
    ("gateway", "/v1/government/webhooks", "webhooks police", "police"),
    ("gateway", "/v1/incidents", "incidents open", "guard"),
    ("gateway", "/v1/lanes/{lane_id}/passages", "passages {lane_id}", "guard"),
    ("gateway", "/v1/me/alarms", "my-alarms {me}", "resident"),
    ("gateway", "/v1/me/door-events", "my-door-events {me}", "resident"),
    ("gateway", "/v1/me/looks", "my-looks {me}", "resident"),
    ("gateway", "/v1/me/notices", "my-notices {me}", "resident"),
    ("gateway", "/v1/me/parking-sessions", "my-parking-sessions {me}", "resident"),
    ("gateway", "/v1/me/sessions", "sessions of {staff}", "staff"),
    ("gateway", "/v1/me/visitors", "my-visitors {me}", "resident"),
    ("gateway", "/v1/notices", "notices", "staff"),
    ("gateway", "/v1/notices/{notice_id}/receipts", "receipts of {notice_id}", "staff"),
    ("gateway", "/v1/panels", "panels", "staff"),
    ("gateway", "/v1/panels/{panel_id}/signals", "signals {panel_id}", "guard"),
    ("gateway", "/v1/parking-findings", "parking-findings True", "guard"),
    ("gateway", "/v1/patrol-points", "patrol-points", "staff"),
    ("gateway", "/v1/patrol-routes", "patrol-routes", "staff"),
    ("gateway", "/v1/patrol-rounds", "patrol-rounds None None", "guard"),
    ("gateway", "/v1/patrol-scans", "patrol-scans", "guard"),
    ("gateway", "/v1/sensors", "sensors None", "staff"),
    ("gateway", "/v1/wellness-checks", "wellness-checks None None", "guard"),
    ("identity", "/v1/accounts", "accounts", "operator"),
    ("identity", "/v1/buildings", "buildings", "staff"),
    ("identity", "/v1/consents", "consents None None", "staff"),
    ("identity", "/v1/homes", "homes None", "staff"),
    ("identity", "/v1/me/sessions", "sessions of {staff}", "staff"),
    ("identity", "/v1/organisations", "organisations", "staff"),
    ("identity", "/v1/probing-findings", "probing-findings", "staff"),
    ("identity", "/v1/residents", "residents None", "staff"),
    ("identity", "/v1/residences", "residences None None", "staff"),
    ("identity", "/v1/vehicles", "vehicles None None False", "staff"),
    ("neighbors", "/v1/broadcasts", "broadcasts of None for {staff}", "staff"),
    ("neighbors", "/v1/broadcasts", "broadcasts of None for {me}", "resident"),
    ("neighbors", "/v1/circles/{circle_id}/members", "members of {circle_id}", "resident"),
    ("neighbors", "/v1/notices", "notices of None", "staff"),
    ("neighbors", "/v1/notices", "notices for {me}", "resident"),
    ("neighbors", "/v1/notices/{notice_id}/receipts", "receipts of {notice_id}", "staff"),
    ("parking", "/v1/parking/findings", "parking findings True", "guard"),
    ("parking", "/v1/parking/lanes", "lanes", "staff"),
    ("parking", "/v1/parking/lanes/{lane_id}/passages", "passages {lane_id}", "guard"),
    ("parking", "/v1/parking/lots/{lot_id}/spaces", "spaces {lot_id}", "staff"),
    ("parking", "/v1/parking/me/permits", "plate rights permit {me}", "resident"),
    ("parking", "/v1/parking/me/sessions", "sessions None {me} False", "resident"),
    ("parking", "/v1/parking/plate-rights", "plate rights None None", "staff"),
    ("parking", "/v1/parking/sessions", "sessions None None False", "staff"),
]
BY_NAME = pytest.mark.parametrize(("service", "path", "filter_", "role"), LISTS, ids=lambda v: str(v) if str(v).startswith("/") else "")
FROM_MEMORY = {"/v1/parking/lots/{lot_id}/spaces", "/v1/government/webhooks"}
"""Waits for nobody: it shows what is in memory, which is read up to the log's end first."""
ASKED_FOR = {"/v1/doors/{door_id}/rights": {"purpose": "who could come in"}}
"""What a list wants to be told, besides where to begin."""
PERIODIC_TEST = "1602"
"""Contact ID: kept as the panel's history, and no alarm."""
Given = dict[str, str]


@pytest.fixture(scope="module")
async def given(stack: Stack) -> AsyncIterator[Given]:
    """What stands in paths, and two of everything that alarm, neighbors and fire releases list."""
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=15, trust_env=False) as client:
        context = scenario.Context(stack.status, client, scenario.controls(stack.place), stack.place)
        desk = Fire(context, stack.demo, **{role: stack.bearer(role)["authorization"].removeprefix("Bearer ") for role in ROLES})
        home = (await desk.get("/v1/me", desk.resident))["homes"][0]
        building, neighbour = home["building_id"], stack.bearer("resident", stack.demo.residents[1]["id"])
        seeded = {sensor["device_id"] for sensor in stack.demo.sensors}
        panel = next(p for p in (await desk.get("/v1/panels", desk.staff, limit=200))["items"] if p["device_id"] in seeded)
        found = {
            "me": (await desk.get("/v1/me", desk.resident))["person_id"], "staff": (await desk.get("/v1/me", desk.staff))["person_id"],
            "circle_id": building, "door_id": stack.demo.doors[0]["id"], "device_id": stack.demo.terminals[0].device_id,
            "lane_id": stack.demo.lanes[0]["id"],
            "lot_id": stack.demo.lots[0]["id"], "panel_id": panel["id"]}
        for n in range(2):
            notice = {"circle_id": building, "title": f"Lift {n}", "text": "It is looked after on Monday."}
            found["notice_id"] = (await desk.post("/v1/notices", desk.staff, notice)).json()["id"]
            broadcast = {"building_id": building, "text": f"Stay inside {n}."}
            found["broadcast_id"] = (await desk.post("/v1/broadcasts", desk.staff, broadcast)).json()["id"]
        for who in (desk.resident, neighbour):
            await desk.post(f"/v1/notices/{found['notice_id']}/receipts", who, {})
        desk.sensor = next(sensor for sensor in stack.demo.sensors if sensor["device_id"] == panel["device_id"])
        await desk.signals(PERIODIC_TEST, times=2)
        raised = [await _incident(desk, building) for _ in range(2)]
        await over(desk, (await desk.post("/v1/sos", desk.resident, {"home_id": home["home_id"]})).json()["id"])
        raised.append((await desk.post("/v1/sos", desk.resident, {"home_id": home["home_id"]})).json()["id"])
        for other in sorted({door["zone"].removeprefix("building:") for door in stack.demo.doors} - {building, "community"})[:2]:
            release = (await desk.post("/v1/fire-releases", desk.staff, {"building_id": other})).json()["id"]
            await desk.post(f"/v1/fire-releases/{release}/endings", desk.staff, {"despite_fire": True})
        await _walked(desk, stack.demo.patrol_points)
        for resident in stack.demo.residents[1:3]:
            await _cared_for(desk, f"/v1/care/{resident['home_id']}")
        accounts = (await client.get("/v1/accounts", params={"limit": 200}, headers=stack.bearer("operator"))).json()["items"]
        account = next(one["id"] for one in accounts if one["person_id"] == found["staff"])
        for _ in range(2):
            await signed_in(client, handed_out(stack, account))
        await until(lambda: not any(status.look(stack.place)["lag"].values()))
        yield found
        for incident_id in raised:
            await over(desk, incident_id)
        for broadcast in (await desk.get("/v1/broadcasts", desk.staff, limit=200))["items"]:
            await desk.post(f"/v1/broadcasts/{broadcast['id']}/endings", desk.staff, {})


async def _incident(desk: Fire, building_id: str) -> str:
    spot = {"building_id": building_id, "name": f"closer {uuid4().hex[:8]}"}
    return str((await desk.post("/v1/incidents", desk.guard, {"kind": "trouble", "place": spot})).json()["id"])


async def _walked(desk: Fire, points: list[dict[str, str]]) -> None:
    """Two rounds that are under way, and two scans."""
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    for n, point in enumerate(points[:2]):
        route = {"name": f"list {n}", "stops": [{"point_id": point["id"], "after": 0}], "starts": [f"{now + timedelta(minutes=2):%H:%M}"]}
        await desk.post("/v1/patrol-routes", desk.staff, route)
        scan = {"id": str(uuid4()), "tag": point["tag"], "means": "nfc", "scanned_at": now.isoformat()}
        await desk.post("/v1/patrol-scans", desk.guard, {"sent_at": now.isoformat(), "scans": [scan]}, 200)

    async def begun() -> bool:
        return len((await desk.get("/v1/patrol-rounds", desk.guard))["items"]) > 1

    await until(begun)


async def _cared_for(desk: Fire, care: str) -> None:
    """A check that somebody on duty begins and answers."""
    assert (await desk.client.put(care, json={"agreed": "in_person"}, headers=desk.staff)).status_code == 200
    check_id = (await desk.post(f"{care}/checks", desk.guard, {})).json()["id"]
    await desk.post(f"{care}/answers", desk.guard, {"check_id": check_id, "answer": "well"})


async def over(desk: Fire | Care, incident_id: str) -> None:
    for step, body in (("acknowledgements", {}), ("false-alarms", {"cause": "test"})):
        await desk.post(f"/v1/incidents/{incident_id}/{step}", desk.guard, body)


def place(stack: Stack, service: str, text: str, given: Given) -> str:
    """The address, or what a cursor is bound to, of what is given."""
    base = stack.gateway if service == "gateway" else stack.url(service)
    return base * text.startswith("/") + text.format(**given)


def items(answer: dict[str, Any]) -> list[Any]:
    """What tells one from another; a broadcast has its residents by the page."""
    listed = answer["items"] if "items" in answer else answer["residents"]
    return [next(item[name] for name in ("id", "finding", "resident_id", "home_id") if name in item) for item in listed]


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """What can be read, by service and path, as it is documented."""
    documents = {file.stem: json.loads(file.read_text()) for file in (ROOT / "docs" / "openapi").glob("*.json")}
    return {
        ("gateway" if name == "lifang" else name, path): of["get"]
        for name, document in documents.items() for path, of in document["paths"].items() if "get" in of}


def test_every_list_with_a_cursor_is_tried_here():
    lists = {where for where, of in operations().items() if "cursor" in {p["name"] for p in of.get("parameters", ())}}
    assert lists - {(service, path) for service, path, _, _ in LISTS} == set()


@BY_NAME
async def test_a_cursor_that_nobody_was_given_is_refused(
        stack: Stack, http: httpx.AsyncClient, given: Given, service, path, filter_, role):
    """Also one that names the right filter, which is no secret."""
    bound = _bound(place(stack, service, filter_, given))
    made_up = ["x", _opaque("x"), _opaque([]), _opaque([_bound("another"), "x"]), "%00", "é"]
    made_up += [_opaque([bound, *values]) for values in ((), ("no id",), ("\0", "\0"), (7,), ("a", "b", "c"))]
    where, bearer, asked = place(stack, service, path, given), stack.bearer(role), ASKED_FOR.get(path, {})
    for cursor in made_up:
        answer = await http.get(where, params={"cursor": cursor, **asked}, headers=bearer)
        assert answer.status_code == 400 and answer.json()["code"].startswith("cursor_"), (cursor, answer.text)
    codes = set()
    for values in (("9" * 30,), ("9" * 30, "9" * 30), ("9" * 30, str(NOWHERE)), ("-1",), ("-1", str(NOWHERE))):
        answer = await http.get(where, params={"cursor": _opaque([bound, *values]), **asked}, headers=bearer)
        assert answer.status_code in (200, 400), (values, answer.text)
        codes.add(answer.json().get("code"))
    assert "cursor_malformed" in codes, "the filter above is the list's own"


async def test_a_read_waits_for_what_its_reader_did_or_says_that_it_is_stale(stack: Stack, http: httpx.AsyncClient, given: Given):
    """All of them at once: each waits for seconds."""
    documented = operations()

    async def read(service: str, path: str, role: str) -> None:
        where, bearer, asked = place(stack, service, path, given), stack.bearer(role), ASKED_FOR.get(path, {})
        if owner := documented[service, path].get("x-served-by", service.removeprefix("gateway")):
            held, never = (_opaque(Position(owner, own, "")) for own in (1, 10**9))
        else:
            held, never = (_opaque(Position("identity", 0, f"{generation}.1.0")) for generation in (1, 10**8))
        for position, stale in ((held, None), (never, "true")):
            answer = await http.get(where, params=asked, headers=bearer | {"lifang-min-position": position})
            assert (answer.status_code, answer.headers.get("lifang-stale")) == (200, stale), (path, answer.text)
        if service in HEARS and "identity" in HEARS[service] and service != "gateway":  # what was done elsewhere and is heard
            never = _opaque(Position("identity", 1, f"{10**8}.1.0"))
            answer = await http.get(where, params=asked, headers=bearer | {"lifang-min-position": never})
            assert (answer.status_code, answer.headers.get("lifang-stale")) == (200, "true"), path
        answer = await http.get(where, params=asked, headers=bearer | {"lifang-min-position": "nonsense"})
        assert (answer.status_code, answer.json()["code"]) == (400, "position_malformed"), path

    await asyncio.gather(*(read(service, path, role) for service, path, _, role in LISTS if path not in FROM_MEMORY))


@BY_NAME
async def test_pages_of_one_come_to_the_same_as_one_page(
        stack: Stack, http: httpx.AsyncClient, given: Given, service, path, filter_, role):
    where, bearer, asked = place(stack, service, path, given), stack.bearer(role), ASKED_FOR.get(path, {})
    whole = (await http.get(where, headers=bearer, params={"limit": 5, **asked})).json()
    assert service not in ("alarm", "neighbors") or len(items(whole)) > 1, "one would show nothing"
    found, cursor = [], None
    for _ in items(whole):
        answer = (await http.get(where, headers=bearer, params={"limit": 1, **asked} | ({"cursor": cursor} if cursor else {}))).json()
        found += items(answer)
        cursor = answer["next"]
    assert found == items(whole)
    assert (cursor is None) == (whole["next"] is None)


async def test_what_is_changed_by_its_version_shows_that_version_in_its_list(stack: Stack, http: httpx.AsyncClient):
    """Whoever has nothing but the gateway can say what they saw: 428 without."""
    merged = json.loads((ROOT / "docs" / "openapi" / "lifang.json").read_text())["paths"]
    needs = {path.rpartition("/{")[0] for path, methods in merged.items() for of in methods.values() for p in of.get("parameters", ())
             if p["name"] == "If-Match" and p["required"]}
    assert {"/v1/doors", "/v1/parking/lanes"} <= needs
    for path in sorted(needs):
        listed = (await http.get(stack.gateway + path, headers=stack.bearer("staff"))).json()["items"]
        assert listed or path == "/v1/organisations", path
        assert all(isinstance(item["version"], int) for item in listed), path


async def test_a_door_is_in_the_list_as_soon_as_its_installer_asks(stack: Stack, http: httpx.AsyncClient):
    staff, name = stack.bearer("staff"), f"Gate {uuid4()}"
    body = {"name": name, "zone": "community", "device_id": str(uuid4()), "door_no": 1}
    done = await http.post(stack.url("access") + "/v1/doors", headers=staff, json=body)
    assert done.status_code == 201, done.text
    seen, cursor = [], None
    while True:
        answer = await http.get(
            stack.url("access") + "/v1/doors", params={"limit": 200} | ({"cursor": cursor} if cursor else {}),
            headers=staff | {"lifang-min-position": done.headers["lifang-position"]})
        assert "lifang-stale" not in answer.headers
        seen += [d["name"] for d in answer.json()["items"]]
        if not (cursor := answer.json()["next"]):
            break
    assert name in seen
