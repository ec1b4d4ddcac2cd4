"""A gateway that has incidents to tell and carries webhooks, and what a receiver must have had."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from services.gateway.domain.government import OpenIncident, ProgressIncident
from services.gateway.main import SERVICE
from services.gateway.webhooks.address import PRIVATE
from services.gateway.webhooks.delivering import Courier
from services.gateway.webhooks.sending import Bounds
from tests.faults.findings import Finding, settle
from tests.faults.tally import Tally
from tests.integration.courier_twins import FAST
from tests.integration.office import verifying
from tests.integration.receiver import Receiver
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
NOW = datetime.now(UTC).replace(microsecond=0)
HOOKS = "/v1/government/webhooks"


class Bureau(Struct):
    """A gateway's log, whoever asks it, and who carries its webhooks."""

    app: App
    community: UUID
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str = HOOKS, body: Any = None, status: int = 200, who: str = "police", **headers: str) -> Any:
        answer = await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {who}", **headers})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def hook(self, receiver: Receiver, **more: Any) -> Any:
        return await self.ask("POST", body={"url": receiver.url, **more}, status=201)

    async def says(self, incidents: int = 1) -> list[UUID]:
        """Of each that it was raised and acknowledged."""
        ids = []
        for _ in range(incidents):
            incident, asked = uuid4(), Context(community_id=self.community, now=datetime.now(UTC))
            for command in (
                    OpenIncident(incident, "310101", "fire", "critical", False, None, "contact_id:1110", NOW, NOW + timedelta(minutes=2)),
                    ProgressIncident("acknowledged", NOW, "guard", None)):
                ids += (await self.app.commands.handle(incident, command, asked)).outcome.events
        return ids

    @asynccontextmanager
    async def carried(self, bounds: Bounds = FAST, courier: Callable[[App, Bounds], Courier] = Courier) -> AsyncIterator[None]:
        task = asyncio.create_task(follow(self.app.log, self.app.wake, courier(self.app, bounds).subscription()))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def state(self, hook: Any) -> Any:
        return await self.ask("GET", f"{HOOKS}/{hook['id']}")

    async def stands(self, hook: Any, state: str) -> Any:
        async def there() -> Any:
            found = await self.state(hook)
            return found if found["state"] == state else None

        return await until(there)

    async def behind(self, hook: Any, count: int) -> Any:
        """The receiver knows that it has said 2xx a moment before the position does."""
        async def there() -> Any:
            found = await self.state(hook)
            return found if found["behind"] == count else None

        return await until(there)

    async def said(self, type_: str) -> list[Any]:
        rows = await everything(await self.app.database.pool())
        return [self.app.catalogue.read(row) for row in rows if row.type == type_]


@pytest.fixture
async def bureau(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bureau]:
    monkeypatch.setenv(PRIVATE, "1")
    app = await app_of(SERVICE)
    monkeypatch.setattr(app.verifier, "verify", verifying(community))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web(app)), base_url="http://gateway", timeout=40) as client:
        yield Bureau(app, community, client)


def in_order(receiver: Receiver, said: list[UUID], tally: Tally) -> None:
    """Each at least once, and none before all that came before it had been taken. Raises Broken."""
    taken, first = receiver.taken(), list(dict.fromkeys(receiver.taken()))
    missing = [i for i in said if i not in taken]
    sent_early = [g.id for n, g in enumerate(receiver.got) if set(said[:said.index(g.id)]) - {
        before.id for before in receiver.got[:n] if isinstance(before.answer, int) and before.answer < 300}]
    tally.events += len(said)
    tally.doubled += len(taken) - len(first)
    settle([
        *([Finding("I3", f"never told: {missing}", lost=len(missing))] if missing else []),
        *([Finding("I6", "told before what came before it")] if first != [i for i in said if i in first] or sent_early else [])], tally)


async def has(receiver: Receiver, said: list[UUID]) -> None:
    await until(lambda: set(said) <= set(receiver.taken()))
