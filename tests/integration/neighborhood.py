"""A neighborhood for tests: neighbors on a real database, fed with what it hears, with channels that fail and hang as told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from msgspec import Struct, json
from msgspec.structs import replace

from libs.contracts import alarm, identity
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal, Unauthorised
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.privacy import seal
from libs.eventkit.recorded import Meta, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.subscriptions import follow
from libs.eventkit.views import follow_views
from services.neighbors.channels import Emergency
from services.neighbors.main import SERVICE, book_of
from services.neighbors.processes import telling
from tests.kit import caught_up, everything, folded, held

DAY = date(2026, 3, 1)


class Provider:
    """Takes everything but whom it is to fail for: so many times, or (-1) always; `hangs`: never answers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[tuple[UUID, str]] = []
        self.taken: dict[str, Emergency] = {}
        self.failing: dict[UUID, int] = {}
        self.hangs = False

    async def send(self, emergency: Emergency, key: str) -> None:
        self.asked.append((emergency.resident_id, key))
        if self.hangs:
            await asyncio.Event().wait()
        if left := self.failing.get(emergency.resident_id, 0):
            self.failing[emergency.resident_id] = left - 1
            raise ConnectionRefusedError("call 13800000001")
        self.taken[key] = emergency

    def reached(self) -> set[UUID]:
        return {emergency.resident_id for emergency in self.taken.values()}


def service_with(providers: Sequence[Provider]) -> Service:
    return replace(
        SERVICE, timers=lambda app: telling.timers(app, book_of(app), providers),
        reactions=lambda app: (
            *[r for r in SERVICE.reactions(app) if r.name != "telling"], telling.queueing(app, book_of(app), providers)))


class Neighborhood(Struct):
    app: App
    community: UUID
    push: Provider
    sms: Provider

    def works(self, app: App | None = None) -> None:
        app = app or self.app
        for s in app.subscriptions:
            app.supervisor.start(s.name, lambda s=s: follow(app.log, app.wake, s))
        app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, app.service.views))
        app.supervisor.start("memory", lambda: book_of(app).memory.run(app.wake))

    async def hears(self, event: Struct) -> UUID:
        """As from another service; the event's id."""
        event_id = uuid4()
        answer = await self.app.log.append(Append(
            self.community, f"heard:{event_id}", 0, [NewEvent(event_id, tag_of(event), 1, json.encode(event), Meta())]))
        assert answer.verdict == "ok"
        return event_id

    async def founded(self, *buildings: UUID) -> None:
        await self.hears(identity.CommunityFounded(self.community, "里坊", "310104", "Asia/Shanghai"))
        for building_id in buildings:
            await self.hears(identity.BuildingRegistered(building_id, "1号楼", 2))

    async def moves_in(self, resident_id: UUID, building_id: UUID) -> UUID:
        residence_id = uuid4()
        await self.hears(identity.ResidenceStarted(residence_id, resident_id, building_id, building_id, 1, "tenant", DAY))
        return residence_id

    async def moves_out(self, residence_id: UUID, resident_id: UUID, building_id: UUID) -> None:
        await self.hears(identity.ResidenceEnded(residence_id, resident_id, building_id, building_id, DAY))

    async def registered(self, resident_id: UUID, name: str) -> None:
        """Under a name, sealed as identity seals it."""
        key = await self.app.keyring.key_for(self.community, f"resident:{resident_id}", "contact")
        box = seal(key.dek, key.key_id, uuid4(), "name", name)
        await self.hears(identity.ResidentRegistered(resident_id, SealedField(box.key_id, box.event_id, box.slot, box.box)))

    async def burns(self, building_id: UUID, incident_id: UUID, **more: Any) -> UUID:
        """Verified: the event's id."""
        verified = alarm.IncidentVerified(
            incident_id, "fire", "critical", False, alarm.Place(building_id=building_id), uuid4(), "camera", datetime.now(UTC))
        return await self.hears(replace(verified, **more))

    async def put_out(self, building_id: UUID, incident_id: UUID) -> None:
        place = alarm.Place(building_id=building_id)
        await self.hears(alarm.IncidentResolved(incident_id, "fire", "critical", False, place, uuid4(), "put_out"))

    async def settled(self, app: App | None = None) -> None:
        """Until everything heard and said by now has been seen by every reader."""
        app = app or self.app
        pool = await app.database.pool()
        names = [*(s.name for s in app.subscriptions), *(v.name for v in app.service.views)]
        while await caught_up(pool, *names) < await app.log.last():
            pass

    async def said(self, kind: str) -> list[dict[str, Any]]:
        return [json.decode(r.data) for r in await everything(await self.app.database.pool()) if r.type == kind]

    async def ask(
        self, method: str, path: str, role: str, person: UUID, body: Any = None, community: UUID | None = None, **headers: str,
    ) -> httpx.Response:
        principal = Principal(person, role, frozenset({community or self.community}), permissions_of(role))

        def verify(token: str, now: datetime) -> Principal:
            if not token:
                raise Unauthorised("token_missing")
            return principal

        self.app.verifier.verify = verify  # type: ignore[method-assign]
        token = {"authorization": "Bearer x"} if role else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web(self.app)), base_url="http://neighbors") as client:
            return await client.request(method, path, json=body, headers={**token, **headers})


async def as_folded(here: Neighborhood) -> bool:
    """Whether each view holds the fold of the log, but for how moments are written."""
    pool = await here.app.database.pool()
    log = await everything(pool)

    def bare(found: dict[UUID, list[dict[str, Any]]]) -> Any:
        return {c: [{k: v for k, v in r.items() if not k.endswith("_at")} for r in rows] for c, rows in found.items()}

    return all([bare(await held(pool, v)) == bare(folded(v, here.app.catalogue, log)) for v in here.app.service.views])
