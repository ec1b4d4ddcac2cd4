"""Whatever is started first: a service waits for its migration and for its topics, says so, and goes on by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import MetaData

from cli.migrating.database import migrate_for
from cli.migrating.topics import ensure_topics
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from libs.eventkit.status import status
from libs.eventkit.views import View
from tests.conftest import Databases
from tests.eventkit.topics import Topic, chain, topic_of
from tests.eventkit.writers import append
from tests.kit import until
from tests.toy.main import ECHO, TOY
from tests.toy.process import Toy
from tests.toy.sums import SUMS, project, reads

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())


async def emptied(databases: Databases) -> Settings:
    """A database of toy that nobody has migrated, on a server that knows its roles."""
    settings = await databases.make(TOY)
    async with databases._server() as server:
        name = urlsplit(settings.database_url).path.strip("/")
        await server.execute(f"drop database {name} with (force)")
        await server.execute(f"create database {name} owner toy_owner template template1")
    return settings


async def test_a_process_waits_for_its_migration_and_then_for_its_topics(databases: Databases, tmp_path: Path, community: UUID):
    settings = await emptied(databases)
    toy, app = Toy(settings, settings, tmp_path, part="relay"), App(TOY, settings)
    starting = asyncio.create_task(toy.start())

    async def says(text: str) -> bool:
        try:
            answer = await toy.http.get("/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 503 and any(text in why for why in answer.json().get("why", ()))

    try:
        await until(lambda: says('"checkpoints" does not exist'))
        assert (await toy.http.get("/startupz")).status_code == 503
        assert (await toy.http.get("/livez")).status_code == 200
        assert await migrate_for(app)
        await starting
        await until(lambda: says(f"relay: LookupError: no topic {settings.topic('toy')} yet"))
        await until(lambda: says("keys are read: some may be erased"))
        await app.log.append(append(community))
        await ensure_topics(settings, ("toy",))
        assert len(await Topic(settings, None).holds(1, 30)) == 1
        await until(lambda: _no_longer(toy, "no topic", "keys are read"), 60)
    finally:
        starting.cancel()
        await toy.close()
        await app.close()
        await databases.drop(settings)


async def _no_longer(toy: Toy, *texts: str) -> bool:
    why = (await toy.http.get("/internal/status")).json()["why"]
    return not any(text in each for text in texts for each in why)


async def test_a_listener_waits_for_the_topics_it_hears(databases: Databases, community: UUID):
    settings = await databases.make(LISTENER)
    app = App(LISTENER, settings)
    await app.open()
    try:
        app.start_worker()

        async def says() -> bool:
            return f"hear: LookupError: no topic {settings.topic('toy')} yet" in (await status(app))["why"]

        await until(says)
        async with topic_of(settings) as topic:
            await topic.put(*chain(community, [1, 2]))
            pool = await app.database.pool()
            await until(lambda: pool.fetchval("select count(*) = 2 from events where source = 'toy'"))
        assert app.keys_heard is not None
        await asyncio.wait_for(app.keys_heard.wait(), 60)
    finally:
        await app.close()
        await databases.drop(settings)


async def test_code_that_has_a_reader_more_does_not_open_before_it_is_migrated_for(app_of: AppOf):
    old = await app_of(TOY)
    table = SUMS.to_metadata(MetaData(), name="more")
    new = App(replace(TOY, views=(*TOY.views, View(table=table, project=project, reads=reads))), old.settings)
    try:
        with pytest.raises(LookupError, match=r"no checkpoint more: migrate has not run"):
            await new.open()
        assert not new.opened
        assert await migrate_for(new)
        await new.open()
        assert new.opened
    finally:
        await new.close()
    again = App(TOY, old.settings)
    await again.open()
    await again.close()


async def test_a_service_that_opens_changes_nothing_as_owner(app_of: AppOf, monkeypatch: pytest.MonkeyPatch):
    """It needs no right that only its migrator has."""
    old, real = await app_of(TOY), asyncpg.connect
    asked: list[str] = []

    async def connect(url: str, **more: Any) -> Any:
        asked.append(url)
        return await real(url, **more)

    monkeypatch.setattr(asyncpg, "connect", connect)
    owner = "update migrated set fingerprint = 'older code'"
    connection = await real(old.settings.database_url)
    await connection.execute(owner)
    app = App(TOY, old.settings)
    await app.open()
    await app.close()
    assert old.settings.database_url not in asked
    assert await connection.fetchval("select fingerprint from migrated") == "older code"
    await connection.close()
