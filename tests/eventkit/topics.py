"""A topic seen from outside: what lies in it, and records put there by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct, json

from cli.migrating.topics import ensure_topics
from libs.eventkit.commands import Public
from libs.eventkit.envelope import PARTITIONS, Headers, Heard, Unreadable, headers, partition_of, public_id, read
from libs.eventkit.recorded import Number, Recorded
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from tests.kit import recorded, until
from tests.toy.accounts import Added
from tests.toy.public import ToyAdded


class Message(Struct, frozen=True):
    community_id: UUID
    headers: Headers
    body: bytes | None
    partition: int | None = None

    def without(self, *names: str) -> "Message":
        return Message(self.community_id, [(k, v) for k, v in self.headers if k not in names], self.body)

    def having(self, **values: bytes) -> "Message":
        return Message(self.community_id, [*self.without(*values).headers, *values.items()], self.body)


def said(community: UUID, position: int, previous: int = 0, *, amount: int = 1, generation: int = 1, event_id: UUID | None = None,
         previous_generation: int = 1) -> Message:
    """What the relay of `toy` would say of the event at `position`."""
    at = datetime.now(UTC)
    row = recorded(Added(amount), community, position=position, stream=f"account:{uuid4()}", event_id=event_id, at=at)
    row = Recorded(**{f: getattr(row, f) for f in row.__struct_fields__} | {"generation": generation})
    body = ToyAdded(UUID(int=position), amount)
    before = Number(previous_generation, previous, 0) if previous else Number()
    return Message(community, headers(row, Public(body), 0, "toy", 1, before), json.encode(body))


def chain(community: UUID, positions: Sequence[int], **more: int) -> list[Message]:
    return [said(community, p, previous, **more) for previous, p in zip((0, *positions), positions, strict=False)]


async def records_of(broker: dict[str, str], topic: str) -> list[Message]:
    """All of it, in order within each partition."""
    consumer = AIOKafkaConsumer(**broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        left = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end}
        found: list[Message] = []
        while left:
            for tp, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                found += [Message(UUID((r.key or b"").decode()), list(r.headers), r.value, tp.partition) for r in records]
                if records[-1].offset >= left[tp] - 1:
                    del left[tp]
        return found
    finally:
        await consumer.stop()


async def lying_in(broker: dict[str, str], topic: str) -> list[tuple[int, Heard]]:
    """Each record that can be read, with its partition."""
    found = []
    for m in await records_of(broker, topic):
        with suppress(Unreadable):
            found.append((m.partition or 0, read(m.headers, m.body)))
    return found


class Topic:
    """The topic of `toy`."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self.settings, self.producer, self.name = settings, producer, settings.topic("toy")

    async def put(self, *messages: Message) -> None:
        for m in messages:
            await self.producer.send_and_wait(
                self.name, m.body, key=str(m.community_id).encode(), headers=m.headers, partition=partition_of(m.community_id))

    async def records(self) -> list[Message]:
        return await records_of(self.settings.broker, self.name)

    async def heard(self, community: UUID | None = None) -> list[Heard]:
        return [read(m.headers, m.body) for m in await self.records() if community in (None, m.community_id)]

    async def lying(self) -> list[tuple[int, Heard]]:
        return await lying_in(self.settings.broker, self.name)

    async def holds(self, count: int, timeout: float = 10.0) -> list[Heard]:
        async def enough() -> bool:
            return len(await self.heard()) >= count

        await until(enough, timeout)
        return await self.heard()

    async def wipe(self) -> None:
        """As after a loss of the broker's disks: the topic is there, and empty."""
        admin = AIOKafkaAdminClient(**self.settings.broker)
        await admin.start()
        try:
            await admin.delete_topics([self.name])

            async def gone() -> bool:
                return self.name not in await admin.list_topics()

            await until(gone)
        finally:
            await admin.close()
        await ensure_topics(self.settings, ("toy",))


def with_topics(app: App) -> App:
    """What it does with Kafka finds its topics, as in an installation. Only then: most tests need none, and making them takes time."""
    start = app.supervisor.start

    def begin(name: str, work: Callable[[], Awaitable[None]]) -> None:
        async def provided() -> None:
            await ensure_topics(app.settings, (*((app.topic,) if app.relay else ()), *app.service.hears))
            await work()

        start(name, provided if name in ("hear", "relay", "keys") else work)

    app.supervisor.start = begin  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def topic_of(settings: Settings) -> AsyncIterator[Topic]:
    await ensure_topics(settings, ("toy",))
    producer = AIOKafkaProducer(**settings.broker, acks="all", max_request_size=1_048_576)
    await producer.start()
    yield Topic(settings, producer)
    await producer.stop()


def is_chained(found: Sequence[Heard]) -> bool:
    """Each record names the number of the one before it in its community."""
    before: dict[UUID, Number] = {}
    for h in found:
        if h.previous != before.get(h.community_id, Number()) or h.number <= h.previous:
            return False
        before[h.community_id] = h.number
    return True


__all__ = ["Message", "Topic", "chain", "is_chained", "public_id", "said", "topic_of", "with_topics"]
