"""A building that burns: access and devices joined by real Kafka, what alarm says, and a terminal that comes and goes."""

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from msgspec import Struct, json

from libs.contracts import alarm
from libs.contracts.identity import BuildingRegistered
from libs.eventkit.commands import Context
from libs.eventkit.envelope import Heard
from libs.eventkit.hear import _CALL, _columns
from libs.eventkit.recorded import Meta, Number, tag_of
from libs.eventkit.service import App
from services.access.domain.doors import InstallDoor
from services.access.domain.lifts import InstallLift, LiftFloor
from services.devices.domain.registry import Description, RegisterDevice
from simulator.hikvision_device import Push, Terminal, TerminalConfig
from simulator.hikvision_isapi import isapi
from tests.kit import until

DOORS = 4
_told = Counter[tuple[str, UUID]]()
"""How many events each topic has brought to each community."""


async def hears(app: App, source: str, community: UUID, *events: Struct, event_id: UUID | None = None) -> None:
    """As its consumer would, one after the other. An event with the id of an earlier one is a repetition."""
    pool, topic = await app.database.pool(), app.settings.topic(source)
    for event in events:
        told = _told[topic, community]
        number, previous = Number(1, told + 1), Number(1, told) if told else Number()
        heard = Heard(
            community, number, previous, event_id or uuid4(), tag_of(event), 1, json.encode(event).decode(),
            Meta(subject=f"{source}:{uuid4()}"))
        (answer,) = await pool.fetchval(_CALL, *_columns([(topic, heard)], {topic: source}))
        assert answer in ("taken", "repeated")
        _told[topic, community] += 1


class Machine:
    """A simulated terminal at a loopback address of its own; it answers there while it is `on`."""

    def __init__(self, password: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
        self.id = uuid4()
        self.terminal = Terminal(TerminalConfig(
            device_id=str(self.id), name="door", listen=self.address, control=self.address, password_file="", doors=DOORS + 10,
            push=Push("http://192.0.2.1/")), client)
        self._app = isapi(self.terminal, password)
        self._server: tuple[uvicorn.Server, asyncio.Task[None]] | None = None

    async def on(self) -> None:
        host, _, port = self.address.rpartition(":")
        server = uvicorn.Server(uvicorn.Config(self._app, host=host, port=int(port), log_config=None, lifespan="off", loop="none"))
        self._server = server, asyncio.create_task(server._serve())
        await until(lambda: server.started)

    async def off(self) -> None:
        if self._server is not None:
            server, task = self._server
            server.should_exit = server.force_exit = True
            with suppress(asyncio.CancelledError):
                await task
            self._server = None

    async def end(self) -> None:
        self.terminal.stop()
        await self.off()

    def state(self, *door_nos: int) -> list[str]:
        return [self.terminal.relays[n] for n in door_nos]

    @property
    def told(self) -> list[tuple[int, str]]:
        return [(order.door_no, order.command) for order in self.terminal.orders]


class Site(Struct):
    """Doors 1 and 2 of the machine are the building's ways out, 3 its plant room, 4 a gate; its lift's ground floor is relay 11."""

    access: App
    devices: App
    machine: Machine
    client: httpx.AsyncClient
    community: UUID
    building: UUID
    fire: UUID

    def context(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def furnish(self) -> None:
        await hears(self.access, "identity", self.community, BuildingRegistered(self.building, "1", 2))
        zone = f"building:{self.building}"
        for n, where, way_out in ((1, zone, True), (2, zone, True), (3, zone, False), (4, "community", True)):
            door = InstallDoor(uuid4(), f"door {n}", where, self.machine.id, n, way_out)
            await self.access.commands.handle(door.door_id, door, self.context())
        lift = InstallLift(uuid4(), "lift", self.building, self.machine.id, (LiftFloor(1, 11), LiftFloor(2, 12)))
        await self.access.commands.handle(lift.lift_id, lift, self.context())
        about = Description(
            "hikvision-terminal", "door", f"S{self.machine.id.hex[:8]}", base_url=f"http://{self.machine.address}", user="admin",
            password_secret="device-password")
        register = RegisterDevice(self.machine.id, about, "hash", datetime.now(UTC) + timedelta(days=1))
        await self.devices.commands.handle(self.machine.id, register, self.context())

    def place(self) -> alarm.Place:
        return alarm.Place(self.building)

    async def verified(self, fire: UUID | None = None, event_id: UUID | None = None) -> None:
        event = alarm.IncidentVerified(
            fire or self.fire, "fire", "critical", False, self.place(), uuid4(), "camera", datetime.now(UTC))
        await hears(self.access, "alarm", self.community, event, event_id=event_id)

    async def put_out(self, fire: UUID | None = None) -> None:
        event = alarm.IncidentResolved(fire or self.fire, "fire", "critical", False, self.place(), uuid4(), "put_out")
        await hears(self.access, "alarm", self.community, event)

    async def said(self, app: App, *types: str) -> list[Any]:
        """What this service has said itself, in this community."""
        rows = await app.log.read(0, 5000, list(types))
        return [app.catalogue.read(row) for row in rows if row.community_id == self.community and row.source is None]

    async def once(self, app: App, kind: str, count: int = 1) -> list[Any]:
        """As soon as it has been said so often."""
        async def enough() -> list[Any]:
            found = await self.said(app, kind)
            return found if len(found) >= count else []

        return list(await until(enough))

    async def list(self, role: str = "guard") -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/fire-releases", headers={"authorization": f"Bearer {role}"})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def post(self, path: str, body: dict[str, Any], role: str = "staff") -> httpx.Response:
        return await self.client.post(path, json=body, headers={"authorization": f"Bearer {role}"})

    async def ends(self, release: UUID, despite_fire: bool = False) -> httpx.Response:
        return await self.post(f"/v1/fire-releases/{release}/endings", {"despite_fire": despite_fire})
