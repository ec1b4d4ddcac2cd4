"""Hears whole topics into the own log: the event and the mark that remembers it are one transaction."""
import asyncio
import hashlib
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from libs.eventkit.db import Database
from libs.eventkit.envelope import PARTITIONS, Heard, Unreadable, read
from libs.eventkit.failpoints import reach
from libs.eventkit.settings import Settings
from libs.eventkit.tail import within

log = logging.getLogger(__name__)
MOST, HOURS, FETCH = 500, 6 * 3600 * 1000, 5000
HINT, BOUND = 5.0, 60.0  # seconds: between two commits to Kafka; after which a consumer that says nothing at all is given up for a new one
_CALL = "select hear_batch($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)"
class Hearing:
    """`counts` by answer: taken (of them `unknown`: of a type that is not in `known`), known, repeated, missing, unreadable."""
    def __init__(self, settings: Settings, database: Database, sources: Sequence[str], known: Collection[str]) -> None:
        self.known, self.settings, self.database, self.sources = known, settings, database, {settings.topic(s): s for s in sources}
        self.counts = dict.fromkeys(("taken", "known", "repeated", "missing", "unreadable", "unknown"), 0)
        self._consumer: AIOKafkaConsumer | None = None
    async def run(self) -> None:
        """Hears for ever. The group carries the generation, so that after `restored` everything is read again."""
        generation = await (await self.database.pool()).fetchval("select generation from log_state")
        # a static member that is soon back keeps its partitions, and would get none of a topic that it hears only now
        topics = hashlib.sha256(" ".join(sorted(self.sources)).encode()).hexdigest()[:8]
        consumer = AIOKafkaConsumer(**self.settings.broker, client_id=f"{self.settings.service}-hear", max_poll_interval_ms=HOURS,
            group_id=f"{self.settings.topic_prefix}.{self.settings.service}.g{generation}", enable_auto_commit=False,
            group_instance_id=f"{self.settings.service}-{self.settings.member}-{topics}", auto_offset_reset="earliest",
            session_timeout_ms=10_000, heartbeat_interval_ms=3000, fetch_min_bytes=1, fetch_max_wait_ms=2000, consumer_timeout_ms=5000)
        try:
            async with asyncio.timeout(BOUND):
                await consumer.start()
                consumer._fetcher._prefetch_backoff = BOUND  # else a fetch leaves out what is not stored, and that waits for its end
                if missing := self.sources.keys() - await consumer.topics():
                    raise LookupError(f"no topic {', '.join(sorted(missing))} yet")  # instead of waiting for it without a word
                consumer.subscribe([*self.sources])
                await consumer._subscription.wait_for_assignment()
            self._consumer = consumer
            committed, behind, new = (loop := asyncio.get_running_loop()).time(), False, False
            while True:
                fetched = await within(consumer.getmany(timeout_ms=FETCH, max_records=4 * MOST * PARTITIONS), BOUND)
                new, was, behind = new or bool(fetched), behind, not fetched and await within(self._is_behind(consumer), 5)
                if was and behind:  # then a new one is made, and another member: the same one would be given the same again
                    consumer._coordinator._group_instance_id = None
                    raise RuntimeError("the consumer does not bring what its topics have")
                # one partition is read while another is stored
                for failed in filter(None, await asyncio.gather(*map(self._along, fetched.values()), return_exceptions=True)):
                    raise failed
                if new and loop.time() - committed > HINT:  # only now: what is fetched and not stored has to come again
                    with suppress(KafkaError, TimeoutError):
                        new = await within(consumer.commit(), 2) is not None  # it answers nothing
                    committed = loop.time()
        finally:
            self._consumer = None
            await within(consumer.stop(), 5)
    async def _is_behind(self, consumer: AIOKafkaConsumer) -> bool:
        if {tp.topic for tp in consumer.assignment()} != set(self.sources):  # nothing left for this member, or it was forgotten
            return True
        return any([end > await consumer.position(tp) for tp, end in (await consumer.end_offsets(consumer.assignment())).items()])
    async def _along(self, records: Sequence[ConsumerRecord]) -> None:
        for n in range(0, len(records), MOST):
            reach("hear.before")
            await self._take(records[n:n + MOST])
            reach("hear.after")
    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        pool, readable = await self.database.pool(), list[tuple[str, Heard]]()
        for record in records:
            try:
                readable.append((record.topic, read(record.headers, record.value)))
            except Unreadable as error:
                await self._keep_aside(record, str(error))
        answers = await pool.fetchval(_CALL, *_columns(readable, self.sources)) if readable else ()
        for answer, (_, heard) in zip(answers, readable, strict=True):
            self.counts[answer] += 1
            self.counts["unknown"] += answer == "taken" and heard.type not in self.known
    async def _keep_aside(self, record: ConsumerRecord, reason: str) -> None:
        self.counts["unreadable"] += 1
        log.error("unreadable record %s/%d/%d kept aside: %s", record.topic, record.partition, record.offset, reason)
        heads = msgspec.json.encode({k: (v or b"").decode("latin-1") for k, v in record.headers}).decode().replace("\\u0000", "")
        await (await self.database.pool()).execute(
            "select keep_aside($1, $2, $3, $4, $5, $6)", record.topic, record.partition, record.offset, reason, heads, record.value)
    def lag(self) -> int:
        """Records that the topics hold beyond what has been fetched; -1 while not connected, or not told by the broker what there is."""
        if (consumer := self._consumer) is None or None in map(consumer.highwater, consumer.assignment()):
            return -1
        states = ((tp, consumer._subscription.subscription.assignment.state_value(tp)) for tp in consumer.assignment())
        return sum(max(0, (consumer.highwater(tp) or 0) - at.position) for tp, at in states if at is not None and at.has_valid_position)
def _columns(records: Sequence[tuple[str, Heard]], sources: dict[str, str]) -> list[list[object]]:
    rows = ((topic, sources[topic], h.community_id, *msgspec.structs.astuple(h.number), *msgspec.structs.astuple(h.previous), h.event_id,
             h.type, h.schema, h.data, msgspec.json.encode(h.meta).decode()) for topic, h in records)
    return [list(column) for column in zip(*rows, strict=True)]
