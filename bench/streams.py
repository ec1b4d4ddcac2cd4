"""Rows `relay` (a log to its topic) and `hearing` (a topic to another's log, exactly once): events a second, of 400 bytes."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.hop import COMMUNITIES, TEXT, Told, ended, forget, nothing, publish
from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from cli.migrating.topics import ensure_topics
from libs.eventkit import hear
from libs.eventkit.db import Database
from libs.eventkit.envelope import PARTITIONS, Headers, partition_of, read
from libs.eventkit.hear import Hearing
from libs.eventkit.log import Log
from libs.eventkit.recorded import Catalogue, Number
from libs.eventkit.relay import Relay
from libs.eventkit.subscriptions import checkpoint
from libs.eventkit.tail import Wake

ROUNDS = 5
EVENTS = 20_000
ALONE = 1000
"""Events of the side that gives each a transaction of its own."""
PATIENCE = 60.0
FILL = (
    "insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)"
    " select $1 + n, 1, ($2::uuid[])[n % cardinality($2::uuid[]) + 1], 'told:' || gen_random_uuid(), 1, gen_random_uuid(), 'told', 1,"
    " $3::json, '{}' from generate_series(1, $4::int) n")
BODY = msgspec.json.encode(Told("bench", 1, TEXT)).decode()
TELLS = "bench_tells"


class Source:
    """A log with its relay, and the same bytes ready to be sent without either."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers

    async def start(self, stack: AsyncExitStack) -> None:
        self.settings = await self.servers.database(TELLS)
        names = (TELLS, "bench_bare")
        await forget(self.settings.broker, [self.settings.topic(n) for n in names])
        await ensure_topics(self.settings, names)
        self.database, self.wake, self.last = Database(self.settings), Wake(), 0
        stack.push_async_callback(self.database.close)
        self.log = Log(self.database, self.wake)
        self.relay = self.of(TELLS)
        stack.push_async_callback(ended, asyncio.create_task(self.relay.run()))
        self.bare = self.of("bench_bare")
        self.producer = AIOKafkaProducer(
            **self.settings.broker, acks="all", enable_idempotence=True, max_batch_size=1_000_000)
        await self.producer.start()
        stack.push_async_callback(self.producer.stop)

    def of(self, topic: str) -> Relay:
        return Relay(self.settings, self.log, self.wake, Catalogue((Told,)), publish, nothing, topic)

    async def fill(self) -> None:
        await (await self.database.pool()).execute(FILL, self.last, COMMUNITIES, BODY, EVENTS)
        self.last += EVENTS

    async def relayed(self) -> Measured:
        await self.fill()
        begun = perf_counter()
        self.wake()
        while await checkpoint(self.database, "relay") < self.last:
            if perf_counter() - begun > PATIENCE:
                raise RuntimeError("the relay does not come to the end of its log")
            await asyncio.sleep(0.005)
        return Measured(EVENTS / (perf_counter() - begun))

    async def sent(self) -> Measured:
        """The same bytes to the same broker, made before: batch after batch on each partition."""
        lanes: dict[int, list[tuple[bytes, bytes, Headers]]] = {}
        told: dict[UUID, Number] = {}
        rows, position = 0, self.last - EVENTS
        while found := await self.log.read(position, 5000):
            position, rows = found[-1].position, rows + len(found)
            for row in found:
                lanes.setdefault(partition_of(row.community_id), []).extend(self.bare._messages(row, told))
        begun = perf_counter()
        await asyncio.gather(*(self.bare._lane(self.producer, p, messages) for p, messages in lanes.items()))
        return Measured(rows / (perf_counter() - begun))


async def measure_relay(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        source = Source(servers)
        await source.start(stack)
        found = await side_by_side({"ours": source.relayed, "send_batch": source.sent}, ROUNDS)
    of_limit = found.ratio("ours", "send_batch")
    return Result(
        row="relay", unit="events/s", ours=rounded(found.value("ours")),
        limit=Part("aiokafka send_batch of the same bytes, made before, to the same broker", rounded(found.value("send_batch"))),
        peer=Part("none", None), goal="≥ 0.5 × limit", met=of_limit >= 0.5, of_limit=rounded(of_limit), of_peer=None, rounds=ROUNDS,
        spread=found.spread())


class Listening:
    """The same topic, heard from its beginning into an empty log each time."""

    def __init__(self, servers: Servers, records: Sequence[tuple[Headers, bytes]], topic: str) -> None:
        self.servers = servers
        self.rows = [(topic, read(h, body)) for h, body in records]
        self.columns = [hear._columns(self.rows[n:n + hear.MOST], {topic: TELLS}) for n in range(0, len(self.rows), hear.MOST)]

    async def heard(self) -> Measured:
        async with AsyncExitStack() as stack:
            settings = await self.servers.database("bench_hears")
            database = Database(settings)
            stack.push_async_callback(database.close)
            pool = await database.pool()
            hearing = Hearing(
                settings.model_copy(update={"topic_prefix": "bench", "member": str(perf_counter())}), database, (TELLS,), ())
            stack.push_async_callback(ended, asyncio.create_task(hearing.run()))
            first, begun, last, until = 0, 0.0, 0, perf_counter() + PATIENCE
            while last < len(self.rows):
                last, now = hearing.counts["taken"], perf_counter()
                if last and not begun:
                    first, begun = last, now
                if now > until:
                    raise RuntimeError(f"{last} of {len(self.rows)} heard")
                await asyncio.sleep(0.005)
            taken = (last - first) / (perf_counter() - begun)
            assert await pool.fetchval("select count(*) from events") == len(self.rows)
            return Measured(taken)

    async def unnested(self) -> Measured:
        pool = await self.plain()
        try:
            begun, base = perf_counter(), 0
            for columns in self.columns:
                await pool.execute(UNNEST, base, *_of(columns))
                base += len(columns[0])
            return Measured(base / (perf_counter() - begun))
        finally:
            await pool.close()

    async def one_by_one(self) -> Measured:
        pool = await self.plain()
        try:
            begun = perf_counter()
            for n, columns in enumerate(hear._columns([row], {row[0]: TELLS}) for row in self.rows[:ALONE]):
                await pool.execute(UNNEST, n, *_of(columns))
            return Measured(ALONE / (perf_counter() - begun))
        finally:
            await pool.close()

    async def plain(self) -> asyncpg.Pool:
        settings = await self.servers.database("bench_limit")
        return await asyncpg.create_pool(settings.database_url, min_size=1, max_size=1)


UNNEST = (
    "insert into events (position, generation, community_id, source_generation, source_position, source_n, event_id, type, schema, data,"
    " meta, source) select $1 + row_number() over (), 1, c, g, p, n, i, t, s, d::json, m::json, $11 from unnest($2::uuid[], $3::int[],"
    " $4::bigint[], $5::int[], $6::uuid[], $7::text[], $8::int[], $9::text[], $10::text[]) u(c, g, p, n, i, t, s, d, m)")


def _of(columns: list[list[object]]) -> list[object]:
    """Of what `hear_batch` is given, what a row consists of."""
    return [columns[2], *columns[3:6], columns[9], columns[10], columns[11], columns[12], columns[13], TELLS]


async def measure_hearing(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        source = Source(servers)
        await source.start(stack)
        await source.relayed()
        topic = source.settings.topic(TELLS)
        listening = Listening(servers, await records(servers.broker, topic), topic)
        sides = {"ours": listening.heard, "unnest": listening.unnested, "one": listening.one_by_one}
        found = await side_by_side(sides, ROUNDS)
    of_limit = found.ratio("ours", "unnest")
    return Result(
        row="hearing", unit="events/s", ours=rounded(found.value("ours")),
        limit=Part(f"unnest of the same rows, {hear.MOST} at once, without marks, from memory", rounded(found.value("unnest"))),
        peer=Part("one transaction per event", rounded(found.value("one"))), goal="≥ 0.5 × limit", met=of_limit >= 0.5,
        of_limit=rounded(of_limit), of_peer=rounded(found.ratio("ours", "one")), rounds=ROUNDS, spread=found.spread())


async def records(broker: dict[str, str], topic: str) -> list[tuple[Headers, bytes]]:
    """All that the topic has."""
    consumer = AIOKafkaConsumer(**broker, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        found: list[tuple[Headers, bytes]] = []
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for some in (await consumer.getmany(timeout_ms=1000)).values():
                found += [(list(record.headers), record.value) for record in some]
        return found
    finally:
        await consumer.stop()
