"""A community is founded beside a running platform, and its operator comes in by the gateway like anybody else."""

from time import time
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.devices.api.reports import authorization
from tests.devices.bodies import vzenith_json
from tests.e2e.conftest import Stack
from tests.e2e.signing_in import bearer, handed_out, operated, phone, signed_in
from tests.kit import until
from tests.security.own import Strangers


def founded(stack: Stack) -> dict[str, Any]:
    return operated(stack, "found", f"新里 {uuid4().hex[:8]}", "--division", "310104", "--phone", phone(), "--further")


async def test_from_the_founding_to_a_resident_and_a_door(stack: Stack, http: httpx.AsyncClient):
    there = founded(stack)
    operator = bearer(await signed_in(http, there["sign_in"]))
    again = await http.post(f"/v1/sign-ins/{there['sign_in']['id']}/tokens", json={"code": there["sign_in"]["code"]})
    assert again.json()["code"] == "code_used"

    async def heard() -> bool:
        return (await http.get("/v1/me", headers=operator)).status_code == 200

    await until(heard)
    me = (await http.get("/v1/me", headers=operator)).json()
    assert (me["person_id"], me["role"]) == (there["person_id"], "operator")
    opened = await http.post("/v1/accounts", json={"role": "staff", "phone": phone()}, headers=operator)
    assert opened.status_code == 201, opened.text
    staff = bearer(await signed_in(http, handed_out(stack, opened.json()["id"])))
    building = await http.post("/v1/buildings", json={"name": "1号楼", "units": 1}, headers=staff)
    assert building.status_code == 201, building.text
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=staff)).status_code == 201
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=operator)).status_code == 403
    door = {"name": "南门", "zone": "community", "device_id": str(uuid4()), "door_no": 1}
    assert (await http.post("/v1/doors", json=door, headers=operator)).status_code == 403
    installed = await http.post("/v1/doors", json=door, headers=staff)
    assert installed.status_code == 201, installed.text
    shown = (await http.get("/v1/residents", headers=staff)).json()["items"]
    assert len(shown) <= 1, "nobody of another community"


class Founded:
    """A community that was just founded, its staff, and the gateway, which is all that they reach."""

    def __init__(self, http: httpx.AsyncClient, community_id: str, staff: dict[str, str]) -> None:
        self.http, self.community_id, self.staff = http, community_id, staff

    async def says(self, method: str, path: str, body: Any, **headers: str) -> dict[str, Any]:
        answer = await self.http.request(method, path, json=body, headers=self.staff | headers)
        assert answer.status_code in (200, 201), (path, answer.text)
        return {**answer.json(), "position": answer.headers["lifang-position"]}

    async def shown(self, path: str, after: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.get(path, headers=self.staff | {"lifang-min-position": after["position"]})
        assert answer.status_code == 200 and "lifang-stale" not in answer.headers, answer.text
        return dict(answer.json())

    async def moved_in(self) -> tuple[str, str]:
        """Somebody and their home."""
        building = await self.says("POST", "/v1/buildings", {"name": "1号楼", "units": 1})
        home = await self.says("POST", "/v1/homes", {"building_id": building["id"], "unit": 1, "label": "1-101"})
        who = await self.says("POST", "/v1/residents", {"name": "林一"})
        await self.says("POST", f"/v1/residents/{who['id']}/residences", {"home_id": home["id"], "role": "owner"})
        return who["id"], home["id"]

    async def gate(self) -> "Camera":
        """The way into a car park that only those who belong there may enter, with a camera that has enrolled."""
        new = {"kind": "vzenith-camera", "name": "东门", "answer_ms": 5000}
        camera = await self.says("POST", "/v1/devices", new)
        enrolled = await self.says("POST", f"/v1/devices/{camera['id']}/enrolments", {"code": camera["enrolment_code"]})
        assert camera["id"] in {device["id"] for device in (await self.shown("/v1/devices", enrolled))["items"]}
        lot = await self.says("POST", "/v1/parking/lots", {"name": "地库", "spaces": {"B1": 20}, "public": False})
        lane = {"lot_id": lot["id"], "name": "东门入口", "direction": "in", "zone": "B1", "device_id": camera["id"]}
        await self.says("POST", "/v1/parking/lanes", lane)
        return Camera(self.http, enrolled["push"]["url"], authorization(camera["id"], enrolled["credential"]))


class Camera:
    """It speaks to devices itself, as it was told when it enrolled."""

    def __init__(self, http: httpx.AsyncClient, url: str, credential: str) -> None:
        self.http, self.url, self.read = http, url, 0
        self.headers = {"authorization": credential, "content-type": "application/json"}

    async def lets_in(self, plate: str) -> bool:
        self.read += 1
        now = {"Timeval": {"sec": int(time()), "usec": 0}}
        pushed = await self.http.post(
            self.url, headers=self.headers, content=vzenith_json(license=plate, plateid=self.read, timeStamp=now))
        assert pushed.status_code == 200, pushed.text
        return bool(pushed.json()["Response_AlarmInfoPlate"]["info"] == "ok")


async def test_a_car_that_staff_have_verified_comes_in_as_the_residents_and_all_of_it_is_done_at_the_gateway(
    stack: Stack, http: httpx.AsyncClient,
):
    there = founded(stack)
    operator = bearer(await signed_in(http, there["sign_in"]))
    opened = await http.post("/v1/accounts", json={"role": "staff", "phone": phone()}, headers=operator)
    staff = bearer(await signed_in(http, handed_out(stack, opened.json()["id"])))
    of = Founded(http, there["community_id"], staff)
    (resident_id, home_id), camera, plate = await of.moved_in(), await of.gate(), f"沪A{uuid4().int % 100_000:05}"

    car = await of.says("POST", "/v1/vehicles", {
        "home_id": home_id, "keeper_id": resident_id, "plate": plate, "vehicle_class": "small"})
    assert (await of.shown(f"/v1/vehicles/{car['id']}", car))["verification"] is None
    assert not await camera.lets_in(plate), "what nobody has seen papers of is no resident's car"
    seen = await of.says("POST", f"/v1/vehicles/{car['id']}/verification", {"how": "driving_licence"})
    listed = (await of.shown("/v1/vehicles", seen))["items"]
    assert [(v["id"], v["verification"]) for v in listed] == [(car["id"], "driving_licence")]

    await until(lambda: camera.lets_in(plate))
    resident = (await Strangers.of(stack)).bearer("resident", UUID(of.community_id), UUID(resident_id))

    async def mine() -> Any:
        return (await http.get("/v1/me/parking-sessions", headers=resident)).json()["items"]

    (stay,) = await until(mine)
    assert (stay["vehicle_id"], stay["state"]) == (car["id"], "inside")
    for who in (resident, staff):
        bill = await http.get(f"/v1/parking-sessions/{stay['id']}/bill", headers=who)
        assert (bill.status_code, bill.json()["due"]) == (200, 0), bill.text
    (inside,) = (await http.get("/v1/parking-sessions", params={"state": "inside"}, headers=staff)).json()["items"]
    assert (inside["id"], inside["kind"]) == (stay["id"], "vehicle")
