"""A kitchen: eggs are boiled, and a timer has a cook take them out when they are due."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from tests.toy.eggs import EGGS, Boil, Ready

NAME = "eggs"


class Cook:
    """Takes out what is due. `sick`: fails, `silent`: says nothing, `stuck`: waits for ever."""

    def __init__(self) -> None:
        self.asked: list[tuple[UUID, datetime]] = []
        self.sick: set[UUID] = set()
        self.silent: set[UUID] = set()
        self.stuck: set[UUID] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    def timer(self, app: App) -> Timer:
        async def fire(due: Due) -> None:
            self.asked.append((due.subject_id, datetime.now(UTC)))
            await (asyncio.Event() if due.subject_id in self.stuck else self.gate).wait()
            if due.subject_id in self.sick:
                raise ConnectionRefusedError("13800000001")
            if due.subject_id not in self.silent:
                await app.commands.handle(due.subject_id, Ready(due.at), due.context("ready"))

        return Timer(NAME, EGGS, due=lambda egg: egg.until, fire=fire, at_once=4, within=0.5)

    def times(self, egg: UUID) -> list[datetime]:
        return [at for asked, at in self.asked if asked == egg]


class Kitchen(Struct):
    app: App
    community: UUID
    cook: Cook

    async def boil(self, after: timedelta, egg: UUID | None = None) -> UUID:
        egg = egg or uuid4()
        await self.say(egg, Boil(datetime.now(UTC) + after))
        return egg

    async def say(self, egg: UUID, command: Struct) -> None:
        await self.app.commands.handle(egg, command, Context(community_id=self.community, now=datetime.now(UTC)))

    async def pool(self) -> asyncpg.Pool:
        return await self.app.database.pool()

    async def boiled(self, *eggs: UUID) -> bool:
        return all([await self._said(egg) for egg in eggs])

    async def _said(self, egg: UUID) -> list[Any]:
        return [row for row in await self.app.log.stream(f"egg:{egg}") if row.type == "boiled"]

    async def table(self) -> list[tuple[Any, ...]]:
        return [tuple(r) for r in await (await self.pool()).fetch("select * from timers order by name, stream")]
