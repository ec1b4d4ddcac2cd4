"""Memory: the newest that the log says, or an honest refusal."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from libs.eventkit import memory
from libs.eventkit.db import Database
from libs.eventkit.log import Log
from libs.eventkit.memory import Memory
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from tests.eventkit.writers import append
from tests.faults.proxy import proxy_to
from tests.kit import until
from tests.toy.accounts import Added
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(service())


@pytest.fixture
def sums(toy: App) -> tuple[Memory, list[int]]:
    seen: list[int] = []
    found = Memory("sums", (Added,), lambda event, row: seen.append(event.amount))
    found.bind(toy.log, toy.catalogue)
    return found, seen


async def test_it_knows_the_log_once_it_has_caught_up(toy: App, sums: tuple[Memory, list[int]], community: UUID):
    found, seen = sums
    assert not found.warm
    await found.catch_up()
    assert found.warm and seen == []
    await toy.log.append(append(community, type="other"))
    await toy.log.append(append(community, events=3))
    await toy.log.append(append(community, type="other"))
    for _ in range(2):
        await found.catch_up()
        assert seen == [1, 1, 1] and found.position == 5


async def test_many_events_are_all_applied_once(toy: App, sums: tuple[Memory, list[int]], community: UUID, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory.tail, "BATCH", 3)
    found, seen = sums
    for n in range(9):
        await toy.log.append(append(community, data=b'{"amount":%d}' % n, type="added" if n % 3 else "other"))
    await asyncio.gather(*(found.catch_up() for _ in range(4)))
    assert seen == [1, 2, 4, 5, 7, 8] and found.position == 9


async def test_it_runs_on_with_the_log(toy: App, sums: tuple[Memory, list[int]], community: UUID):
    found, seen = sums
    running = asyncio.create_task(found.run(toy.wake))
    await until(lambda: found.warm)
    await toy.log.append(append(community))
    await until(lambda: seen == [1])
    running.cancel()


async def test_an_answer_may_ask_for_a_position(toy: App, sums: tuple[Memory, list[int]], community: UUID):
    found, seen = sums
    await found.fresh()
    position = (await toy.log.append(append(community))).position
    await found.fresh(position)
    assert seen == [1]


async def test_what_cannot_be_read_does_not_end_it_but_is_told(toy: App, sums: tuple[Memory, list[int]], community: UUID):
    found, seen = sums
    await toy.log.append(append(community, data=b'{"amount":"many"}'))
    await toy.log.append(append(community, schema=9))
    await toy.log.append(append(community))
    await found.catch_up()
    assert seen == [1] and found.unreadable == {community}


async def test_cold_or_old_memory_without_a_database_decides_nothing(
    toy: App, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    async with proxy_to(toy.settings.database_url) as (proxy, url):
        database = Database(toy.settings.model_copy(update={"database_url": url}))
        cold, warm = (Memory("sums", (Added,), lambda event, row: None) for _ in range(2))
        for found in (cold, warm):
            found.bind(Log(database), toy.catalogue)
        await warm.fresh()
        proxy.refuse = True
        proxy.cut()
        await warm.fresh()
        monkeypatch.setattr(memory, "OLDEST", 0.0)
        for found in (cold, warm):
            with pytest.raises(Problem) as problem:
                await found.fresh()
            assert (problem.value.status, problem.value.code) == (503, "not_ready")
        proxy.refuse = False
        await warm.fresh()
        proxy.blackhole(True)
        with pytest.raises(Problem):
            await warm.fresh()
        await database.close()
