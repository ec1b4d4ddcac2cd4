"""A fetch waits for seconds where nothing is new, so none may leave a partition out: what comes there would wait for its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.fetch import FetchRequest
from msgspec import json
from msgspec.structs import replace

from cli.migrating.topics import ensure_topics
from libs.eventkit import hear, keys_topic
from libs.eventkit.envelope import PARTITIONS, partition_of
from libs.eventkit.privacy import KeyRecord
from libs.eventkit.service import App
from tests.eventkit.topics import Topic, said, topic_of
from tests.kit import until
from tests.toy.main import ECHO

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())


class Fetches:
    """`partial`: one that asked for some of the partitions only has been sent."""

    def __init__(self) -> None:
        self.sent, self.partial = 0, asyncio.Event()

    def note(self, request: FetchRequest) -> None:
        self.sent += 1
        if sum(len(partitions) for _, partitions in request.topics) < PARTITIONS:
            self.partial.set()


class Slow:
    """Somebody who stores what is heard, one at a time and when they may."""

    def __init__(self) -> None:
        self.begun, self.may = asyncio.Event(), asyncio.Event()
        self.stored: list[UUID] = []

    async def store(self, community: UUID) -> None:
        self.begun.set()
        await self.may.wait()
        self.stored.append(community)


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> Fetches:
    found, send = Fetches(), AIOKafkaClient.send

    async def noting(client: AIOKafkaClient, node: int, request: object, **more: object) -> object:
        if isinstance(request, FetchRequest):
            found.note(request)
        return await send(client, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", noting)
    return found


@pytest.fixture
def one_of_each() -> list[UUID]:
    """Communities of different partitions."""
    found: dict[int, UUID] = {}
    while len(found) < PARTITIONS:
        found.setdefault(partition_of(community := uuid4()), community)
    return [*found.values()]


@pytest.fixture
async def topic(app_of: AppOf) -> AsyncIterator[Topic]:
    app = await app_of(LISTENER)
    async with topic_of(app.settings) as found:
        yield found


class OfEvents:
    """Hears the topic of `toy`."""

    def __init__(self, app: App, topic: Topic, slow: Slow) -> None:
        self.app, self.topic, self.slow = app, topic, slow

    async def put(self, community: UUID) -> None:
        await self.topic.put(said(community, 1))

    async def run(self) -> None:
        hearing = hear.Hearing(self.app.settings, self.app.database, ("toy",), ())

        async def take(records: list[object]) -> None:
            for record in records:
                await self.slow.store(UUID((record.key or b"").decode()))  # type: ignore[attr-defined]

        hearing._take = take  # type: ignore[method-assign,assignment]
        await hearing.run()


class OfKeys:
    """Hears the topic of keys."""

    def __init__(self, app: App, topic: Topic, slow: Slow) -> None:
        self.app, self.producer, self.slow = app, topic.producer, slow

    async def put(self, community: UUID) -> None:
        await put_key(self.app, self.producer, community)

    async def run(self) -> None:
        await keys_topic.hear_keys(self.app.settings, self, asyncio.Event())  # type: ignore[arg-type]

    async def news(self, records: list[KeyRecord]) -> list[KeyRecord]:
        return records

    async def store(self, record: KeyRecord) -> None:
        await self.slow.store(record.community_id)


async def put_key(app: App, producer: AIOKafkaProducer, community: UUID) -> None:
    record = KeyRecord(uuid4(), community, "resident:1", "contact", "toy", "1", b"wrapped")
    await producer.send_and_wait(app.settings.topic("keys"), json.encode(record), key=record.key_id.bytes,
                                 partition=partition_of(community))


async def leaves_one_out(way: type[OfEvents] | type[OfKeys], app_of: AppOf, topic: Topic, fetches: Fetches, of: list[UUID],
                         within: float = 1.0) -> bool:
    """While one is stored another comes: whether it is then asked for less than everything. In the end all that came is stored."""
    app = await app_of(LISTENER)
    app.settings = app.settings.model_copy(update={"topic_prefix": topic.settings.topic_prefix})
    await ensure_topics(app.settings, ("toy",))
    listener = way(app, topic, slow := Slow())
    running = asyncio.create_task(listener.run())
    try:
        await until(lambda: fetches.sent > 0)
        await listener.put(of[0])
        await asyncio.wait_for(slow.begun.wait(), 10)
        await listener.put(of[1])
        async with asyncio.timeout(within):
            await fetches.partial.wait()
    except TimeoutError:
        pass
    finally:
        slow.may.set()
        await until(lambda: set(of[:2]) <= set(slow.stored))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return fetches.partial.is_set()


@pytest.mark.parametrize("way", [OfEvents, OfKeys])
async def test_a_fetch_asks_for_every_partition_also_while_something_is_stored(
        way: type[OfEvents] | type[OfKeys], app_of: AppOf, topic: Topic, fetches: Fetches, one_of_each: list[UUID]):
    assert not await leaves_one_out(way, app_of, topic, fetches, one_of_each)
    assert fetches.sent >= 2


@pytest.mark.parametrize("way", [OfEvents, OfKeys])
async def test_twin_that_prefetches_as_the_client_does_is_caught(
        way: type[OfEvents] | type[OfKeys], app_of: AppOf, topic: Topic, fetches: Fetches, one_of_each: list[UUID],
        monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Fetcher, "_prefetch_backoff", property(lambda self: 0.2, lambda self, seconds: None), raising=False)
    assert await leaves_one_out(way, app_of, topic, fetches, one_of_each, within=20)
