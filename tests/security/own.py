"""What the demo community has, by the name that routes give it; and tokens for people who have nothing to do with it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import httpx

from cli.stack import secrets
from libs.eventkit.privacy import secret_bytes
from services.identity.tokens import Secrets
from tests.e2e.conftest import Stack

LISTS = {
    "door_id": ("access", "/v1/doors"), "lift_id": ("access", "/v1/lifts"), "credential_id": ("access", "/v1/credentials"),
    "home_id": ("alarm", "/v1/care"), "resident_id": ("identity", "/v1/residents"), "guardian_id": ("identity", "/v1/residents"),
    "residence_id": ("identity", "/v1/residences"),
    "vehicle_id": ("identity", "/v1/vehicles"), "account_id": ("identity", "/v1/accounts"),
    "device_id": ("devices", "/v1/devices"), "lot_id": ("parking", "/v1/parking/lots"), "lane_id": ("parking", "/v1/parking/lanes"),
    "right_id": ("parking", "/v1/parking/plate-rights"), "panel_id": ("alarm", "/v1/panels"), "sensor_id": ("alarm", "/v1/sensors"),
    "point_id": ("alarm", "/v1/patrol-points"), "route_id": ("alarm", "/v1/patrol-routes"),
}


class Strangers:
    """Signs as identity of this stack does, for whomever one likes: its seed is in the stack's secrets."""

    def __init__(self, own: Secrets, kid: str) -> None:
        self._own, self._kid = own, kid

    @classmethod
    async def of(cls, stack: Stack) -> "Strangers":
        seed = secret_bytes(secrets.read(stack.place, "signing-seed"), "signing-seed")
        log = await asyncpg.connect(stack.status["databases"]["identity"])
        try:
            kid = await log.fetchval(
                "select data->>'kid' from events where type = 'signing_key_published'"
                " and (data->>'not_before')::timestamptz <= now() order by position desc limit 1")
        finally:
            await log.close()
        return cls(Secrets(seed), kid)

    def bearer(self, role: str, community_id: UUID | None = None, person_id: UUID | None = None) -> dict[str, str]:
        token = self._own.access_token(self._kid, person_id or uuid4(), role, community_id or uuid4(), datetime.now(UTC))
        return {"authorization": f"Bearer {token}"}


def url_of(stack: Stack, service: str) -> str:
    return stack.gateway if service == "gateway" else stack.url(service)


async def ids_of(stack: Stack, http: httpx.AsyncClient) -> dict[str, str]:
    """One of each kind that the community has; what is not there yet is made."""
    staff, resident, found = stack.bearer("staff"), stack.bearer("resident"), dict[str, str]()
    for name, (service, path) in LISTS.items():
        items = (await http.get(stack.url(service) + path, headers=staff)).json()["items"]
        assert items, f"the demo community has none at {path}"
        found[name] = items[0].get("id") or items[0][name]

    me = (await http.get("/v1/me", headers=resident)).json()
    home = me["homes"][0]["home_id"]
    circles = (await http.get(stack.url("neighbors") + "/v1/me/circles", headers=resident)).json()["items"]
    found["circle_id"] = circles[0]["id"]
    lots = (await http.get(stack.url("parking") + "/v1/parking/lots", headers=staff)).json()["items"]
    zone = next(iter(lots[0]["spaces"]))
    building = stack.demo.doors[0]["zone"].partition(":")[2]
    for name, service, path, headers, body in (
        ("incident_id", "alarm", "/v1/incidents", staff, {"kind": "other", "place": {"building_id": building}}),
        ("notice_id", "neighbors", "/v1/notices", staff, {"circle_id": found["circle_id"], "title": "t", "text": "t"}),
        ("broadcast_id", "neighbors", "/v1/broadcasts", staff, {"building_id": building, "text": "t"}),
        ("pass_id", "access", "/v1/visitor-passes", resident, {"home_id": home, "kind": "family"}),
        ("space_id", "parking", "/v1/parking/spaces", staff, {"lot_id": found["lot_id"], "zone": zone, "label": uuid4().hex[:6]}),
        ("webhook_id", "gateway", "/v1/government/webhooks", stack.bearer("police"), {"url": "http://127.0.0.1:9/"}),
        ("organisation_id", "identity", "/v1/organisations", staff, {"name": "物业", "code": f"91350100{uuid4().hex[:10].upper()}"}),
    ):
        answer = await http.post(url_of(stack, service) + path, headers=headers, json=body)
        assert answer.status_code in (200, 201, 202), f"{path}: {answer.text}"
        found[name] = answer.json()["id"]
    log = await asyncpg.connect(stack.status["databases"]["gateway"])
    try:
        found["event_id"] = str(await log.fetchval("select event_id from events where type = 'access.door_installed' limit 1"))
    finally:
        await log.close()
    return found
