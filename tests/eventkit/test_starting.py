"""Whatever is started first: a service waits for its migration and for its topics, says so, and goes on by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import MetaData, Table, select

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
from tests.toy.sums import SUMS, VIEW, project, reads

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())
OLDER = replace(TOY, views=(replace(VIEW, table=Table("sums", MetaData(), *(c._copy() for c in SUMS.columns if c.name != "seen"))),))


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


async def test_a_process_whose_view_has_another_shape_waits_for_its_migration_and_says_which(databases: Databases, tmp_path: Path):
    settings = await databases.make(OLDER)
    toy, app = Toy(settings, settings, tmp_path, part="api"), App(TOY, settings)
    starting = asyncio.create_task(toy.start())

    async def waits() -> bool:
        try:
            answer = await toy.http.get("/readyz")
        except httpx.TransportError:
            return False
        why = answer.json().get("why", [])
        return answer.status_code == 503 and why == ["LookupError: no table of this version for sums: migrate has not run"]

    try:
        await until(waits)
        assert (await toy.http.get("/startupz")).status_code == 503
        assert (await toy.http.post(f"/v1/{uuid4()}/accounts/{uuid4()}", json={"amount": 1})).json()["code"] == "not_ready"
        assert await migrate_for(app)
        await starting
        assert (await toy.http.post(f"/v1/{uuid4()}/accounts/{uuid4()}", json={"amount": 1})).status_code == 200
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


async def who_opens_reads_its_own_table(old: App, new: App, community: UUID) -> list[bool]:
    """Which of new, new after its migration, old again, new after the way back opened. Raises what a caller would be answered with."""
    opened = list[bool]()
    for app, migrates in ((new, None), (new, new), (old, None), (new, old)):
        if migrates is not None:
            await migrate_for(migrates)
        begun = App(app.service, app.settings)
        try:
            with suppress(LookupError):
                await begun.open()
            opened.append(begun.opened)
            if app is new and begun.opened:
                await begun.database.fetch([community], select(*SUMS.columns))
        finally:
            await begun.close()
    return opened


async def test_code_with_a_view_of_another_shape_opens_once_it_is_migrated_for_and_the_older_one_still_begins_again(
    app_of: AppOf, community: UUID
):
    """A node that goes away in the middle of a roll-out: the older version has to come back, for the newer one may never be ready."""
    old = await app_of(OLDER)
    assert await who_opens_reads_its_own_table(old, App(TOY, old.settings), community) == [False, True, True, False]


async def test_a_view_of_another_version_alone_is_waited_for_too(app_of: AppOf):
    old = await app_of(TOY)
    new = App(replace(TOY, views=(replace(VIEW, version=2),)), old.settings)
    with pytest.raises(LookupError, match="no table of this version for sums: migrate has not run"):
        await new.open()
    assert await migrate_for(new)
    await new.open()
    await new.close()


async def test_twin_that_looks_at_checkpoints_alone_is_caught(app_of: AppOf, community: UUID):
    old = await app_of(OLDER)
    owner = await asyncpg.connect(old.settings.database_url)
    await owner.execute("alter function not_made(text[], text[]) rename to looked_at; create function not_made(text[], text[])"
                        " returns text[] language sql as 'select null::text[]'")
    await owner.close()
    with pytest.raises(asyncpg.UndefinedColumnError):
        await who_opens_reads_its_own_table(old, App(TOY, old.settings), community)


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
