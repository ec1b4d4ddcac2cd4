"""Between a service and its database: refused, silent, slow, or deaf after the commit. I1 I2 I14."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.eventkit import db, log
from libs.eventkit.commands import Commands, Context
from libs.eventkit.db import Unavailable
from libs.eventkit.log import Key
from libs.eventkit.service import App
from tests.faults.conftest import Scene
from tests.faults.findings import Broken, Finding, settle
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.tally import Tally
from tests.kit import everything, turns, until
from tests.toy.accounts import Add
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
SceneOf = Callable[..., Awaitable[Scene]]
TOY = service()


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(TOY)


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


@pytest.fixture
async def proxied(toy: App) -> AsyncIterator[tuple[Proxy, App]]:
    async with proxy_to(toy.settings.database_url) as (proxy, url):
        app = App(TOY, toy.settings.model_copy(update={"database_url": url}))
        await app.open()
        yield proxy, app
        await app.close()


def context(community: UUID) -> Context:
    return Context(community_id=community, now=datetime.now(UTC))


@pytest.mark.fault(row="database-partition", invariants="I1 I2")
@pytest.mark.parametrize("how", ["refuse", "blackhole"])
async def test_who_asks_while_the_database_is_away_hears_so_in_time_and_may_ask_again(
    proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(log, "PATIENCE", 0.5)
    proxy, app = proxied
    subjects = [uuid4() for _ in range(20)]

    async def ask() -> list[Any]:
        return await asyncio.gather(
            *(app.commands.handle(s, Add(1), context(community), key=Key("p", "r", str(s))) for s in subjects), return_exceptions=True)

    for subject in subjects:
        await app.commands.state(TOY.deciders[0], subject, community)
    if how == "refuse":
        proxy.refuse = True
        proxy.cut()
    else:
        proxy.blackhole(True)
    begun = asyncio.get_running_loop().time()
    assert {type(answer) for answer in await ask()} == {Unavailable}
    assert asyncio.get_running_loop().time() - begun < 16
    proxy.refuse = False
    proxy.blackhole(False)
    monkeypatch.setattr(log, "PATIENCE", 4.0)
    done = await ask()
    assert [isinstance(d, BaseException) for d in done] == [False] * 20, done
    assert sorted(row.event_id for row in await everything(pool)) == sorted(d.outcome.events[0] for d in done)


@pytest.mark.fault(row="database-partition", invariants="I1 I2 I3 I4 I5 I14")
@pytest.mark.parametrize("how", ["refuse", "blackhole"])
async def test_a_process_without_its_database_stays_alive_and_goes_on(scene_of: SceneOf, how: str):
    """Nothing ends it and nothing needs to start it again; whoever asked meanwhile is answered once it is back."""
    scene = await scene_of()
    async with proxy_to(scene.toy.settings.database_url) as (proxy, url):
        scene.toy.settings = scene.toy.settings.model_copy(update={"database_url": url})
        await scene.toy.start()
        process = scene.toy.pid
        asking = asyncio.create_task(scene.load.run())
        await scene.load.well_under_way()
        if how == "refuse":
            proxy.refuse = True
            proxy.cut()
        else:
            proxy.blackhole(True)
        await until(lambda: len(scene.load.livez) > 2)
        proxy.refuse = False
        proxy.blackhole(False)
        await asking
        await scene.load.last_words()
        await scene.check()
        assert scene.toy.pid == process and not scene.toy.is_over()


@pytest.mark.fault(row="slow-link", invariants="I1 I3")
async def test_one_byte_at_a_time_is_slow_and_nothing_worse(proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID):
    proxy, app = proxied
    await app.commands.handle(uuid4(), Add(1), context(community))
    proxy.slow = True
    done = await asyncio.gather(*(app.commands.handle(uuid4(), Add(1), context(community)) for _ in range(20)))
    assert sorted(d.outcome.position for d in done) == list(range(2, 22))


async def forgotten(app: App, proxy: Proxy, community: UUID, tally: Tally) -> None:
    """Every connection that is open falls silent for good, with callers on all of them; new ones work. Raises Broken (I9)."""
    streams = [app.log.stream(f"account:{uuid4()}") for _ in range(20)]
    await asyncio.gather(*streams)
    proxy.blackhole(True)
    stuck = [asyncio.create_task(app.log.stream(f"account:{uuid4()}")) for _ in range(20)]
    await turns(20)
    proxy.forget()
    proxy.blackhole(False)
    _, waiting = await asyncio.wait(stuck, timeout=10)
    for task in waiting:
        task.cancel()
    tally.events = len(stuck)
    if waiting:
        settle([Finding("I9", "no connection is left ten seconds later", stuck=len(waiting))], tally)
    async with asyncio.timeout(10):
        await app.commands.handle(uuid4(), Add(1), context(community))


@pytest.mark.fault(row="slow-link", invariants="I9")
async def test_connections_that_fell_silent_are_replaced(
    proxied: tuple[Proxy, App], community: UUID, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PATIENCE", 1.0)
    await forgotten(proxied[1], proxied[0], community, tally)


@pytest.mark.twin(row="slow-link", caught_by="I9")
async def test_twin_without_timeouts_is_caught(
    proxied: tuple[Proxy, App], community: UUID, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PATIENCE", 3600.0)
    monkeypatch.setattr(db._Pool, "acquire", lambda self, *, timeout=None: asyncpg.Pool.acquire(self))
    with pytest.raises(Broken) as broken:
        await forgotten(proxied[1], proxied[0], community, tally)
    assert broken.value.invariant == "I9"


async def told_of_their_end(app: App, proxy: Proxy, pool: asyncpg.Pool, community: UUID, tally: Tally) -> None:
    """The server tells all its connections that it goes (FATAL, 57P01), as one that is moved does, and that they end gets lost with its
    network; a new one answers. Raises Broken (I2) where somebody who asks hears anything but the answer, or that there is none yet."""
    await asyncio.gather(*(app.log.stream(f"account:{uuid4()}") for _ in range(20)))
    proxy.keeps_open = True
    tally.events = await pool.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and client_port = any($1)",
        proxy.ports)
    await until(lambda: proxy.ended == tally.events)
    await turns(20)
    subject, asked = uuid4(), 0
    while asked <= tally.events:
        asked += 1
        try:
            await app.commands.handle(subject, Add(1), context(community), key=Key("p", "r", str(subject)))
            break
        except Unavailable:
            continue
        except Exception as error:
            settle([Finding("I2", f"an answer that is none: {type(error).__name__}")], tally)
    stored = await pool.fetchval("select count(*) from events where stream = $1", f"account:{subject}")
    settle([] if stored == 1 else [Finding("I2", f"asked {asked} times, stored {stored} times", stuck=1)], tally)


@pytest.mark.fault(row="database-partition", invariants="I2")
async def test_connections_that_were_told_of_their_end_are_replaced(
    proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID, tally: Tally
):
    await told_of_their_end(proxied[1], proxied[0], pool, community, tally)


@pytest.mark.twin(row="database-partition", caught_by="I2")
async def test_twin_that_takes_it_for_something_nobody_foresaw_is_caught(
    proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(db, "AWAY", tuple(error for error in db.AWAY if error is not asyncpg.InternalClientError))
    with pytest.raises(Broken) as broken:
        await told_of_their_end(proxied[1], proxied[0], pool, community, tally)
    assert broken.value.invariant == "I2"


async def replies_lost(app: App, proxy: Proxy, community: UUID, rounds: int = 3) -> None:
    """Every answer is lost after the commit until the caller hears that nobody knows, and asks again with its key."""
    account = uuid4()
    for n in range(rounds):
        proxy.drops, proxy.drop_reply = -1, lambda data: b"SELECT 1\0" in data and (b"ok" in data or b"stored" in data)
        key = Key("p", "r", f"{account} {n}")
        with pytest.raises(Unavailable):
            await app.commands.handle(account, Add(1), context(community), key=key)
        proxy.drop_reply = None
        await app.commands.handle(account, Add(1), context(community), key=key)


@pytest.mark.fault(row="database-partition", invariants="I2")
async def test_no_reply_lost_makes_an_event_twice(
    proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PATIENCE", 0.3)
    proxy, app = proxied
    await replies_lost(app, proxy, community)
    assert len(await everything(pool)) == 3


@pytest.mark.twin(row="database-partition", caught_by="I2")
async def test_twin_a_retry_without_key_is_caught(
    proxied: tuple[Proxy, App], pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PATIENCE", 0.3)
    proxy, app = proxied
    real = Commands.handle

    async def keyless(self: Commands, subject_id: UUID, command: Any, context: Context, *, key: Key | None = None, **more: Any) -> Any:
        return await real(self, subject_id, command, context, **more)

    monkeypatch.setattr(Commands, "handle", keyless)
    await replies_lost(app, proxy, community)
    assert len(await everything(pool)) > 3
