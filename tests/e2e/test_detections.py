"""What cameras see: pushed by ONVIF, an incident where staff put a sensor on it, well when it is over, explained from the camera on."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli import scenario
from cli.scenarios.fire import ROLES, Fire
from services.devices.api.reports import authorization
from tests.devices.onvif_bodies import CROSSED, TYPE, Items, message, soap
from tests.e2e.conftest import Stack

TAMPER = "tns1:RuleEngine/TamperDetector/Tamper"


class Yard(Fire):
    """A guard's desk, and a camera that watches a yard."""

    async def camera(self, stack: Stack) -> None:
        devices, self.queue = stack.url("devices"), f"{stack.url('alarm')}/v1/incidents"
        made = (await self.post(f"{devices}/v1/devices", self.staff, {"kind": "onvif-camera", "name": f"Yard {uuid4().hex[:6]}"})).json()
        enrolled = await self.client.post(f"{devices}/v1/devices/{made['id']}/enrolments", json={"code": made["enrolment_code"]})
        assert enrolled.json()["push"]["url"].endswith(f"/v1/device-reports/onvif/{made['id']}")
        self.device_id, self.spot = made["id"], {"name": f"fence {uuid4().hex[:6]}"}
        self.signed = {"authorization": authorization(made["id"], enrolled.json()["credential"]), "content-type": TYPE}
        self.push = f"{devices}/v1/device-reports/onvif/{made['id']}"

    async def watched(self, stack: Stack, code: str) -> str:
        alarm = stack.url("alarm")
        panel = (await self.post(f"{alarm}/v1/panels", self.staff, {"device_id": self.device_id, "name": "yard"})).json()
        body = {"panel_id": panel["id"], "zone": 1, "code": code, "kind": "beam", "place": self.spot}
        made = await self.post(f"{alarm}/v1/sensors", self.staff, body)
        self.panel_id = panel["id"]
        return str(made.json()["id"])

    async def says(self, topic: str, data: Items, operation: str = "Changed", at: datetime | None = None) -> None:
        body = soap(message(topic, data, {"VideoSource": "VideoSource_1"}, operation, (at or datetime.now(UTC)).isoformat()))
        told = await self.client.post(self.push, headers=self.signed, content=body)
        assert (told.status_code, told.content) == (200, b""), told.text

    async def raised(self, **wanted: Any) -> dict[str, Any]:
        async def look() -> Any:
            items = (await self.get(self.queue, self.guard, state="all", limit=200))["items"]
            return next((i for i in items if i["device_id"] == self.device_id and all(i[k] == v for k, v in wanted.items())), None)

        return dict(await self.until(look))


@pytest.fixture
async def yard(stack: Stack, http: httpx.AsyncClient) -> Yard:
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    found = Yard(context, stack.demo, **{role: stack.bearer(role)["authorization"].removeprefix("Bearer ") for role in ROLES})
    await found.camera(stack)
    return found


async def test_a_line_that_is_crossed_is_an_incident_once_staff_want_to_know(stack: Stack, yard: Yard):
    await yard.says(CROSSED, {"ObjectId": "1"})
    await yard.says(TAMPER, {"IsTamper": "true"}, "Initialized")
    first = await yard.raised(kind="tamper")
    assert (first["live"], first["code"]) == (False, f"tamper:{TAMPER}")
    items = (await yard.get(yard.queue, yard.guard, state="all", limit=200))["items"]
    assert [i["kind"] for i in items if i["device_id"] == yard.device_id] == ["tamper"], "who only crossed a line has called nobody"

    sensor_id = await yard.watched(stack, CROSSED)
    await yard.says(CROSSED, {"ObjectId": "2"})
    raised = await yard.raised(kind="burglary", state="raised")
    assert (raised["sensor_id"], raised["place"]["name"], raised["live"]) == (sensor_id, yard.spot["name"], True)
    await yard.says(CROSSED, {"ObjectId": "3"})
    assert (await yard.raised(kind="burglary", count=2))["id"] == raised["id"]

    async def explained() -> Any:
        why = await yard.get(f"/v1/events/{raised['id']}/explanation", yard.guard, language="en")
        return next((said for said in why["text"] if "camera alarm" in said and CROSSED in said and "number 1" in said), None)

    assert await yard.until(explained)

    signals = await yard.get(f"{stack.url('alarm')}/v1/panels/{yard.panel_id}/signals", yard.guard)
    assert [(s["protocol"], s["code"], s["effect"], s["zone"]) for s in signals["items"]] == [("event", CROSSED, "detects", 1)] * 2


async def test_a_covered_lens_is_tampering_until_it_is_seen_again(yard: Yard):
    for _ in range(3):
        await yard.says(TAMPER, {"IsTamper": "true"})
    raised = await yard.raised(kind="tamper", active=True)
    await yard.says(TAMPER, {"IsTamper": "false"})
    well = await yard.raised(kind="tamper", active=False)
    assert (well["id"], well["state"], well["count"]) == (raised["id"], "raised", 1), "still so is said again, and counts once"
    await yard.says(TAMPER, {"IsTamper": "true"})
    assert (await yard.raised(kind="tamper", active=True))["count"] == 2


async def test_what_is_no_notification_is_refused_and_kept(stack: Stack, yard: Yard):
    told = await yard.client.post(yard.push, headers=yard.signed, content=b"<html/>")
    assert (told.status_code, told.json()["code"], told.headers["content-type"]) == (400, "not_an_event", "application/problem+json")
    strange = await yard.client.post(yard.push, headers=yard.signed | {"authorization": "Basic eDp5"}, content=soap(message()))
    assert strange.status_code == 401

    async def kept() -> Any:
        found = await yard.get(f"{stack.url('devices')}/v1/devices/{yard.device_id}/findings", yard.staff)
        return [f["finding"] for f in found["items"]] == ["body_unreadable"]

    assert await yard.until(kept)
