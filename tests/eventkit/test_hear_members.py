"""Members of the hearing group: several share the topics, and one that is stuck or left out is replaced."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from msgspec.structs import replace

from libs.eventkit import hear
from libs.eventkit.service import App
from tests.eventkit.topics import Topic, chain, said, topic_of
from tests.kit import everything, until
from tests.toy.main import ECHO

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())


@pytest.fixture
async def echo(app_of: AppOf) -> App:
    return await app_of(LISTENER)


@pytest.fixture
async def pool(echo: App) -> asyncpg.Pool:
    return await echo.database.pool()


@pytest.fixture
async def topic(echo: App) -> AsyncIterator[Topic]:
    async with topic_of(echo.settings) as found:
        yield found


async def heard(pool: asyncpg.Pool, community: UUID | None = None) -> list[int]:
    return [int(r[0]) for r in await pool.fetch(
        "select source_position from events where source = 'toy' and ($1::uuid is null or community_id = $1) order by position",
        community)]


async def hears(pool: asyncpg.Pool, community: UUID, *positions: int) -> None:
    async def all_of_it() -> bool:
        return await heard(pool, community) == list(positions)

    await until(all_of_it)


async def test_of_two_listeners_each_record_is_taken_once(echo: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool):
    """Two processes of one service share the partitions, and what both get is taken by one."""
    second = await app_of(LISTENER, beside=echo)
    second.settings.__dict__["member"] = "1"
    communities = [uuid4() for _ in range(12)]
    chains = [chain(c, range(1, 11)) for c in communities]
    echo.start_worker()
    await topic.put(*(m for c in chains for m in c[:5]))
    second.start_worker()
    await topic.put(*(m for c in chains for m in c[5:]))
    for community in communities:
        await hears(pool, community, *range(1, 11))
    await echo.supervisor.stop()
    await topic.put(*(said(c, 11, 10) for c in communities))
    for community in communities:
        await hears(pool, community, *range(1, 12))
    assert [r.position for r in await everything(pool)] == list(range(1, 133))


async def test_a_consumer_that_brings_nothing_is_replaced(
    echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """As was seen once after the broker had been killed: no error, and nothing more for as long as anybody looked."""
    real, first = hear.AIOKafkaConsumer.getmany, list[object]()

    async def getmany(self: object, **more: object) -> object:
        if echo.hearing is not None and self is echo.hearing._consumer:
            first[:] = first or [self]
        return await asyncio.sleep(0.05, {}) if [self] == first else await real(self, **more)

    monkeypatch.setattr(hear.AIOKafkaConsumer, "getmany", getmany)
    await topic.put(*chain(community, [1, 2, 3]))
    echo.start_worker()
    await hears(pool, community, 1, 2, 3)
    assert echo.supervisor.restarts["hear"] == 1


async def test_a_topic_that_a_new_version_hears_is_heard_at_once(app_of: AppOf, community: UUID):
    """A static member that is soon back keeps the partitions that it had, whatever it asks for now: so it is another member."""
    before = await app_of(LISTENER)
    before.start_worker()
    async with topic_of(before.settings) as topic:
        await topic.put(*chain(community, [1]))
        pool = await before.database.pool()
        await hears(pool, community, 1)
        await before.supervisor.stop()
        after = await app_of(replace(LISTENER, hears=("toy", "other")), beside=before)
        after.start_worker()
        await until(lambda: after.hearing is not None and after.hearing._consumer is not None and after.hearing._consumer.assignment())
        assert after.hearing is not None and after.hearing._consumer is not None
        assert {tp.topic for tp in after.hearing._consumer.assignment()} == {before.settings.topic(s) for s in ("toy", "other")}


async def test_a_member_that_is_left_without_a_topic_is_replaced(
    echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    real, first = hear.AIOKafkaConsumer.assignment, list[object]()

    def assignment(self: object) -> object:
        if echo.hearing is not None and self is echo.hearing._consumer:
            first[:] = first or [self]
        return frozenset() if [self] == first else real(self)

    monkeypatch.setattr(hear.AIOKafkaConsumer, "assignment", assignment)
    echo.start_worker()
    await until(lambda: echo.supervisor.restarts.get("hear"))
    await topic.put(*chain(community, [1, 2, 3]))
    await hears(pool, community, 1, 2, 3)


async def test_a_group_that_was_given_nothing_is_given_all_of_it_by_another_member(
    echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """As was seen when all was started for the first time on a busy machine: whoever led the group had no metadata of topics that had just
    been made. A static member that comes back is given the same again, without anybody dividing anew; so it leaves."""
    real, divided = RoundRobinPartitionAssignor.assign, list[object]()

    def assign(cluster: object, members: dict[str, object]) -> dict[str, object]:
        divided.append(members)
        return real(cluster, members) if len(divided) > 1 else {
            member: ConsumerProtocolMemberAssignment(0, [], b"") for member in members}

    monkeypatch.setattr(RoundRobinPartitionAssignor, "assign", assign)
    monkeypatch.setattr(hear, "FETCH", 300)
    await topic.put(*chain(community, [1, 2, 3]))
    echo.start_worker()
    await hears(pool, community, 1, 2, 3)
    assert len(divided) == 2 and echo.supervisor.restarts == {"hear": 1}
