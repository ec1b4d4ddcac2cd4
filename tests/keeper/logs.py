"""A log that is sealed, what is done to it behind its service's back, and what `lifang verify` says of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from cli.keeper.heads import Outside
from cli.keeper.sealing import Sealing
from cli.verifying import verify
from libs.eventkit.service import App
from tests.eventkit.writers import append
from tests.keeper.outside import is_anchored, outside_of
from tests.kit import until
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
Change = Callable[[asyncpg.Connection], Awaitable[Any]]


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(service())


@pytest.fixture(autouse=True)
async def outside(toy: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outside:
    monkeypatch.setenv("LIFANG_SEALS", str(tmp_path))
    found = await outside_of(toy, tmp_path)
    assert Outside.of(toy.settings) == found
    return found


def keeper_of(app: App) -> Sealing:
    return Sealing(app.service.name, app.database, app.wake, Outside.of(app.settings))


async def say(app: App, events: int, community: UUID | None = None) -> str:
    stream = f"account:{uuid4()}"
    data = '{"amount":1,"who":"张三 \\"x\\" \\u00e9"}'.encode()
    await app.log.append(append(community or uuid4(), stream=stream, events=events, data=data))
    return stream


async def sealed(app: App, *sizes: int) -> None:
    """Events in so many groups, each sealed and known outside before the next is said."""
    sealing_ = asyncio.create_task(keeper_of(app).run())
    try:
        for size in sizes:
            await say(app, size)
            await anchored(app)
    finally:
        sealing_.cancel()
        await asyncio.gather(sealing_, return_exceptions=True)


async def anchored(app: App) -> None:
    outside = Outside.of(app.settings)
    await until(lambda: is_anchored(app, outside))


async def behind_its_back(app: App, change: Change) -> None:
    owner = await asyncpg.connect(app.settings.database_url)
    try:
        await change(owner)
    finally:
        await owner.close()


async def verified(app: App) -> dict[str, Any]:
    """By connections of its own, as the command has: one whose user was ended in the middle of a statement may still be in it."""
    await (await app.database.pool()).expire_connections()
    return await verify(app, Outside.of(app.settings))


async def all_is_well(app: App) -> dict[str, Any]:
    found = await verified(app)
    assert found["findings"] == [], "I10: nobody touched the log"
    return found


async def is_found(app: App, position: int, what: str) -> None:
    found = await verified(app)
    assert found["findings"], "I10: history was changed, and nothing was found"
    first = found["findings"][0]
    assert first["position"] <= position and first["what"] == what, f"I10: {first}"


def sql(*statements: str) -> Change:
    async def change(owner: asyncpg.Connection) -> None:
        for statement in statements:
            await owner.execute(statement)
    return change


async def recompute(owner: asyncpg.Connection) -> None:
    """What somebody does who knows how seals are made, and can write every table."""
    ends = [row["upto"] for row in await owner.fetch("select upto from seals order by n")]
    await owner.execute("delete from seals")
    for before, upto in zip((0, *ends), ends, strict=False):
        await owner.execute("select seal_log($1::int)", upto - before)
