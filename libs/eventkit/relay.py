"""Tells others what they may hear: own events, translated, to the service's topic, in order, each at least once. One outstanding batch per
partition: the next goes only after the last is acknowledged. On any error the work begins again at the checkpoint, by a new producer."""
import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from libs.eventkit import commands, failpoints, log, subscriptions, tail
from libs.eventkit.envelope import PARTITIONS, Headers, headers, key_of, partition_of, public_id, read
from libs.eventkit.recorded import Catalogue, Number, Recorded
from libs.eventkit.settings import Settings

NAME, BOUND = "relay", 60.0  # seconds for which Kafka may say nothing, however its client counts
LOOKS, ANEW = 300.0, 2**63 - 1  # seconds after which the topics are looked at again; the offset of what went to a topic that had begun anew
_STANDS = 'select c.position as at, p.* from checkpoints c left join published p on true where c.name = $1 order by p."offset"'
_TOLD = "select remember_told(c,p,g,a,n,o) from unnest($1::uuid[],$2::int[],$3::int[],$4::bigint[],$5::int[],$6::bigint[]) u(c,p,g,a,n,o)"
Message = tuple[bytes, bytes, Headers]
Last = tuple[Headers, bytes | None]
Batch = tuple[Sequence[Recorded], dict[int, list[Message]], dict[UUID, Number]]  # rows; what is told of them, by partition; told after them
class Refuses(Exception):
    """The topics and this log do not belong together; a person has to say which command makes them."""
class Relay:
    """`before` is told the rows of a batch before they are sent (keys go ahead of the events that need them)."""
    def __init__(self, settings: Settings, log_: log.Log, wake: tail.Wake, catalogue: Catalogue, publish: commands.Publish,
                 before: Callable[[AIOKafkaProducer, Sequence[Recorded]], Awaitable[None]], topic: str) -> None:
        self.settings, self.log, self.database, self.wake = settings, log_, log_.database, wake
        self.catalogue, self.publish, self.before, self.topic = catalogue, publish, before, settings.topic(topic)
        self.asks_for, self._told, self._ends, self._ahead = "", dict[UUID, Number](), dict[int, int](), self._made((), {})
    async def run(self) -> None:
        """Holds the relay's lease, looks at the topics, then publishes for ever. Raises on any error."""
        await subscriptions.holding(self.database, NAME, self._lead, self._watch)
    async def _lead(self) -> None:
        rows = await (await self.database.pool()).fetch(_STANDS, NAME)  # one snapshot: `republish` changes both
        told = [row for row in rows if row["community_id"]]
        self._ahead, self._told = self._made((), {}), {r["community_id"]: Number(r["generation"], r["position"], r["n"]) for r in told}
        self._ends = {r["partition"]: r["offset"] for r in told}
        await self._look()
        producer = AIOKafkaProducer(**self.settings.broker, acks="all", enable_idempotence=True, request_timeout_ms=10_000,
            max_request_size=1_048_576, max_batch_size=1_000_000, client_id=f"{self.settings.service}-relay")
        try:
            await tail.within(producer.start(), BOUND)
            own = subscriptions.Subscription(NAME, partial(self._send, producer), concerns=lambda row: row.source is None)
            await subscriptions.hand_on(self.log, self.wake, own, rows[0]["at"], looks=True)
        finally:
            await discard(producer)
    async def _watch(self) -> None:
        while await asyncio.sleep(LOOKS, True):
            await self._look()
    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[Recorded], position: int) -> None:
        _, lanes, told = self._ahead if self._ahead[0] == rows else self._made(rows, self._told)
        async with asyncio.timeout(BOUND):
            await self.before(producer, rows)
            await asyncio.gather(*(self._lane(producer, p, messages) for p, messages in lanes.items()), self._make_next(rows, told))
        failpoints.reach("relay.sent")
        async with (await self.database.folds()).acquire() as connection, connection.transaction():
            if new := [(c, p := partition_of(c), n.generation, n.position, n.n, self._ends.get(p, 0))
                       for c, n in told.items() if self._told.get(c) != n]:
                await connection.execute(_TOLD, *zip(*new, strict=True))
            await subscriptions.advance(connection, NAME, position, rows[-1].position)
        self._told = told
        if ANEW in self._ends.values():
            raise Refuses(f"{self.topic} has begun anew")
    async def _make_next(self, rows: Sequence[Recorded], told: dict[UUID, Number]) -> None:
        """While Kafka writes this one. What cannot be made is for the next call to say: this one has to be finished first."""
        if len(rows) >= tail.BATCH:
            with suppress(Exception):
                self._ahead = self._made(await self.log.tail.after(rows[-1].position, self.wake.next), told)
    def _made(self, rows: Sequence[Recorded], before: dict[UUID, Number]) -> Batch:
        told, lanes = dict(before), defaultdict[int, list[Message]](list)
        for row in (row for row in rows if row.source is None):
            lanes[partition_of(row.community_id)] += self._messages(row, told)
        return rows, lanes, told
    def _messages(self, row: Recorded, told: dict[UUID, Number]) -> list[Message]:
        event = self.catalogue.read(row, strict=True)
        found: list[Message] = []
        for n, public in enumerate(self.publish(event, row) if event is not None else ()):
            body, previous = msgspec.json.encode(public.body), told.get(row.community_id, Number())
            if len(body) > commands.LARGEST:
                raise Refuses(f"the public event of position {row.position} has {len(body)} bytes")
            ce = headers(row, public, n, self.settings.service, getattr(public.body, "VERSION", 1), previous)
            found.append((key_of(row.community_id), body, ce))
            told[row.community_id] = Number(row.generation, row.position, n)
        return found
    async def _lane(self, producer: AIOKafkaProducer, partition: int, messages: list[Message]) -> None:
        left = deque(messages)
        while left:
            batch = producer.create_batch()
            while left and batch.append(key=left[0][0], value=left[0][1], timestamp=None, headers=left[0][2]) is not None:
                left.popleft()
            batch.close()
            sent = (await (await producer.send_batch(batch, self.topic, partition=partition))).offset
            if sent >= 0:  # else it was there already
                self._ends[partition] = sent + batch.record_count() - 1 if sent > self._ends.get(partition, -1) else ANEW
    async def _look(self) -> None:
        """Raises Refuses where a topic and this log do not belong together."""
        self.asks_for = await tail.within(self._differs(), BOUND)
        if self.asks_for:
            raise Refuses(self.asks_for)
    async def _differs(self) -> str:
        """What the last record of each partition says about this log: nothing, or the command that is needed. Its number counts where no
        offset is known: what comes once more from a connection that was given up has an earlier one."""
        [(generation, put_back)] = await (await self.database.pool()).fetch(
            "select generation, exists (select from restores where finding is null) from log_state")
        if put_back:
            return "restored: this log was put back from a backup, and what it lacks is not known yet"
        ends, told = dict(self._ends), {partition_of(c): n for c, n in sorted(self._told.items(), key=lambda one: one[1])}  # the last
        for partition, (end, last) in (await last_records(self.settings, self.topic)).items():
            heard = read(*last) if last else None
            if heard and heard.number.generation >= generation:  # of earlier ones, `restored` has said what was lost
                rows = await self.log.read(heard.number.position - 1, 1)
                if [(r.position, public_id(r.event_id, heard.number.n)) for r in rows] != [(heard.number.position, heard.event_id)]:
                    return f"restored: {self.topic} has {heard.number}, which is not in this log"
            if end <= ends.get(partition, -1) or (not ends.get(partition) and heard and heard.number < told.get(partition, Number())):
                return f"republish: partition {partition} of {self.topic} ends before what this log has told it, {told.get(partition)}"
        return ""
async def last_records(settings: Settings, topic: str) -> dict[int, tuple[int, Last | None]]:
    """Per partition: its end offset and its last record (headers, body), or None where it holds none."""
    consumer = AIOKafkaConsumer(**settings.broker, enable_auto_commit=False, auto_offset_reset="latest")
    await consumer.start()
    try:
        if topic not in await consumer.topics():
            raise LookupError(f"no topic {topic} yet")
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        async def last(tp: TopicPartition) -> Last:
            consumer.seek(tp, ends[tp] - 1)
            record = await tail.within(consumer.getone(tp), 10)
            return list(record.headers), record.value
        return {tp.partition: (ends[tp], await last(tp) if ends[tp] > begins[tp] else None) for tp in partitions}
    finally:
        await tail.within(consumer.stop(), 5)
async def discard(producer: AIOKafkaProducer) -> None:
    """Throws a producer away at once: `stop()` would block while the broker is down and deliver late."""
    if producer._sender is not None and (task := producer._sender.sender_task) is not None:
        task.cancel()
        with suppress(BaseException):
            await task
    producer._closed = True
    with suppress(Exception):
        await producer.client.close()
