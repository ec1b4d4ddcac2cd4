"""Alarms that are no fire, through the gateway: help called from a home, a step that nobody took, a line that fell silent, duress."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from cli import scenario
from cli.scenarios.fire import ROLES, Fire
from simulator.dc09_frames import frame
from tests.e2e.conftest import Stack
from tests.kit import until

LADDER = {"acknowledge": 1, "verify": 60, "dispatch": 60, "resolve": 60, "again": 1}
PIN_ENTERED = "5/34"
"""What a Hikvision terminal says of a PIN (0x22)."""


@pytest.fixture
async def desk(stack: Stack, http: httpx.AsyncClient) -> Fire:
    """A guard's desk, with a resident, staff and the police."""
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    return Fire(context, stack.demo, **{role: stack.bearer(role)["authorization"].removeprefix("Bearer ") for role in ROLES})


async def queued(desk: Fire, incident_id: str, **wanted: Any) -> dict[str, Any]:
    async def look() -> Any:
        items = (await desk.get("/v1/incidents", desk.guard, state="all", limit=200))["items"]
        return next((i for i in items if i["id"] == incident_id and all(i.get(k) == v for k, v in wanted.items())), None)

    return dict(await desk.until(look))


async def mine(desk: Fire, who: dict[str, str], incident_id: str) -> dict[str, Any] | None:
    items = (await desk.get("/v1/me/alarms", who, limit=200))["items"]
    return next((i for i in items if i["id"] == incident_id), None)


async def ended(desk: Fire, incident_id: str) -> None:
    """A guard's whole work on something real."""
    for step, body in (("acknowledgements", {}), ("verifications", {"how": "call"}), ("resolutions", {"how": "helped"})):
        await desk.post(f"/v1/incidents/{incident_id}/{step}", desk.guard, body)


async def test_a_resident_calls_for_help_and_sees_who_comes(stack: Stack, desk: Fire):
    me = await desk.get("/v1/me", desk.resident)
    home = me["homes"][0]["home_id"]
    asked = await desk.post("/v1/sos", desk.resident, {"home_id": home})
    incident_id = asked.json()["id"]
    found = await queued(desk, incident_id, state="raised")
    assert (found["kind"], found["severity"], found["place"]["home_id"]) == ("sos", "critical", home)
    assert await desk.until(lambda: mine(desk, desk.resident, incident_id))
    others = {card["person_id"] for card in stack.demo.cards} - {me["person_id"]}
    assert await mine(desk, stack.bearer("resident", others.pop()), incident_id) is None, "a neighbour sees nothing of it"
    again = await desk.post("/v1/sos", desk.resident, {"home_id": home})
    assert again.json()["id"] == incident_id, "pressed again it is the same call"
    await ended(desk, incident_id)
    assert (await queued(desk, incident_id, state="resolved"))["count"] == 2
    elsewhere = await desk.client.post(
        "/v1/sos", headers={**desk.resident, "idempotency-key": str(uuid4())}, json={"home_id": str(uuid4())})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "not_a_resident_of_this_home")


async def test_what_nobody_does_in_time_goes_up_the_ladder_and_is_explained(stack: Stack, desk: Fire):
    alarm, staff = stack.url("alarm"), desk.staff
    usual = next(i for i in (await desk.get(f"{alarm}/v1/ladders", staff))["items"] if i["severity"] == "low")
    try:
        assert (await desk.client.put(f"{alarm}/v1/ladders/low", headers=staff, json=LADDER)).status_code == 200
        building = stack.demo.sensors[0]["building_id"]
        place = {"building_id": building, "name": f"door closer {uuid4().hex[:8]}"}
        made = await desk.post("/v1/incidents", desk.guard, {"kind": "trouble", "place": place})
        incident_id = made.json()["id"]

        async def second() -> Any:
            found = await queued(desk, incident_id)
            return found if found["escalation"] and found["escalation"]["level"] == 2 else None

        found = await desk.until(second)
        assert found["state"] == "raised" and found["owner"] is None, "told to more people, and reset by nobody"
        why = await desk.get(f"/v1/events/{incident_id}/explanation", desk.guard, language="en")
        told = [link for link in why["chain"] if link["type"] == "alarm.incident_escalated"]
        assert [link["because"] != [] for link in told] == [True, True]
        await ended(desk, incident_id)
    finally:
        back = {k: usual[k] for k in LADDER}
        assert (await desk.client.put(f"{alarm}/v1/ladders/low", headers=staff, json=back)).status_code == 200


@pytest.fixture
async def panel(stack: Stack, desk: Fire) -> AsyncIterator[tuple[str, str]]:
    """A panel of this test's own, supervised closely: its id and its account."""
    account = uuid4().hex[:8].upper()
    new = {"kind": "dc09-panel", "name": "Test panel", "serial": account, "account": account, "supervise": 1}
    made = await desk.post(f"{stack.url('devices')}/v1/devices", desk.staff, new)
    yield made.json()["id"], account


async def answered(stack: Stack, said: bytes) -> bytes:
    host, _, port = stack.demo.panels[0].listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(said)
        return await asyncio.wait_for(reader.readuntil(b"\r"), 10)
    finally:
        writer.close()


async def test_a_supervised_line_that_falls_silent_is_an_alarm_until_somebody_has_seen_to_it(
        stack: Stack, desk: Fire, panel: tuple[str, str]):
    device_id, account = panel

    async def link_test() -> bytes:
        return await answered(stack, frame("NULL", 0, account, "", datetime.now(UTC)))

    assert b'"ACK"' in await link_test()

    async def silent() -> Any:
        items = (await desk.get("/v1/incidents", desk.guard, state="open", limit=200))["items"]
        return next((i for i in items if i["kind"] == "line" and i["sensor"]["device_id"] == device_id), None)

    incident = await desk.until(silent)
    await link_test()

    async def back() -> Any:
        found = await queued(desk, incident["id"])
        return found if found["restored_at"] else None

    assert (await desk.until(back))["state"] == "raised", "the line is back, and a person has not seen to it"
    for step, body in (("acknowledgements", {}), ("false-alarms", {"cause": "test"})):
        await desk.post(f"/v1/incidents/{incident['id']}/{step}", desk.guard, body)
    await queued(desk, incident["id"], state="found_false")


async def test_under_duress_the_door_opens_and_the_alarm_is_silent(stack: Stack, desk: Fire):
    """What resident and door see is what they see of every PIN; guards and police see more."""
    pins = {pin["duress"]: pin for pin in stack.demo.pins}
    known = {terminal.device_id for terminal in stack.demo.terminals}
    person = pins[True]["person_id"]
    resident = stack.bearer("resident", person)
    doors = {door["id"] for door in (await desk.get("/v1/me/doors", resident))["items"]}
    door = next(d for d in stack.demo.doors if d["id"] in doors and d["device_id"] in known)

    async def enters(number: str) -> dict[str, Any]:
        body = {"card_number": number, "door_no": door["door_no"], "remote_check": True, "code": PIN_ENTERED}
        told = (await desk.client.post(f"{desk.controls[door['device_id']]}/card", json=body)).json()
        return {k: told[k] for k in ("status", "admitted", "opened", "body")}

    assert await enters(pins[True]["number"]) == await enters(pins[False]["number"]), "nothing tells them apart at the door"

    async def raised() -> Any:
        items = (await desk.get("/v1/incidents", desk.guard, state="open", limit=200))["items"]
        return next((i for i in items if i["kind"] == "duress"), None)

    incident = await desk.until(raised)
    assert incident["silent"] and incident["severity"] == "critical"
    assert await mine(desk, resident, incident["id"]) is None
    events = (await desk.get("/v1/me/door-events", resident, limit=20))["items"]
    assert "duress" not in json.dumps(events)
    why = await desk.get(f"/v1/events/{incident['id']}/explanation", resident, language="en")
    assert {link["type"].partition(".")[0] for link in why["chain"]} <= {"access", "devices", "identity"}
    assert "duress" not in json.dumps(why), "it explains the opening of the same id, and nothing else"
    for secret in incident["events"]:
        refused = await desk.client.get(f"/v1/events/{secret}/explanation", headers=resident)
        assert refused.status_code == 404
    for step, body in (("acknowledgements", {}), ("false-alarms", {"cause": "misuse"})):
        await desk.post(f"/v1/incidents/{incident['id']}/{step}", desk.guard, body)


async def test_the_governments_topic_has_the_incident_and_nobodys_id(stack: Stack, desk: Fire):
    consumer = AIOKafkaConsumer(
        "gov.incidents.v1", **stack.broker, auto_offset_reset="latest", enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer.seek_to_end()
        me = await desk.get("/v1/me", desk.resident)
        home = me["homes"][0]["home_id"]
        incident_id = (await desk.post("/v1/sos", desk.resident, {"home_id": home})).json()["id"]
        await queued(desk, incident_id, state="raised")
        await ended(desk, incident_id)
        records: list[Any] = []

        async def told() -> Any:
            for found in (await consumer.getmany(timeout_ms=200)).values():
                records.extend(r for r in found if incident_id.encode() in r.value)
            return [json.loads(r.value).get("state") for r in records][-1:] == ["resolved"]

        await until(told)
        types = [dict(r.headers)["ce_type"].decode() for r in records]
        assert types == ["gov.incident_opened", *["gov.incident_progressed"] * 3]
        assert {r.key.decode() for r in records} == {stack.status["community_id"]}
        everything = b"".join(r.value + b"".join(v for _, v in r.headers) for r in records).decode()
        assert home not in everything and me["person_id"] not in everything
        assert {json.loads(r.value)["division_code"] for r in records} == {"310104"}
    finally:
        await consumer.stop()
