"""Bad input gets a clear answer, changes nothing, and the service lives on."""

import asyncio
import os
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.devices import bodies
from tests.e2e.conftest import CAPTURES, Stack
from tests.kit import until

CAPTURED = sorted(CAPTURES.rglob("*.*")) if CAPTURES.exists() else []
KINDS = ("application/json", "application/xml", "multipart/form-data; boundary=x", "text/plain")


async def push(client: httpx.AsyncClient, stack: Stack, body: bytes, kind: str) -> httpx.Response:
    url, headers = stack.push
    return await client.post(url, content=body, headers={**headers, "content-type": kind})


@pytest.mark.parametrize("path", CAPTURED, ids=lambda p: p.name)
async def test_a_capture_goes_through_unchanged(path, stack, http):
    kind = "application/json" if path.suffix == ".json" else "application/xml"
    assert (await push(http, stack, path.read_bytes(), kind)).status_code < 300


def junk() -> list[bytes]:
    raw = b'{"eventType":"AccessControllerEvent","AccessControllerEvent":{"majorEventType":5,"serialNo":22}}'
    return [b"", b"\x00" * 50, raw[: len(raw) // 2], raw * 20000, b"{" * 5000, b"<a>" * 5000, os.urandom(4000),
            raw.replace(b"2", b"\xff"), b'{"x":"\\u0000"}']


@pytest.mark.parametrize("kind", KINDS)
async def test_junk_from_a_device_is_refused_and_said_to_be_so(kind, stack, http):
    for body in junk():
        answer = await push(http, stack, body, kind)
        assert 400 <= answer.status_code < 500, body[:40]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


async def test_a_device_without_its_credential_is_refused(stack, http):
    url, _ = stack.push
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer x"}):
        answer = await http.post(url, content=b"{}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


JSON = {"content-type": "application/json"}
OPENING = "/v1/doors/{}/openings"


async def opening(http: httpx.AsyncClient, headers: dict[str, str], door: object, **more) -> httpx.Response:
    return await http.post(OPENING.format(door), headers=headers, **({"json": {}} | more))


async def test_openings_answer_every_wrong_question_plainly(stack, http):
    resident = stack.bearer("resident")
    door = (await http.get("/v1/me/doors", headers=resident)).json()["items"][0]["id"]
    expired = resident["authorization"][:-4] + "AAAA"
    wrong = [
        (await opening(http, {}, door), 401, "token_missing"),
        (await opening(http, {"authorization": expired}, door), 401, None),
        (await opening(http, stack.bearer("grid"), door), 403, "not_permitted"),
        (await opening(http, resident, uuid4()), 404, "door_not_found"),
        (await opening(http, resident, "no-id"), 422, "invalid"),
        (await opening(http, resident, door, json={"unknown": 1}), 422, "invalid"),
        (await opening(http, resident | JSON, door, content=b'{"x":"\\u0000"}', json=None), 400, None),
        (await opening(http, resident | JSON, door, content=b"[" * 200, json=None), 400, None),
        (await opening(http, resident, door, content=b"x" * 1_100_000, json=None), 413, "too_large"),
    ]
    for answer, status, code in wrong:
        assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
        assert answer.status_code == status, answer.text
        assert code in (None, answer.json()["code"]), answer.text


async def test_one_key_is_one_opening_also_when_asked_at_once(stack, http):
    headers = {**stack.bearer("resident"), "idempotency-key": str(uuid4())}
    door = (await http.get("/v1/me/doors", headers=headers)).json()["items"][0]["id"]
    answers = await asyncio.gather(*(opening(http, headers, door) for _ in range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    other = (await http.get("/v1/me/doors", headers=headers)).json()["items"][1]["id"]
    assert (await opening(http, headers, other)).json()["id"] != answers[0].json()["id"], "the route is part of the key's scope"


async def test_a_neighbours_building_stays_shut_and_stays_shut_for_the_same_key(stack, http):
    resident = {**stack.bearer("resident"), "idempotency-key": str(uuid4())}
    mine = {d["id"] for d in (await http.get("/v1/me/doors", headers=resident)).json()["items"]}
    foreign = next(d["id"] for d in stack.demo.doors if d["id"] not in mine)
    for _ in range(2):
        answer = await opening(http, resident, foreign)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_right_for_this_door")


CONCLUDED = """select count(*) filter (where type = 'door_opening_ordered') = count(*) filter (where type <> 'door_opening_ordered')
    from events where type in ('door_opening_ordered', 'door_opened', 'door_opening_failed')"""
BY_REPORT = "select count(*) from events where type = 'door_opening_ordered' and data->>'means' <> 'remote'"


async def test_a_history_is_stored_and_actuates_nothing(stack, http, control):
    """400 kept events, one POST each. What other tests asked to open has reached its terminal before we count."""
    access = await asyncpg.connect(stack.status["databases"]["access"])
    devices = await asyncpg.connect(stack.status["databases"]["devices"])
    reported = "select count(*) from events where type = 'device_reported'"
    try:
        await until(lambda: access.fetchval(CONCLUDED))
        orders, asked = len((await http.get(control(0) + "/orders")).json()), await access.fetchval(BY_REPORT)
        before = await devices.fetchval(reported)
        assert (await http.post(control(0) + "/replay", json={"count": 400}, timeout=60)).status_code == 200
        assert await devices.fetchval(reported) >= before + 400, "what was acknowledged is stored"
        heard = "select count(*) from events where type = 'devices.device_reported'"
        await until(lambda: access.fetchval(f"select ({heard}) >= $1", before + 400), timeout=60)
        await until(lambda: access.fetchval(
            "select (select position from checkpoints where name = 'device_reports') = (select max(position) from events)"), timeout=60)
        assert await access.fetchval(BY_REPORT) == asked, "no order rests on what was kept"
        assert len((await http.get(control(0) + "/orders")).json()) == orders
    finally:
        await access.close()
        await devices.close()


async def test_the_same_report_three_times_is_one_event(stack, http):
    body = bodies.access_json(serialNo=770001, cardNo="31337", currentEvent=False)
    assert (await push(http, stack, body, "application/json")).status_code == 200
    for _ in range(2):
        assert (await push(http, stack, body, "application/json")).status_code == 200
    connection = await asyncpg.connect(stack.status["databases"]["devices"])
    try:
        count = """select count(*) from events where type = 'device_reported' and data::text ~ '"serial": *770001'"""
        assert await connection.fetchval(count) == 1
    finally:
        await connection.close()
