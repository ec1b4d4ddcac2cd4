"""The servers die under load, and the process is told to end: what was acknowledged stays, nothing happens twice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg
import pytest

from cli.operate import operate
from libs.eventkit.service import App
from tests.conftest import Databases, Servers
from tests.faults.checker import Broken, quiet
from tests.faults.conftest import Scene
from tests.faults.findings import settle
from tests.faults.of_toy import acknowledged_is_there
from tests.kit import everything, until
from tests.toy.main import TOY

SceneOf = Callable[..., Awaitable[Scene]]


@asynccontextmanager
async def under_load(scene: Scene, each: int = 8) -> AsyncIterator[None]:
    await scene.toy.start()
    asking = asyncio.create_task(scene.load.run(each=each))
    try:
        await scene.load.well_under_way()
        yield
        await asking
    finally:
        asking.cancel()


async def kill(servers: Servers, name: str) -> None:
    """Returns when the supervisor has started it again and it answers."""
    before = servers.pid(name)
    os.kill(before, signal.SIGKILL)
    await until(lambda: servers.pid(name) != before, 30)
    await until(lambda: _answers(servers, name), 60)


async def _refuses(scene: Scene) -> bool:
    try:
        (await asyncio.open_connection("127.0.0.1", scene.toy.port))[1].close()
    except OSError:
        return True
    return False


async def _answers(servers: Servers, name: str) -> bool:
    try:
        if name == "postgres":
            await (await asyncpg.connect(servers.url("postgres"), timeout=2)).close()
        else:
            host, _, port = servers.kafka.partition(":")
            (await asyncio.open_connection(host, int(port)))[1].close()
    except (OSError, asyncpg.PostgresError):
        return False
    return True


@pytest.mark.fault(row="rolling-restart", invariants="I13")
async def test_told_to_end_it_ends_well_and_answers_what_it_was_asked(scene_of: SceneOf):
    """I13: exit code 0 within its grace. The log is blocked, so that callers are waiting for certain at that moment."""
    scene = await scene_of()
    await scene.toy.start()
    blocker = await scene.pool.acquire()
    await blocker.execute("select pg_advisory_lock(726001)")
    community = next(iter(scene.load.accounts))
    asking = [asyncio.create_task(scene.load.ask(scene.load.add(community))) for _ in range(5)]
    await until(lambda: scene.pool.fetchval("select true from pg_locks where locktype = 'advisory' and not granted and objid = 726001"))
    await scene.toy.http.get("/livez")
    os.kill(scene.toy.pid, signal.SIGTERM)
    await until(lambda: _refuses(scene))
    await blocker.execute("select pg_advisory_unlock(726001)")
    begun = monotonic()
    await asyncio.gather(*asking)
    assert await scene.toy.ended() == 0 and monotonic() - begun < 8
    assert scene.load.errors == set()
    await scene.toy.start()
    await scene.check()


@pytest.mark.fault(row="rolling-restart", invariants="I4 I13")
async def test_told_to_end_under_load_it_ends_and_goes_on(scene_of: SceneOf):
    scene = await scene_of()
    async with under_load(scene):
        os.kill(scene.toy.pid, signal.SIGTERM)
        assert await scene.toy.ended() == 0
        await scene.toy.start()
    await scene.check()


@pytest.mark.fault(row="kafka-wiped", invariants="I3 I4 I5 I6")
async def test_a_wiped_topic_is_filled_again_from_the_log(scene_of: SceneOf):
    scene = await scene_of()
    async with under_load(scene):
        pass
    await quiet(scene.pool, scene.echo)
    await scene.toy.stop(signal.SIGTERM)
    await scene.topic.wipe()
    await scene.toy.start()

    async def says_why() -> bool:
        return any("republish" in why for why in (await scene.toy.http.get("/internal/status")).json()["why"])

    await until(says_why, 20)
    assert await scene.topic.records() == []
    assert (await scene.toy.http.get("/readyz")).status_code == 503
    measured = (await scene.toy.http.get("/metrics")).text
    assert 'lifang_relay_refuses{service="toy"} 1.0' in measured and 'lifang_ready{service="toy"} 0.0' in measured
    await operate(App(TOY, scene.toy.settings), "republish", [])
    await scene.load.last_words()
    await scene.check()


@pytest.mark.fault(row="kill-postgresql", invariants="I1")
async def test_a_database_that_would_lose_what_it_acknowledged_is_not_used(databases: Databases):
    settings = await databases.make(TOY)
    owner = await asyncpg.connect(settings.database_url)
    await owner.execute(f"alter database {settings.database_url.rpartition('/')[2]} set synchronous_commit = off")
    await owner.close()
    app = App(TOY, settings)
    with pytest.raises(RuntimeError, match="synchronous_commit"):
        await app.open()
    await app.close()


@pytest.mark.serial
@pytest.mark.faults
@pytest.mark.fault(row="kill-postgresql", invariants="I1 I5")
async def test_postgresql_killed_loses_nothing_acknowledged(scene_of: SceneOf, servers: Servers):
    scene = await scene_of()
    async with under_load(scene):
        await kill(servers, "postgres")
    await scene.load.last_words()
    await scene.check()


@pytest.mark.serial
@pytest.mark.faults
@pytest.mark.twin(row="kill-postgresql", caught_by="I1")
async def test_twin_that_commits_asynchronously_is_caught(scene_of: SceneOf, servers: Servers):
    """What is lost depends on the moment, so it may need more than one kill."""
    scene = await scene_of("commits_asynchronously")
    with pytest.raises(Broken) as broken:
        for _ in range(8):
            async with under_load(scene):
                await kill(servers, "postgres")
            settle(acknowledged_is_there(await everything(scene.pool), scene.load.answered), scene.tally)
            await scene.toy.stop()
    assert broken.value.invariant == "I1"


async def killed_beside_kafka(scene: Scene, servers: Servers) -> None:
    """First the broker, then, while it is away, the process that has sent what nobody has acknowledged."""
    servers.pid("kafka")

    async def tells() -> bool:
        return bool(await scene.pool.fetchval("select position from checkpoints where name = 'relay'"))

    async with under_load(scene, each=60):
        await until(tells)
        restarting = asyncio.create_task(kill(servers, "kafka"))
        answered = len(scene.load.answered)
        await until(lambda: len(scene.load.answered) > answered + 24)
        await scene.toy.stop()
        await restarting
        await scene.toy.start()
    await scene.load.last_words()


@pytest.mark.serial
@pytest.mark.faults
@pytest.mark.fault(row="kill-kafka", invariants="I3 I6")
async def test_kafka_killed_and_the_relay_beside_it(scene_of: SceneOf, servers: Servers):
    """I9 as well: commands are taken all the while."""
    scene = await scene_of()
    await killed_beside_kafka(scene, servers)
    await scene.check()


@pytest.mark.serial
@pytest.mark.faults
@pytest.mark.twin(row="kill-kafka", caught_by="I3")
async def test_twin_that_does_not_await_the_acknowledgement_is_caught(scene_of: SceneOf, servers: Servers):
    scene = await scene_of("acknowledgement_not_awaited")
    await killed_beside_kafka(scene, servers)
    with pytest.raises(Broken) as broken:
        await scene.check()
    assert broken.value.invariant == "I3"


@pytest.mark.serial
@pytest.mark.faults
@pytest.mark.fault(row="kill-kafka", invariants="I3 I6")
async def test_kafka_killed_alone_and_the_relay_finds_back(scene_of: SceneOf, servers: Servers):
    scene = await scene_of()
    async with under_load(scene):
        await kill(servers, "kafka")
    await scene.load.last_words()
    await scene.check()
