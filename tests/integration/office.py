"""A desk of identity with people at it: a community, residents with ID numbers, and whoever asks through the real routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from msgspec import Struct

from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.recorded import Recorded
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.views import take
from services.identity import contacts
from services.identity.domain.buildings import RegisterBuilding
from services.identity.domain.communities import FoundCommunity
from services.identity.domain.homes import RegisterHome
from services.identity.main import SERVICE
from services.identity.national.telephones import read_telephone
from tests.kit import everything

NUMBER = "11010519491231002X"


def number_of(birth: date, sequence: str = "002") -> str:
    """An ID number of somebody born that day."""
    first = f"110105{birth:%Y%m%d}{sequence}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


class Office(Struct):
    app: App
    community: UUID
    client: httpx.AsyncClient
    folded: int = 0

    @property
    def asked(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def founded(self) -> None:
        found = FoundCommunity(self.community, "里坊", "310101", "Asia/Shanghai")
        await self.app.commands.handle(self.community, found, self.asked)

    async def resident(self, name: str = "林一", phone: str = "13800138000", number: str = "") -> UUID:
        who = uuid4()
        await contacts.register(self.app, who, name, read_telephone(phone), self.asked)
        if number:
            await contacts.record_id_number(self.app, who, number, (), self.asked, None)
        return who

    async def ask(self, method: str, path: str, who: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """`who`: `role:person`."""
        answer = await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {who}", **headers})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def folds(self) -> None:
        """What has come since goes into the views."""
        rows = [r for r in await everything(await self.app.database.pool()) if r.position > self.folded]
        for view in SERVICE.views if rows else ():
            await take(self.app.database, self.app.catalogue, [view], rows, self.folded)
        self.folded = rows[-1].position if rows else self.folded

    async def said(self, *types: str) -> list[Recorded]:
        return [row for row in await everything(await self.app.database.pool()) if row.type in types]


BUILDING, HOME = uuid4(), uuid4()


@asynccontextmanager
async def office_with_a_home(app: App, community: UUID) -> AsyncIterator[Office]:
    app.verifier.verify = verifying(community)  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://identity") as client:
        found = Office(app, community, client)
        await found.founded()
        await app.commands.handle(BUILDING, RegisterBuilding(BUILDING, "3", 1), found.asked)
        await app.commands.handle(HOME, RegisterHome(HOME, BUILDING, 1, 1, "3-1-701"), found.asked)
        yield found


def verifying(community: UUID) -> Any:
    """Takes `role:person` for a token."""

    def verify(token: str, now: datetime) -> Principal:
        role, _, person = token.partition(":")
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({community}), permissions_of(role))

    return verify
