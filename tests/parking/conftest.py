"""A gate: devices and parking in one process, joined by real Kafka, and a camera that pushes to it and is answered."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import astuple

from libs.contracts.access import VisitorPassIssued
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.privacy import seal
from libs.eventkit.run import web
from libs.eventkit.service import App
from services.devices.device_book import hash_of
from services.devices.domain.registry import Description, EnrolDevice, RegisterDevice
from services.devices.main import SERVICE as DEVICES
from services.parking.domain.lanes import InstallLane
from services.parking.domain.lots import AdoptTariff, OpenLot
from services.parking.domain.plate_rights import GrantPlateRight, Kind, PlateRightGranted
from services.parking.domain.plates import read_plate
from services.parking.domain.published_tariffs import residential_visitors
from services.parking.lane_desk import index_of
from services.parking.main import SERVICE as PARKING
from services.parking.payments import LocalProvider
from tests.conftest import Databases
from tests.eventkit.topics import with_topics
from tests.kit import until

LONG_AGO = date(2020, 1, 1)


class Gate(Struct):
    """One community with a lot, a lane in and a lane out; each camera waits `answer_ms` for its answer."""

    devices: App
    parking: App
    client: httpx.AsyncClient
    community: UUID
    lot: UUID
    cameras: dict[str, UUID] = {}
    lanes: dict[str, UUID] = {}

    def context(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def camera(self, direction: str, fallback: Any = "closed", answer_ms: int = 3000) -> None:
        device, lane = uuid4(), uuid4()
        about = Description("vzenith-camera", direction, f"S{device.hex[:8]}", fallback=fallback, answer_ms=answer_ms)
        expires = datetime.now(UTC) + timedelta(days=1)
        await self.devices.commands.handle(device, RegisterDevice(device, about, hash_of("code"), expires), self.context())
        await self.devices.commands.handle(
            device, EnrolDevice(device, hash_of("code"), hash_of("secret"), datetime.now(UTC)), self.context())
        installed = InstallLane(lane, self.lot, direction, "out" if direction == "out" else "in", "ground", device, 1)
        await self.parking.commands.handle(lane, installed, self.context())
        self.cameras[direction], self.lanes[direction] = device, lane

    async def sees(self, direction: str, plate: str, at: datetime | None = None, offline: bool = False, colour: int = 1) -> str:
        """What the camera is told: ok or no."""
        device, moment = self.cameras[direction], at or datetime.now(UTC)
        result = {
            "license": plate, "colorType": colour, "confidence": 98, "direction": 1, "triggerType": 2, "carColor": 1,
            "timeStamp": {"Timeval": {"sec": int(moment.timestamp()), "usec": time.time_ns() // 1000 % 1_000_000}}}
        if offline:
            result["isoffline"] = 1
        body = {"AlarmInfoPlate": {
            "channel": 0, "deviceName": "gate", "ipaddr": "192.0.2.7", "serialno": "ab12", "result": {"PlateResult": result}}}
        basic = base64.b64encode(f"{device}:secret".encode()).decode()
        answer = await self.client.post(
            f"/v1/device-reports/vzenith/{device}", content=json.dumps(body, ensure_ascii=False).encode(),
            headers={"authorization": f"Basic {basic}", "content-type": "application/json"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["Response_AlarmInfoPlate"]["info"])

    async def grant(self, plate: str, kind: Kind, **more: Any) -> UUID:
        right, value = uuid4(), read_plate(plate, "form").value or ""
        handle = await self.parking.keyring.key_for(self.community, f"plate-right:{right}", "plate")
        sealed = seal(handle.dek, handle.key_id, right, "plate", value)
        command = GrantPlateRight(PlateRightGranted(right, kind, sealed, **more), index_of(self.parking, self.community, value))
        await self.parking.commands.handle(right, command, self.context())
        return right

    async def story(self, *types: str) -> list[Any]:
        """Parking's own events of these types in this community."""
        pool = await self.parking.database.pool()
        rows = await self.parking.log.read(0, 5000, list(types))
        assert pool is not None
        return [self.parking.catalogue.read(row) for row in rows if row.community_id == self.community]

    async def inside(self, count: int = 1) -> list[Any]:
        """The stays that have begun, once there are so many."""
        async def begun() -> list[Any]:
            found = await self.story("session_begun")
            return found if len(found) >= count else []

        return list(await until(begun))

    async def outside(self, count: int = 1) -> list[Any]:
        async def ended() -> list[Any]:
            found = await self.story("session_ended")
            return found if len(found) >= count else []

        return list(await until(ended))

    async def findings(self, count: int = 1) -> list[Any]:
        async def raised() -> list[Any]:
            found = await self.story("finding_raised")
            return found if len(found) >= count else []

        return list(await until(raised))


@pytest.fixture(scope="module")
async def services(databases: Databases) -> AsyncIterator[tuple[App, App, httpx.AsyncClient]]:
    made, prefix = [], f"t{uuid4().hex[:12]}"
    for service in (DEVICES, PARKING):
        settings = (await databases.make(service)).model_copy(update={"topic_prefix": prefix})
        app = with_topics(App(service, settings))
        await app.open()
        app.start_api()
        app.start_worker()
        app.start_relay()
        app.supervisor.start("listen", lambda app=app: app.wake.listen(app.database))
        made.append(app)
    transport = httpx.ASGITransport(app=web(made[0]))
    async with httpx.AsyncClient(transport=transport, base_url="http://devices", timeout=30) as client:
        yield made[0], made[1], client
    for app in made:
        await app.close()


@pytest.fixture
async def gate(services: tuple[App, App, httpx.AsyncClient]) -> Gate:
    devices, parking, client = services
    found = Gate(devices, parking, client, uuid4(), uuid4())
    await parking.commands.handle(found.lot, OpenLot(found.lot, "lot", "Asia/Shanghai", {"ground": 2}, True, 900), found.context())
    await parking.commands.handle(found.lot, AdoptTariff(found.lot, residential_visitors(), LONG_AGO, LONG_AGO), found.context())
    await asyncio.gather(found.camera("in"), found.camera("out"))
    return found


@pytest.fixture
async def desk(services: tuple[App, App, httpx.AsyncClient], gate: Gate, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Parking's routes for a caller of a role: who they are is taken as verified, what they may do is not."""
    parking = services[1]

    def verify(token: str, now: datetime) -> Principal:
        role, _, person = token.partition(":")
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({gate.community}), permissions_of(role))

    monkeypatch.setattr(parking.verifier, "verify", verify)
    object.__setattr__(parking.settings, "demo", True)  # with the local provider
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(parking)), base_url="http://parking") as client:
        async def ask(method: str, path: str, who: str = "guard", body: Any = None, **headers: str) -> httpx.Response:
            return await client.request(
                method, f"/v1/parking{path}", json=body, headers={"authorization": f"Bearer {who}", **headers})

        async def tell(said: dict[str, Any], signature: str | None = None) -> httpx.Response:
            """As the provider does."""
            body = json.dumps(said).encode()
            signed = LocalProvider(parking.settings).sign(body) if signature is None else signature
            return await client.post(
                "/v1/parking/payment-notifications/local", content=body, headers={"payment-signature": signed})

        yield SimpleNamespace(ask=ask, tell=tell)
    object.__setattr__(parking.settings, "demo", False)


def invitation(host: UUID, plate: SealedField, uses: int | None = None) -> VisitorPassIssued:
    now = datetime.now(UTC)
    return VisitorPassIssued(
        pass_id=uuid4(), kind="family", home_id=uuid4(), host_id=host, valid_from=now - timedelta(minutes=1),
        valid_until=now + timedelta(hours=4), uses=uses, zones=(), floors=(), plate=plate, visitor_name=None)


def field(sealed: Any) -> SealedField:
    return SealedField(*astuple(sealed))
