"""Readers of the log: woken across processes, one holder each, never behind their own checkpoint."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from cli.migrating.database import migrate_for
from libs.eventkit import subscriptions
from libs.eventkit.db import _KEEPS as KEEPS
from libs.eventkit.log import Log
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.subscriptions import Lost, Subscription, advance, checkpoint, follow
from libs.eventkit.tail import Wake
from tests.eventkit.writers import append
from tests.kit import until
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
Run = Callable[[Awaitable[None]], "asyncio.Future[None]"]
NAME = "sums"


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(service())


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Starts something that runs for ever, ended with the test."""
    tasks: list[asyncio.Future[None]] = []

    def start(work: Awaitable[None]) -> "asyncio.Future[None]":
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Follower:
    """Remembers what it was handed, and who holds the lease."""

    def __init__(self, app: App, name: str = NAME) -> None:
        self.app, self.name, self.seen = app, name, list[int]()
        self.wake = Wake()

    async def take(self, rows: list[Recorded], position: int) -> None:
        await advance(await self.app.database.pool(), self.name, position, rows[-1].position)
        self.seen += [row.position for row in rows]

    def follow(self, concerns: Callable[[Recorded], bool] = lambda row: True) -> Awaitable[None]:
        return follow(self.app.log, self.wake, Subscription(self.name, self.take, concerns=concerns))


async def test_an_append_of_another_process_wakes_a_reader(
    toy: App, app_of: AppOf, run: Run, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The poll is put out of reach, so that nothing but the wake-up can bring the event."""
    monkeypatch.setattr(subscriptions, "POLL", 3600.0)
    other, follower = await app_of(service(), beside=toy), Follower(toy)
    run(follower.wake.listen(toy.database))
    run(follower.follow())
    for expected in range(1, 4):
        await other.log.append(append(community))
        await until(lambda expected=expected: len(follower.seen) == expected, 3.0)


async def test_nobody_is_woken_twice_for_one_position(toy: App, app_of: AppOf, run: Run, community: UUID):
    """What this process has stored, it knows before PostgreSQL says so; what others store, and a NOTIFY that says nothing, wake."""
    other, heard = await app_of(service(), beside=toy), list[str]()
    run(toy.wake.listen(toy.database))
    async with toy.database.direct() as connection:
        await connection.add_listener("log", lambda *told: heard.append(told[-1]))
        await toy.log.append(append(community))
        await until(lambda: heard == ["1"])
        woken = toy.wake.next
        await connection.execute("select pg_notify('log', '1')")
        await other.log.append(append(community, events=2))
        await until(woken.is_set, 3.0)
        assert toy.wake._told == 3
        woken = toy.wake.next
        toy.wake(2)
        assert not woken.is_set()
        await connection.execute("notify log")
        await until(woken.is_set, 3.0)
        assert heard == ["1", "1", "3", ""]


async def test_without_a_wake_up_the_poll_brings_it(toy: App, run: Run, community: UUID, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subscriptions, "POLL", 0.05)
    follower = Follower(toy)
    run(follower.follow())
    await Log(toy.database).append(append(community))
    await until(lambda: follower.seen == [1], 3.0)


async def test_of_two_followers_one_works_and_the_other_takes_over(
    toy: App, app_of: AppOf, pool: asyncpg.Pool, run: Run, community: UUID
):
    first, second = Follower(toy), Follower(await app_of(service(), beside=toy))
    for follower in (first, second):
        run(follower.wake.listen(follower.app.database))
    working = run(first.follow())
    await toy.log.append(append(community))
    await until(lambda: first.seen == [1])
    run(second.follow())
    await toy.log.append(append(community))
    await until(lambda: first.seen == [1, 2])
    assert await pool.fetchval("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database ="
                               " (select oid from pg_database where datname = current_database()) limit 1")
    with pytest.raises(ConnectionError):
        await working
    await toy.log.append(append(community))
    await until(lambda: second.seen == [3])
    assert first.seen == [1, 2]


async def test_a_lease_ends_with_a_machine_that_goes_without_a_word(toy: App):
    """Neither side is ever told: both kernels have to ask, within half a minute, so that another one may lead."""
    async with toy.database.direct() as lease:
        asks = {name: await lease.fetchval(f"show {name}") for name in (
            "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")}
        kept = lease._transport.get_extra_info("socket")
        ours = [kept.getsockopt(level, option) for level, option, _ in KEEPS]
    assert asks == {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000"}
    assert ours == [1, 10, 5, 3, 25_000]


async def test_a_checkpoint_moves_only_from_where_it_stands(pool: asyncpg.Pool, toy: App):
    await advance(pool, NAME, 0, 5)
    with pytest.raises(Lost):
        await advance(pool, NAME, 4, 6)
    assert await checkpoint(toy.database, NAME) == 5
    with pytest.raises(LookupError):
        await checkpoint(toy.database, "nobody")


async def test_a_reader_whose_checkpoint_was_moved_begins_from_there(toy: App, pool: asyncpg.Pool, run: Run, community: UUID):
    follower = Follower(toy)
    run(toy.wake.listen(toy.database))
    follower.wake = toy.wake
    run(follower.follow())
    await toy.log.append(append(community, events=3))
    await until(lambda: follower.seen == [1, 2, 3])
    await pool.execute("update checkpoints set position = 1 where name = $1", NAME)
    await toy.log.append(append(community))
    await until(lambda: follower.seen == [1, 2, 3, 2, 3, 4])


@pytest.mark.parametrize("lazy", [0.01, 3600.0])
async def test_a_checkpoint_follows_later_over_what_does_not_concern_its_reader(
    toy: App, pool: asyncpg.Pool, run: Run, community: UUID, monkeypatch: pytest.MonkeyPatch, lazy: float
):
    """And at once over what does, from wherever the table says that it stands."""
    monkeypatch.setattr(subscriptions, "LAZY", lazy)
    follower = Follower(toy)
    follower.wake = toy.wake
    run(follower.follow(lambda row: row.type == "noted"))
    await toy.log.append(append(community, events=3))
    await until(lambda: toy.log.tail._end == 3)
    if lazy < 1:
        await until(lambda: pool.fetchval("select position = 3 from checkpoints where name = $1", NAME))
    else:
        assert await checkpoint(toy.database, NAME) == 0
    assert follower.seen == []
    await toy.log.append(append(community, type="noted"))
    await until(lambda: follower.seen and max(follower.seen) == 4)
    assert await checkpoint(toy.database, NAME) == 4


async def test_what_starts_now_does_not_see_the_past(toy: App, pool: asyncpg.Pool, community: UUID):
    """`start` counts when the checkpoint is made: at the first migration that knows the subscription."""
    await toy.log.append(append(community, events=2))
    await pool.execute("delete from checkpoints where name in ('rings', 'sums')")
    await _migrate_again(toy)
    assert (await checkpoint(toy.database, "rings"), await checkpoint(toy.database, "sums")) == (2, 0)
    await toy.log.append(append(community))
    await _migrate_again(toy)
    assert (await checkpoint(toy.database, "rings"), await checkpoint(toy.database, "sums")) == (2, 0)


async def _migrate_again(app: App) -> None:
    owner = await asyncpg.connect(app.settings.database_url)
    await owner.execute("update migrated set fingerprint = 'older code'")
    await owner.close()
    assert await migrate_for(app)
    assert not await migrate_for(app)
