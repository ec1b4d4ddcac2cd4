"""What comes again, comes late or is numbered by many at once: it counts once, and in the order of the log."""

import asyncio
import random
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from cli.stack import postgres
from libs.eventkit.auth import LIFETIME, Unauthorised, Verifier
from tests.conftest import Servers
from tests.faults.checker import Broken, quiet
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.faults.of_toy import heard_soon
from tests.kit import everything
from tests.unit.eventkit.test_auth import CLAIMS, PUBLIC, permissions_of, signed

SceneOf = Callable[..., Awaitable[Scene]]
SOON = 2.0


# the same again


async def said_again(scene: Scene) -> None:
    """Everything that the topic has, five times over and shuffled; then once more from yesterday on, in order."""
    dice = random.Random(3)
    await scene.toy.start()
    await scene.load.run()
    await quiet(scene.pool, scene.echo)
    messages = await scene.topic.records()
    five = [m for m in messages for _ in range(5)]
    dice.shuffle(five)
    await scene.topic.put(*five, *messages)
    scene.tally.rounds = len(five) + len(messages)
    await scene.load.last_words()
    await scene.check()


@pytest.mark.fault(row="duplicates", invariants="I4 I5 I6")
async def test_what_is_said_again_in_any_order_counts_once(scene_of: SceneOf):
    await said_again(await scene_of())


@pytest.mark.twin(row="duplicates", caught_by="I4")
async def test_twin_that_knows_the_last_id_only_is_caught(scene_of: SceneOf):
    with pytest.raises(Broken) as broken:
        await said_again(await scene_of("last_id_only"))
    assert broken.value.invariant == "I4"


# clocks


async def with_jumping_clocks(scene: Scene) -> None:
    """The process's clock an hour ahead, an hour behind, ten seconds back; the relay gets it all in one batch."""
    clock = scene.toy.device.with_name("device.clock")
    await scene.toy.start()
    await scene.load.last_words()
    await quiet(scene.pool, scene.echo)
    for _ in range(2):
        async with scene.pool.acquire() as holder, holder.transaction():
            await holder.execute("select from checkpoints where name = 'relay' for update")
            for ahead in ("3600", "0", "-10", "-3600"):
                clock.write_text(ahead)
                await scene.load.run(each=2, timeless=True)
                scene.tally.rounds += 1
        clock.write_text("0")
        await scene.load.last_words()
    await scene.check()


@pytest.mark.fault(row="clock", invariants="I3 I5 I6")
async def test_order_is_the_logs_whatever_the_clock_says(scene_of: SceneOf):
    await with_jumping_clocks(await scene_of("clock_that_jumps"))


@pytest.mark.twin(row="clock", caught_by="I6")
async def test_twin_that_orders_by_the_clock_is_caught(scene_of: SceneOf):
    with pytest.raises(Broken) as broken:
        await with_jumping_clocks(await scene_of("clock_that_jumps+ordered_by_the_clock"))
    assert broken.value.invariant == "I6"


@pytest.mark.fault(row="clock", invariants="I1")
@pytest.mark.parametrize(("ahead", "code"), [
    (-3600, "token_not_yet"), (-61, "token_not_yet"), (-59, ""), (-10, ""), (LIFETIME - 1, ""), (LIFETIME + 1, "token_expired"),
    (3600, "token_expired")])
def test_a_token_is_good_for_clocks_that_are_a_minute_behind_at_most(ahead: int, code: str):
    """The signer's clock stands at its moment of issue; ours is so many seconds ahead of it."""
    now = datetime.now(UTC).replace(microsecond=0)
    verifier = Verifier("access", permissions_of)
    verifier.learn("k1", PUBLIC, now - timedelta(days=1), now + timedelta(days=1))
    token = signed(claims={**CLAIMS, "iat": int(now.timestamp()), "exp": int(now.timestamp()) + LIFETIME})
    if code:
        with pytest.raises(Unauthorised, match=code):
            verifier.verify(token, now + timedelta(seconds=ahead))
    else:
        assert verifier.verify(token, now + timedelta(seconds=ahead))


# long transactions


@asynccontextmanager
async def busy_database(scene: Scene, servers: Servers) -> AsyncIterator[None]:
    """Somebody writes elsewhere and does not commit, indexes are made, dumps are taken, one after the other until the block ends."""
    url = scene.toy.settings.database_url
    database = url.rpartition("/")[2]
    writer, owner = await asyncpg.connect(servers.url(database)), await asyncpg.connect(url)
    over = asyncio.Event()

    async def index() -> None:
        while not over.is_set() and scene.tally.rounds < 20:
            await owner.execute(f"create index busy_{scene.tally.rounds} on events (type)")
            scene.tally.rounds += 1

    async def dump() -> None:
        while not over.is_set():
            process = await asyncio.create_subprocess_exec(
                str(postgres.binaries() / "pg_dump"), servers.url(database), stdout=subprocess.DEVNULL)
            assert await process.wait() == 0

    await writer.execute("create table elsewhere (n int)")
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("insert into elsewhere values (1)")
    tasks = [asyncio.create_task(work()) for work in (index, dump)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)
        await transaction.rollback()
        await writer.close()
        await owner.close()


async def heard_meanwhile(scene: Scene, servers: Servers) -> None:
    """Raises Broken (I9) where what is said while the database is busy is not heard soon."""
    await scene.toy.start()
    async with busy_database(scene, servers):
        await scene.load.run(each=16)
        try:
            await quiet(scene.pool, scene.echo, 10.0)
        except Broken as stuck:
            settle([Finding("I9", str(stuck), stuck=1)], scene.tally)
        settle(heard_soon(await everything(scene.pool), await everything(scene.echo), SOON), scene.tally)
    await scene.check()


@pytest.mark.fault(row="long-transaction", invariants="I3 I5 I9")
async def test_nobody_waits_for_a_long_transaction_an_index_or_a_dump(scene_of: SceneOf, servers: Servers):
    await heard_meanwhile(await scene_of(), servers)


@pytest.mark.twin(row="long-transaction", caught_by="I9")
async def test_twin_whose_tail_waits_for_the_oldest_transaction_is_caught(scene_of: SceneOf, servers: Servers):
    with pytest.raises(Broken) as broken:
        await heard_meanwhile(await scene_of("tail_gated_by_snapshot"), servers)
    assert broken.value.invariant == "I9"


@pytest.mark.fault(row="long-transaction", invariants="I9")
async def test_who_holds_the_log_and_goes_idle_is_ended(scene_of: SceneOf):
    """By the server, after the time that its role is given: shortened here, or half a minute would be waited."""
    scene = await scene_of()
    await scene.toy.start()
    limits = {r[0] for r in await scene.pool.fetch("select unnest(rolconfig) from pg_roles where rolname = 'toy_log'")}
    assert {"statement_timeout=60s", "idle_in_transaction_session_timeout=30s"} <= limits
    holder = await asyncpg.connect(scene.toy.settings.role_url("log"))
    await holder.execute("set idle_in_transaction_session_timeout = '1s'; begin; select pg_advisory_xact_lock(726001)")
    await scene.load.last_words()
    assert scene.load.errors <= {"503"}
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await holder.execute("select 1")
    await scene.check()
