"""A visitor on the real stack: the pass, its code at a gate, at the door and in the lift, the notice; and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from libs.eventkit.privacy import unbase64url
from services.access import qr
from services.devices.api.reports import authorization
from tests.devices.bodies import access_json
from tests.e2e.conftest import Stack
from tests.e2e.plain_text import everywhere
from tests.kit import until

QR = "5/156"
PLATE, VISITOR = "粤B7Q2X9", "欧阳来访"


class Visit:
    """The resident who holds the first card, their home, and terminals at a gate and at their building."""

    def __init__(self, stack: Stack, control: Any, home: dict[str, Any], host: str) -> None:
        self.stack, self.control, self.home, self.host = stack, control, home, host
        self.client = httpx.AsyncClient(base_url=stack.url("access"), timeout=15, trust_env=False)
        self.me, self.staff = stack.bearer("resident", host), stack.bearer("staff")

    async def issue(self, **more: Any) -> dict[str, Any]:
        body = {"kind": "courier", "home_id": self.home["home_id"], **more}
        answer = await self.client.post("/v1/visitor-passes", headers=self.me, json=body)
        assert answer.status_code == 201, answer.text
        return {**answer.json(), "position": answer.headers["lifang-position"]}

    async def get(self, path: str, who: dict[str, str], position: str = "") -> httpx.Response:
        return await self.client.get(path, headers=who | ({"lifang-min-position": position} if position else {}))

    def door(self, zone: str) -> dict[str, Any]:
        terminals = {t.device_id for t in self.stack.demo.terminals}
        return next(d for d in self.doors if d["zone"] == zone and d["device_id"] in terminals)

    async def know_doors(self) -> None:
        self.doors = (await self.get("/v1/doors?limit=200", self.staff)).json()["items"]

    async def shows(self, text: str, device_id: str, door_no: int) -> bool:
        """Whether the terminal, which asks, lets the visitor in."""
        terminal = self.control([t.device_id for t in self.stack.demo.terminals].index(device_id))
        body = {"card_number": text, "door_no": door_no, "remote_check": True, "code": QR}
        told = (await self.client.post(f"{terminal}/card", json=body)).json()
        assert told["status"] == 200, told
        return bool(told["admitted"])

    async def at(self, door: dict[str, Any], text: str) -> bool:
        return await self.shows(text, door["device_id"], door["door_no"])

    async def reason(self, door: dict[str, Any]) -> str:
        """Why the last code at this door was judged as it was."""
        answer = await self.client.get(self.stack.gateway + "/v1/door-events?limit=50", headers=self.staff)
        found = next(i for i in answer.json()["items"] if i["door_id"] == door["id"] and i["means"] == "qr")
        return str(found["reason"])


@pytest.fixture
async def visit(stack: Stack, http: httpx.AsyncClient, control):
    host = stack.demo.cards[0]["person_id"]
    found = await http.get(
        stack.url("identity") + "/v1/residences", params={"resident_id": host}, headers=stack.bearer("staff"))
    made = Visit(stack, control, found.json()["items"][0], host)
    await made.know_doors()
    yield made
    await made.client.aclose()


async def test_one_pass_goes_through_the_gate_the_door_and_the_lift_and_each_once(visit: Visit):
    building = visit.home["building_id"]
    gate, door = visit.door("community"), visit.door(f"building:{building}")
    home = f"/v1/homes/{visit.home['home_id']}/floor"
    assert (await visit.client.put(home, headers=visit.staff, json={"floor": 7})).status_code == 200
    lift = {"name": f"Lift {uuid4()}", "building_id": building, "device_id": door["device_id"],
            "floors": [{"floor": f, "door_no": 200 + f} for f in (1, 7, 8)]}
    answer = await visit.client.post("/v1/lifts", headers=visit.staff, json=lift)
    assert answer.status_code == 201, answer.text
    lift_id = answer.json()["id"]

    made = await visit.issue(plate=PLATE, visitor_name=VISITOR)
    shown = (await visit.get(f"/v1/visitor-passes/{made['id']}", visit.me, made["position"])).json()
    assert (shown["qr"], shown["plate"], shown["visitor_name"], shown["floors"]) == (made["qr"], PLATE, VISITOR, [7])
    keys = (await visit.client.get("/v1/visitor-qr-keys")).json()["items"]
    public = {bytes.fromhex(k["id"]): qr.Ed25519PublicKey.from_public_bytes(unbase64url(k["public_key"])) for k in keys}
    said = qr.verify(qr.payload_of(made["qr"]), public, datetime.now(UTC), UUID(visit.stack.demo.community_id))
    assert str(said.pass_id) == made["id"] and said.opens(f"building:{building}")

    assert await visit.at(gate, made["qr"])
    assert not await visit.at(gate, made["qr"])
    await until(lambda: _is(visit, gate, "pass_spent"))
    assert await visit.at(door, made["qr"])
    relay = {**door, "door_no": 207}
    assert await visit.at(relay, made["qr"])
    assert not await visit.at({**relay, "door_no": 208}, made["qr"])
    await until(lambda: _is(visit, {"id": lift_id}, "floor_not_permitted"))
    for floor, status in ((7, 201), (1, 201), (8, 409)):
        answer = await visit.client.post(f"/v1/lifts/{lift_id}/openings", headers=visit.me, json={"floor": floor})
        assert answer.status_code == status, answer.text
    assert answer.json()["code"] == "floor_not_permitted"

    async def told() -> Any:
        items = (await visit.get("/v1/notices", visit.me)).json()["items"]
        return [i for i in items if i["pass_id"] == made["id"]]

    notices = await until(told)
    assert [(n["kind"], n["detail"]) for n in notices] == [("visitor_arrived", "door")]
    shown = (await visit.get(f"/v1/visitor-passes/{made['id']}", visit.staff)).json()
    assert (shown["entries"], shown["visitor_name"], "qr" in shown) == (3, "欧*", False)
    assert shown["arrived_at"] and PLATE not in str(shown)


async def _is(visit: Visit, door: dict[str, Any], reason: str) -> bool:
    return await visit.reason(door) == reason


async def test_a_revoked_pass_and_one_whose_time_has_not_come_open_nothing(visit: Visit):
    gate, soon = visit.door("community"), datetime.now(UTC) + timedelta(days=1)
    early = await visit.issue(kind="family", valid_from=soon.isoformat())
    assert not await visit.at(gate, early["qr"])
    await until(lambda: _is(visit, gate, "pass_not_yet_valid"))
    made = await visit.issue(kind="family")
    assert await visit.at(gate, made["qr"]) and await visit.at(gate, made["qr"])
    place = f"/v1/visitor-passes/{made['id']}"
    answer = await visit.client.post(f"{place}/revocations", headers=visit.staff)
    assert answer.status_code == 201, answer.text
    assert not await visit.at(gate, made["qr"])
    await until(lambda: _is(visit, gate, "pass_revoked"))
    shown = (await visit.get(place, visit.me, answer.headers["lifang-position"])).json()
    assert (shown["state"], shown["revoked"], "qr" in shown) == ("revoked", "staff", False)

    async def told() -> Any:
        return [n for n in (await visit.get("/v1/notices", visit.me)).json()["items"]
                if (n["kind"], n["pass_id"]) == ("visitor_pass_revoked", made["id"])]

    await until(told)


async def test_an_altered_code_is_nobodys(visit: Visit):
    gate, made = visit.door("community"), await visit.issue()
    altered = made["qr"][:20] + ("A" if made["qr"][20] != "A" else "B") + made["qr"][21:]
    assert not await visit.at(gate, altered)
    await until(lambda: _is(visit, gate, "qr_signature_wrong"))
    assert await visit.at(gate, made["qr"])


async def test_a_pass_is_its_hosts_alone(visit: Visit, stack: Stack):
    made = await visit.issue()
    place, other = f"/v1/visitor-passes/{made['id']}", stack.bearer("resident", stack.demo.cards[1]["person_id"])
    for method, path in (("GET", place), ("POST", f"{place}/revocations"), ("GET", f"/v1/visitor-passes/{uuid4()}")):
        answer = await visit.client.request(method, path, headers=other | {"lifang-min-position": made["position"]})
        assert answer.status_code == 404, answer.text
    items = (await visit.get("/v1/visitor-passes?limit=200", other, made["position"])).json()["items"]
    assert made["id"] not in {i["id"] for i in items}
    for who, more, status, code in (
        (other, {}, 409, "not_a_resident_of_this_home"), (other, {"host_id": visit.host}, 403, "not_permitted"),
        (visit.staff, {}, 422, "host_missing"), (visit.me, {"home_id": str(uuid4())}, 404, "home_not_found"),
        (visit.me, {"kind": "takeaway", "uses": 2}, 409, "pass_uses_out_of_range"),
        (visit.me, {"plate": "?"}, 409, "plate_malformed"), (stack.bearer("guard"), {}, 403, "not_permitted")):
        body = {"kind": "courier", "home_id": visit.home["home_id"], **more}
        answer = await visit.client.post("/v1/visitor-passes", headers=who, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_host_of_a_pass_that_staff_issued_reads_its_code_and_is_told_at_the_gateway(
        visit: Visit, stack: Stack, http: httpx.AsyncClient):
    body = {"kind": "courier", "home_id": visit.home["home_id"], "host_id": visit.host, "visitor_name": VISITOR}
    made = await http.post("/v1/visitor-passes", headers=visit.staff, json=body)
    assert made.status_code == 201 and "qr" not in made.json(), made.text
    place, since = made.headers["location"], {"lifang-min-position": made.headers["lifang-position"]}
    mine, staffs, others = [
        await http.get(place, headers=who | since)
        for who in (visit.me, visit.staff, stack.bearer("resident", stack.demo.cards[1]["person_id"]))]
    assert (mine.status_code, mine.json()["visitor_name"]) == (200, VISITOR), mine.text
    assert (staffs.json()["visitor_name"], "qr" in staffs.json(), others.status_code) == ("欧*", False, 404)
    keys = (await http.get("/v1/visitor-qr-keys")).json()["items"]
    public = {bytes.fromhex(k["id"]): qr.Ed25519PublicKey.from_public_bytes(unbase64url(k["public_key"])) for k in keys}
    said = qr.verify(qr.payload_of(mine.json()["qr"]), public, datetime.now(UTC), UUID(stack.demo.community_id))
    assert str(said.pass_id) == made.json()["id"]
    assert await visit.at(visit.door("community"), mine.json()["qr"])

    async def told() -> Any:
        items = (await http.get("/v1/me/visitor-notices", headers=visit.me)).json()["items"]
        return [(i["kind"], i["detail"]) for i in items if i["pass_id"] == made.json()["id"]]

    assert await until(told) == [("visitor_arrived", "door")]


async def test_a_request_that_comes_again_makes_no_second_pass(visit: Visit):
    headers = visit.me | {"idempotency-key": str(uuid4())}
    body = {"kind": "courier", "home_id": visit.home["home_id"], "plate": PLATE}
    first, again = [await visit.client.post("/v1/visitor-passes", headers=headers, json=body) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_with_the_residence_end_its_passes(visit: Visit, stack: Stack):
    identity = stack.url("identity")
    who = (await visit.client.post(identity + "/v1/residents", headers=visit.staff, json={"name": "林二"})).json()["id"]
    body = {"home_id": visit.home["home_id"], "role": "tenant"}
    lives = (await visit.client.post(f"{identity}/v1/residents/{who}/residences", headers=visit.staff, json=body)).json()["id"]
    wanted = {"kind": "family", "home_id": visit.home["home_id"], "host_id": who}

    async def issued() -> Any:
        answer = await visit.client.post("/v1/visitor-passes", headers=visit.staff, json=wanted)
        return answer.json()["id"] if answer.status_code == 201 else None

    place = f"/v1/visitor-passes/{await until(issued)}"
    answer = await visit.client.post(f"{identity}/v1/residences/{lives}/end", headers=visit.staff, json={})
    assert answer.status_code in (200, 201), answer.text

    async def ended() -> bool:
        return bool((await visit.get(place, visit.staff)).json().get("revoked") == "residence_ended")

    await until(ended)


async def test_who_comes_lies_nowhere_in_plain_text(visit: Visit, stack: Stack):
    made = await visit.issue(plate=PLATE, visitor_name=VISITOR)
    assert await visit.at(visit.door("community"), made["qr"])
    for text in (await everywhere(stack)).values():
        assert [v for v in (PLATE, VISITOR, made["qr"]) if v in text] == []


async def test_a_service_asks_whether_a_code_opens_a_door_and_nothing_is_used_up(visit: Visit, stack: Stack):
    gate, made, service = visit.door("community"), await visit.issue(), stack.bearer("service")
    place = f"/v1/doors/{gate['id']}/judgements"

    async def asked(body: dict[str, str], who: dict[str, str] = service) -> httpx.Response:
        return await visit.client.post(place, headers=who, json=body)

    code = {"kind": "qr", "qr": made["qr"]}
    for _ in range(2):
        answer = (await asked(code)).json()
        assert (answer["allowed"], answer["rule"], answer["reason"]) == (True, "visitor_pass", "allowed_by_visitor_pass")
    assert [fact["says"] for fact in answer["facts"]] == ["door", "visitor_pass"]
    assert (await asked({"kind": "qr", "qr": "welcome"})).json()["reason"] == "qr_malformed"
    assert (await asked({"kind": "card", "number": stack.demo.cards[0]["number"]})).json()["allowed"]
    for body, who, status in (
        ({"kind": "qr", "number": "1"}, service, 422), ({"kind": "card", "qr": "1"}, service, 422), (code, visit.me, 403)):
        assert (await asked(body, who)).status_code == status
    assert await visit.at(gate, made["qr"]) and not await visit.at(gate, made["qr"])
    answer = (await asked(code)).json()
    assert (answer["allowed"], answer["reason"]) == (False, "pass_spent")


async def test_a_door_that_did_not_open_gives_the_use_back_and_the_host_is_told_of_no_arrival(visit: Visit, stack: Stack):
    """A reader that asks, and that nobody can reach with the answer."""
    devices = stack.url("devices")
    made = (await visit.client.post(devices + "/v1/devices", headers=visit.staff, json={
        "kind": "hikvision-terminal", "name": "Gate without a line"})).json()
    enrolled = await visit.client.post(
        f"{devices}/v1/devices/{made['id']}/enrolments", json={"code": made["enrolment_code"]})
    mine = {"authorization": authorization(made["id"], enrolled.json()["credential"]), "content-type": "application/json"}
    door = {"name": f"Gate {uuid4()}", "zone": "community", "device_id": made["id"], "door_no": 1}
    installed = await visit.client.post("/v1/doors", headers=visit.staff, json=door)
    assert installed.status_code == 201, installed.text
    guest = await visit.issue(kind="takeaway")
    place = f"/v1/visitor-passes/{guest['id']}"

    async def log(kind: str) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(stack.status["databases"]["access"])
        try:
            return [dict(r) for r in await connection.fetch(
                "select event_id, data::text, meta::text from events where stream = $1 and type = $2",
                f"visitor-pass:{guest['id']}", kind)]
        finally:
            await connection.close()

    for serial in (1, 2):  # the second time there is a use again
        shown = access_json(
            QR, {"dateTime": datetime.now(UTC).isoformat()}, cardNo=guest["qr"], doorNo=1, serialNo=serial, frontSerialNo=serial - 1,
            currentEvent=True, remoteCheck=True)
        pushed = await visit.client.post(f"{devices}/v1/device-reports/hikvision/{made['id']}", headers=mine, content=shown)
        assert pushed.status_code == 200, pushed.text

        async def returned(times: int = serial) -> Any:
            found = await log("visitor_pass_use_returned")
            return len(found) == times and found

        last = (await until(returned))[-1]
        assert json.loads(last["data"])["reason"] == "unreachable"
    assert len(await log("visitor_pass_used")) == 2 and await log("visitor_arrived") == []
    shown = (await visit.get(place, visit.me)).json()
    assert (shown["entries"], shown["arrived_at"], shown["state"]) == (0, None, "valid")

    assert await visit.at(visit.door("community"), guest["qr"])
    await until(lambda: log("visitor_arrived"))
    assert not await visit.at(visit.door("community"), guest["qr"])
    shown = (await visit.get(place, visit.me)).json()
    assert shown["entries"] == 1 and shown["arrived_at"]
