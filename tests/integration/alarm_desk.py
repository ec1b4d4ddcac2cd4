"""A guard's desk over the alarm service on a real database, without Kafka: what tests of incidents stand on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, json

from libs.contracts import devices, identity
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.envelope import Heard
from libs.eventkit.hear import _CALL, _columns
from libs.eventkit.recorded import Meta, Number, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from libs.eventkit.views import follow_views
from services.alarm.domain.kinds import Place
from services.alarm.domain.panels import InstallPanel
from services.alarm.domain.sensors import InstallSensor, SensorInstalled
from services.alarm.main import SERVICE
from tests.kit import caught_up, everything

AppOf = Callable[..., Awaitable[App]]
BUILDING, HOME, DEVICE, PANEL, SENSOR, ANN, BEN, GUARD, DOOR = (uuid4() for _ in range(9))
CORRIDOR = Place(BUILDING, 1, 3, None, "corridor")


class Desk(Struct):
    """The alarm service with one building, one home where Ann lives, one panel, and a smoke detector on its zone 7."""

    app: App
    community: UUID
    client: httpx.AsyncClient
    heard: dict[str, int] = {}

    def works(self) -> None:
        """All but what hears from Kafka."""
        app = self.app
        app.start_api()
        app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, SERVICE.views))
        for s in app.subscriptions:
            app.supervisor.start(s.name, lambda s=s: follow(app.log, app.wake, s))

    async def hears(self, *events: Any, ids: Sequence[UUID] = ()) -> None:
        """As it takes them from a topic: several in one transaction."""
        rows = []
        for n, event in enumerate(events):
            source = tag_of(event).partition(".")[0]
            before = self.heard.get(source, 0)
            self.heard[source] = before + 1
            data = json.encode(event).decode()
            rows.append((source, Heard(
                self.community, Number(1, before + 1), Number(1, before) if before else Number(),
                ids[n] if ids else uuid4(), tag_of(event), 1, data, Meta(source_time=datetime.now(UTC)))))
        pool = await self.app.database.pool()
        answers = await pool.fetchval(_CALL, *_columns(rows, {source: source for source, _ in rows}))
        assert set(answers) == {"taken"}, answers
        self.app.wake()

    async def signals(self, code: str, zone: int = 7, report_id: UUID | None = None, **more: Any) -> UUID:
        event = signal(code, zone, report_id, **more)
        await self.hears(event)
        return event.report_id

    async def settled(self) -> None:
        """Until everybody has read what there is."""
        pool = await self.app.database.pool()
        names = [*(view.name for view in SERVICE.views), *(s.name for s in self.app.subscriptions)]
        end = await caught_up(pool, *names)
        while (now := await caught_up(pool, *names)) != end:
            end = now

    async def said(self, *types: type) -> list[Any]:
        rows = await everything(await self.app.database.pool())
        found = [self.app.catalogue.read(row) for row in rows if row.community_id == self.community]
        return [event for event in found if isinstance(event, types)]

    async def ask(self, method: str, path: str, who: str = "guard", body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = await self.client.request(
            method, f"/v1{path}", json=body, headers={"authorization": f"Bearer {who}", **headers})
        assert answer.status_code == status, answer.text
        return answer

    async def get(self, path: str, who: str = "guard") -> Any:
        return (await self.ask("GET", path, who)).json()

    async def does(self, incident: Any, what: str, body: Any, who: str = "guard", status: int = 201, **headers: str) -> Any:
        return await self.ask("POST", f"/incidents/{incident}/{what}", who, body, status, **headers)

    async def refused(self, incident: Any, what: str, body: Any, code: str, who: str = "guard", status: int = 409) -> None:
        answer = await self.does(incident, what, body, who, status)
        assert answer.json()["code"] == code and answer.headers["content-type"] == "application/problem+json"


def signal(code: str, zone: int = 7, report_id: UUID | None = None, **more: Any) -> devices.PanelSignalled:
    said = {
        "protocol": "contact_id", "partition": 1, "user": False, "live": True, "device_id": DEVICE, "device_time": None, **more}
    return devices.PanelSignalled(report_id=report_id or uuid4(), code=code, zone=zone, findings=(), **said)


def context(community: UUID) -> Context:
    return Context(community_id=community, now=datetime.now(UTC))


@asynccontextmanager
async def desk_at(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """The desk at work."""
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        """`role`, `role:person` or `role:person:community`."""
        role, *more = token.split(":")
        person, where = (*more, "", "")[:2]
        return Principal(
            UUID(person) if person else GUARD, role, frozenset({UUID(where) if where else community}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://alarm", timeout=30) as client:
        found = Desk(app, community, client, {})
        found.works()
        await found.hears(
            identity.BuildingRegistered(BUILDING, "1", 2), identity.HomeRegistered(HOME, BUILDING, 2, "1-2-303"),
            identity.AccountOpened(uuid4(), GUARD, "guard"),
            identity.ResidenceStarted(uuid4(), ANN, HOME, BUILDING, 2, "owner", date(2026, 1, 1)))
        await app.commands.handle(PANEL, InstallPanel(PANEL, DEVICE, "east"), context(community))
        await app.commands.handle(
            SENSOR, InstallSensor(SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", CORRIDOR)), context(community))
        yield found
