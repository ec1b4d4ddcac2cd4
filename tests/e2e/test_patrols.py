"""Patrols through the gateway: the story, what is refused, and routes and points as they change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli import scenario
from cli.scenarios.patrol import ROLES, Patrol
from tests.e2e.conftest import Stack


@pytest.fixture
async def patrol(stack: Stack, http: httpx.AsyncClient) -> Patrol:
    """A route of its own by three points of its own."""
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    found = Patrol(context, stack.demo, **{role: stack.bearer(role)["authorization"].removeprefix("Bearer ") for role in ROLES})
    found.name, found.points = f"round {uuid4().hex[:6]}", []
    for n in range(3):
        tag = uuid4().hex[:14]
        body = {"name": f"post {n}", "tag": tag, "place": {"name": "post"}, "spot": {"longitude": 121.4, "latitude": 31.2}}
        made = await found.post("/v1/patrol-points", found.staff, body)
        found.points.append({"id": made.json()["id"], "name": body["name"], "tag": tag})
    return found


async def asked(patrol: Patrol, method: str, path: str, who: dict[str, str], body: Any, status: int, code: str = "", **headers: str) -> Any:
    answer = await patrol.client.request(method, path, headers={**who, **headers}, json=body)
    assert answer.status_code == status, answer.text
    assert not code or answer.json()["code"] == code
    return answer


async def test_the_patrols_story_holds_step_by_step_and_again(stack: Stack):
    for _ in range(2):
        steps = await scenario.play("patrol", stack.status, stack.place)
        assert [s for s in steps if not s.ok] == []
        assert len(steps) == 7


async def test_a_tag_hangs_at_one_point_and_is_shown_to_nobody(patrol: Patrol):
    tag, point = patrol.points[0]["tag"], f"/v1/patrol-points/{patrol.points[0]['id']}"
    body: dict[str, Any] = {"name": "another", "tag": ":".join(tag.upper()[n:n + 2] for n in range(0, 14, 2))}
    await asked(patrol, "POST", "/v1/patrol-points", patrol.staff, body, 409, "tag_of_another_point")
    await asked(patrol, "POST", "/v1/patrol-points", patrol.staff, {"name": "x"}, 409, "tag_missing")
    await asked(patrol, "POST", "/v1/patrol-points", patrol.guard, body, 403, "not_permitted")
    shown = await patrol.client.get("/v1/patrol-points", params={"limit": 200}, headers=patrol.guard)
    assert tag not in shown.text.lower() and "tag" not in shown.json()["items"][0]
    mine = next(p for p in shown.json()["items"] if p["id"] == patrol.points[0]["id"])
    await asked(patrol, "PUT", point, patrol.staff, {"name": "moved"}, 428, "if_match_required")
    await asked(patrol, "PUT", point, patrol.staff, {"name": "moved"}, 412, "version_mismatch", **{"if-match": '"7"'})
    moved = await asked(patrol, "PUT", point, patrol.staff, {"name": "moved", "in_use": False}, 200, **{"if-match": f'"{mine["version"]}"'})
    assert moved.headers["etag"] == f'"{mine["version"] + 1}"'
    await asked(patrol, "POST", "/v1/patrol-points", patrol.staff, body, 201)
    await asked(patrol, "PUT", point, patrol.staff, {"name": "back"}, 409, "tag_of_another_point", **{"if-match": moved.headers["etag"]})


async def test_each_scan_is_taken_or_refused_by_itself(patrol: Patrol):
    now = datetime.now(UTC)

    def scan(n: int, **more: Any) -> dict[str, Any]:
        return {"id": str(uuid4()), "tag": patrol.points[n]["tag"], "means": "qr", "scanned_at": now.isoformat(), **more}

    scans = [
        scan(0), scan(1, tag="nobody-knows-it"), scan(1, scanned_at=(now - timedelta(days=15)).isoformat()),
        scan(1, scanned_at=(now + timedelta(minutes=1)).isoformat()), scan(2, position={"longitude": 0, "latitude": 0, "accuracy": 5})]
    body = {"sent_at": now.isoformat(), "scans": scans}
    told = (await asked(patrol, "POST", "/v1/patrol-scans", patrol.guard, body, 200)).json()["items"]
    assert [t["refused"] for t in told] == [None, "no_such_point", "scanned_too_long_ago", "scanned_after_it_was_sent", None]
    assert [t["id"] for t in told] == [s["id"] for s in scans] and told[0]["there"] and not told[4]["there"]
    again = (await asked(patrol, "POST", "/v1/patrol-scans", patrol.guard, body, 200)).json()["items"]
    assert again == told, "told again it is the same"
    taken = {"sent_at": now.isoformat(), "scans": [{**scans[0], "tag": patrol.points[1]["tag"]}]}
    assert (await asked(patrol, "POST", "/v1/patrol-scans", patrol.guard, taken, 200)).json()["items"][0]["refused"] == "scan_id_taken"
    shown = await asked(patrol, "GET", "/v1/patrol-scans", patrol.staff, None, 200)
    mine = {s["id"]: s for s in shown.json()["items"]}
    assert mine.keys() >= {scans[0]["id"], scans[4]["id"]} and not mine.keys() & {s["id"] for s in scans[1:4]}
    assert "longitude" not in shown.text and mine[scans[4]["id"]]["distance"] > 10_000_000, "how far, and not where"
    for wrong in ({**body, "scans": []}, {**body, "scans": scans * 21}, {"scans": scans}, {**body, "sent_at": "yesterday"}):
        await asked(patrol, "POST", "/v1/patrol-scans", patrol.guard, wrong, 422, "invalid")
    await asked(patrol, "POST", "/v1/patrol-scans", patrol.police, body, 403)


async def test_a_route_is_changed_by_whoever_has_seen_how_it_is(patrol: Patrol):
    await patrol.set_out()
    route, body = f"/v1/patrol-routes/{patrol.route['id']}", {
        "name": patrol.name, "stops": [{"point_id": patrol.points[0]["id"], "after": 0}], "starts": ["03:00"], "weekdays": [1, 5]}
    await asked(patrol, "PUT", route, patrol.staff, body, 428, "if_match_required")
    changed = await asked(patrol, "PUT", route, patrol.staff, body, 200, **{"if-match": '"1"'})
    assert changed.headers["etag"] == '"2"', "a round that has begun is no change of the route"
    await asked(patrol, "PUT", route, patrol.staff, body, 412, "version_mismatch", **{"if-match": '"1"'})
    same = await asked(patrol, "PUT", route, patrol.staff, body, 200, **{"if-match": '"2"'})
    assert same.headers["etag"] == '"2"'
    wrong = {**body, "stops": [{"point_id": patrol.points[0]["id"], "after": 9}, {"point_id": patrol.points[1]["id"], "after": 3}]}
    await asked(patrol, "PUT", route, patrol.staff, wrong, 409, "stops_out_of_order", **{"if-match": '"2"'})
    await asked(patrol, "PUT", route, patrol.staff, {**body, "tolerance": 20}, 409, "tolerance_out_of_range", **{"if-match": '"2"'})
    for bad in ({"starts": ["24:00"]}, {"starts": []}, {"weekdays": [8]}, {"stops": []}, {"tolerance": 0}):
        await asked(patrol, "POST", "/v1/patrol-routes", patrol.staff, {**body, **bad}, 422, "invalid")
    unknown = {**body, "stops": [{"point_id": str(uuid4()), "after": 0}]}
    await asked(patrol, "POST", "/v1/patrol-routes", patrol.staff, unknown, 404, "patrol_point_not_found")
    point = patrol.points[2]
    gone = {"name": "gone", "in_use": False}
    await asked(patrol, "PUT", f"/v1/patrol-points/{point['id']}", patrol.staff, gone, 200, **{"if-match": '"1"'})
    without = {**body, "stops": [{"point_id": point["id"], "after": 0}]}
    await asked(patrol, "POST", "/v1/patrol-routes", patrol.staff, without, 409, "point_not_in_use")
    shown = next(r for r in (await patrol.get("/v1/patrol-routes", patrol.guard, limit=200))["items"] if r["id"] == patrol.route["id"])
    assert (shown["starts"], shown["weekdays"], shown["version"], shown["zone"]) == (["03:00"], [1, 5], 2, "Asia/Shanghai")
    begun = await patrol.get(f"/v1/patrol-rounds/{patrol.begun['id']}", patrol.guard)
    assert (begun["state"], len(begun["stops"])) == ("under_way", 3), "what has begun stays as it was"
