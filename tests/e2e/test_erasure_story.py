"""Story 8: a resident erases themselves. Names vanish everywhere; bills, counts, occupancy and incidents stay right."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from msgspec import Struct

from cli import scenario, tokens
from cli.scenarios.visitor import some_plate
from libs.eventkit.privacy import BlindIndex, secret_bytes
from services.access.domain.credentials import normalised
from services.identity.phone_numbers import account_index
from tests.e2e.conftest import Stack
from tests.e2e.gate import MINE, Gate
from tests.e2e.test_numbers import id_number
from tests.e2e.traces import traces
from tests.kit import until

SERVICES = ("identity", "access", "devices", "parking", "alarm", "neighbors", "gateway")
ROLES = ("resident", "guard", "staff", "police", "grid")
PAGES = {
    "guard": ("/v1/incidents", "/v1/door-events", "/v1/lanes", "/v1/parking-findings", "/v1/doors", "/v1/broadcasts"),
    "staff": ("/v1/incidents", "/v1/door-events", "/v1/lanes", "/v1/parking-findings", "/v1/notices"),
    "police": ("/v1/government/population", "/v1/government/incidents", "/v1/government/parking", "/v1/government/patrols",
               "/v1/government/incident-events"),
    "grid": ("/v1/government/population", "/v1/government/incidents", "/v1/government/parking"),
}


class Planted(Struct):
    """What stands nowhere else: a name, a phone, an ID number, a card, a PIN, a plate, a neighbour's name, a guest."""

    name: str
    phone: str
    number: str
    card: str
    pin: str
    plate: str
    called: str
    guest: str

    def values(self) -> list[str]:
        return [getattr(self, field) for field in self.__struct_fields__]


class Life(Gate):
    """One resident's life in the demo community, and the people who look after it."""

    stack: Stack
    me: str
    home: dict[str, Any]
    planted: Planted

    def url(self, service: str, path: str) -> str:
        return self.stack.url(service) + path

    async def moves_in(self) -> None:
        staff, identity = self.who["staff"], self.stack.url("identity")
        p, building = self.planted, self.stack.demo.doors[0]["zone"].partition(":")[2]
        homes = (await self.get(f"{identity}/v1/homes", staff, building_id=building, limit=200))["items"]
        home = random.choice(homes)["id"]
        made = await self.post(f"{identity}/v1/residents", staff, {"name": p.name, "phone": p.phone})
        self.me = made.json()["id"]
        await self.post(f"{identity}/v1/residents/{self.me}/residences", staff, {"home_id": home, "role": "tenant"})
        await self.post(f"{identity}/v1/accounts", staff, {"role": "resident", "phone": p.phone, "person_id": self.me})
        put = await self.asks("PUT", f"{identity}/v1/residents/{self.me}/id-number", staff, {"number": p.number})
        assert put.status_code == 200, put.text
        await self.post(f"{identity}/v1/residents/{self.me}/population-declarations", staff, {"kind": "floating"})
        self.resident = self.stack.bearer("resident", self.me)

        async def here() -> Any:
            answer = await self.client.get("/v1/me", headers=self.resident)
            found = answer.json() if answer.status_code == 200 else {}
            return found if found.get("homes") and found.get("name") == p.name else None

        self.home = (await until(here))["homes"][0]

        async def circles() -> Any:
            answer = await self.client.get("/v1/me/circles", headers=self.resident)
            return answer.status_code == 200 and len(answer.json()["items"]) == 2

        await until(circles)

    async def lives(self) -> None:
        """Card, PIN, vehicle, permit, a guest with a bill, a neighbour's name, an alarm of the home."""
        staff, p = self.who["staff"], self.planted
        for kind, number in (("card", p.card), ("pin", p.pin)):
            await self.post(self.url("access", "/v1/credentials"), staff, {"person_id": self.me, "kind": kind, "number": number})
        car = {"home_id": self.home["home_id"], "plate": p.plate, "vehicle_class": "small"}
        vehicle = (await self.post(self.url("identity", "/v1/vehicles"), self.resident, car)).json()["id"]
        await self.post(self.url("identity", f"/v1/vehicles/{vehicle}/verification"), staff, {"how": "driving_licence"}, 200)
        permit = {
            "kind": "permit", "plate": p.plate, "lot_id": self.stack.demo.lots[0]["id"], "person_id": self.me, "vehicle_id": vehicle,
            "valid_until": (datetime.now(UTC) + timedelta(days=30)).isoformat(), "monthly": 30_000}
        await self.post(self.url("parking", "/v1/parking/plate-rights"), staff, permit)
        chosen = await self.asks("PUT", "/v1/me/display-name", self.resident, {"display_name": p.called})
        assert chosen.status_code == 200, chosen.text
        await until(lambda: self.card_opens())

    async def card_opens(self) -> bool:
        """At the door of their building, whose terminal asks."""
        door = next(d for d in self.stack.demo.doors if d["zone"] == f"building:{self.home['building_id']}"
                    and d["device_id"] in {t.device_id for t in self.stack.demo.terminals})
        body = {"card_number": self.planted.card, "door_no": door["door_no"], "remote_check": True}
        told = (await self.client.post(f"{self.controls[door['device_id']]}/card", json=body)).json()
        assert told["status"] == 200, told
        return bool(told["admitted"])

    async def what_stays(self) -> dict[str, Any]:
        """Population, homes lived in, incidents, occupancy and money, as those see them who have to."""
        guard, police = self.who["guard"], self.who["police"]
        incidents = (await self.get("/v1/incidents", guard, state="all", limit=200))["items"]
        lanes = (await self.get("/v1/lanes", guard))["items"]
        homes = await self.get(self.url("identity", "/v1/residences"), self.who["staff"], resident_id=self.me)
        return {
            **{what: (await self.client.get(f"/v1/government/{what}", headers=police)).json() | {"as_of": None}
               for what in ("population", "parking")},
            "incidents": {i["id"]: (i["kind"], i["state"], i["place"]) for i in incidents}, "lanes": len(lanes),
            "homes": homes["items"], "stays": await self.stays()}

    async def stays(self) -> dict[str, Any]:
        """Bills line by line, from parking's own log: who owes what cannot depend on who may still be named."""
        rows = await said(self.stack, "parking", "session_ended")
        return {e["session_id"]: (e["how"], e.get("bill"), e.get("paid")) for e in rows}

    async def pages(self) -> dict[str, str]:
        """What everybody can read, as text."""
        found = {}
        for role, paths in PAGES.items():
            for path in paths:
                answer = await self.client.get(path, headers=self.who[role], params={} if "government" in path else {"limit": 200})
                assert answer.status_code == 200, (path, answer.text)
                found[f"{role} {path}"] = answer.text
        lanes = json.loads(found["guard /v1/lanes"])["items"]
        for lane in lanes:
            answer = await self.client.get(f"/v1/lanes/{lane['id']}/passages", headers=self.who["guard"], params={"limit": 200})
            found[f"passages {lane['id']}"] = answer.text
        staff = self.who["staff"]
        for service, path in (
            ("identity", f"/v1/residents/{self.me}"), ("identity", "/v1/accounts?limit=200"), ("identity", "/v1/vehicles?limit=200"),
            ("access", f"/v1/credentials?person_id={self.me}"), ("access", "/v1/visitor-passes?limit=200"),
            ("parking", "/v1/parking/plate-rights?limit=200"), ("parking", "/v1/parking/sessions?limit=200")):
            answer = await self.client.get(self.url(service, path), headers=staff)
            assert answer.status_code == 200, (path, answer.text)
            found[path] = answer.text
        for path in ("/v1/me", "/v1/me/cars", "/v1/me/visitors", "/v1/me/permits", "/v1/me/notices", "/v1/me/alarms", MINE,
                     "/v1/me/door-events", f"/v1/circles/{self.stack.demo.community_id}/members?limit=200"):
            answer = await self.client.get(path, headers=self.resident)
            found[f"their own {path}"] = answer.text
        neighbour = f"/v1/circles/{self.stack.demo.community_id}/members?limit=200"
        found["a neighbour"] = (await self.client.get(neighbour, headers=self.other)).text
        return found


async def said(stack: Stack, service: str, kind: str) -> list[dict[str, Any]]:
    address = stack.status["databases"][service].replace(f"{service}_owner@", "postgres@")
    connection = await asyncpg.connect(address)
    try:
        rows = await connection.fetch("select data from events where type = $1 and source is null order by position", kind)
        return [json.loads(row[0]) for row in rows]
    finally:
        await connection.close()


@pytest.fixture
async def life(stack: Stack, http: httpx.AsyncClient) -> Life:
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    found = Life(context, stack.demo, **{role: tokens.token(stack.place, role, None) for role in ("resident", "guard", "staff")})
    found.who |= {role: stack.bearer(role) for role in ("police", "grid")}
    found.stack = stack
    found.other = stack.bearer("resident", stack.demo.cards[1]["person_id"])
    found.planted = Planted(
        name=f"欧阳{''.join(random.sample('忘川若水听风知秋望舒', 3))}", phone=f"198{random.randrange(10**8):08}", number=id_number(),
        card=f"88{random.randrange(10**8):08}", pin=f"{random.randrange(10**9, 10**10)}", plate=some_plate(),
        called=f"{''.join(random.sample('竹影松涛兰香梅韵', 4))}小筑", guest=f"客卿{uuid4().hex[:6]}")
    return found


async def incident(life: Life) -> str:
    asked = await life.post("/v1/sos", life.resident, {"home_id": life.home["home_id"]})
    found = str(asked.json()["id"])

    async def queued() -> Any:
        items = (await life.get("/v1/incidents", life.who["guard"], state="all", limit=200))["items"]
        return next((i for i in items if i["id"] == found and i["state"] == "raised"), None)

    await until(queued)
    return found


async def guest(life: Life) -> dict[str, Any]:
    """Somebody whom they have invited, who stayed five hours, paid and left; another pass is still open."""
    plate = some_plate()
    stay = await life.guest(plate, hours=5)
    await life.pays(stay["id"], life.resident)
    await until(lambda: life.drives("out", plate))
    now = datetime.now(UTC)
    body = {
        "kind": "family", "home_id": life.home["home_id"], "visitor_name": life.planted.guest, "plate": some_plate(),
        "valid_from": now.isoformat(), "valid_until": (now + timedelta(hours=5)).isoformat()}
    await life.post("/v1/visitor-passes", life.resident, body)
    return dict(await life.one_stay(stay["id"], state="ended"))


async def rides(life: Life) -> None:
    """In and out again with the car that they have a permit for."""
    async def stays(state: str) -> list[Any]:
        items = (await life.get(MINE, life.resident, limit=50))["items"]
        return [i for i in items if i["pass_id"] is None and i["state"] == state]

    async def out() -> bool:
        for _ in await stays("inside"):
            await life.drives("out", life.planted.plate)
        return bool(await stays("ended"))

    await life.drives("in", life.planted.plate)
    await until(lambda: stays("inside"))
    await until(out, 60)


def indexes(life: Life) -> list[str]:
    """Under which they were to be found."""
    blind = BlindIndex(secret_bytes((life.stack.place.secrets / "blind-index").read_text(), "blind-index"))
    p, here = life.planted, UUID(life.stack.demo.community_id)
    return [
        account_index(blind, here, f"+86{p.phone}"), blind.of(here, "id-number", p.number), blind.of(here, "plate", p.plate),
        blind.of(here, "card", normalised("card", p.card)), blind.of(here, "pin", p.pin)]


async def test_a_resident_erases_themselves(stack: Stack, life: Life):
    await life.moves_in()
    await life.lives()
    bill, alarm = await guest(life), await incident(life)
    await rides(life)
    assert bill["total"] > 0 and bill["id"] in await life.stays()

    before, sealed = await life.what_stays(), await traces(stack)
    values, blind = life.planted.values(), indexes(life)
    assert sealed.in_the_clear(values) == [], "sealed at rest"
    assert {t.value for t in sealed.in_boxes(values)} == set(values), "the scan finds what is there"
    assert {t.value for t in sealed.in_the_clear(blind)} == set(blind), "and under what it is found"
    assert any(life.planted.called in text for text in (await life.pages()).values()), "neighbours see what they are called"

    erased = await life.asks("POST", life.url("identity", "/v1/me/erasure"), life.resident, {"confirm": "erase"})
    assert erased.status_code == 202, erased.text

    async def confirmed() -> bool:
        found = [await said(stack, service, "erasure_confirmed") for service in SERVICES]
        return all(life.me in {e["person_id"] for e in each} for each in found)

    await until(confirmed, 60)

    async def unread() -> bool:
        texts = (await life.pages()).values()
        return not any(value in text for value in values for text in texts)

    await until(unread, 15)
    assert {k: [v for v in values if v in t] for k, t in (await life.pages()).items() if any(v in t for v in values)} == {}

    assert await life.what_stays() == before, "bills, counts, occupancy and incidents"
    assert alarm in before["incidents"]
    gone = await traces(stack)
    assert gone.in_the_clear(values) == []
    left = [t for t in gone.in_boxes(values) if not t.subject.startswith("device:")]
    assert left == [], "what a device has said, of whomever, goes with its day"
    assert gone.in_the_clear(blind) == [], "nothing finds them any more"
    assert not await life.card_opens()

    async def refused() -> Any:
        items = (await life.get("/v1/door-events", life.who["guard"], limit=50))["items"]
        return next((e for e in items if e.get("reason") == "credential_unknown" and not e["allowed"]), None)

    await until(refused)
    again = await life.asks("PUT", "/v1/me/display-name", life.resident, {"display_name": "另起一名"})
    assert (again.status_code, again.json()["code"]) == (409, "resident_erased"), again.text
