"""A new generation of a log after a restore: what the topics have and the log lost, and every reader at a place that the log has."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct

from libs.eventkit.envelope import PARTITIONS, Heard, Unreadable, public_id, read
from libs.eventkit.recorded import Number
from libs.eventkit.service import App

MOST = 1000
"""Lost events that are named one by one; all are counted."""
SLACK = timedelta(days=1)
"""By so much clocks may differ between the database that stamped an event and the relay that sent it."""
PATIENCE = 60.0
"""Seconds without a record of a topic that has more."""
LONGEST = 86_400.0
"""Seconds that all rows of a large log may take to be of another generation."""


class Found(Struct):
    """What the topic says. `lost`: by number, what it has and the log has not."""

    generation: int = 0
    lost: dict[Number, Heard] = {}
    read: int = 0

    @property
    def first(self) -> int | None:
        return min((number.position for number in self.lost), default=None)


async def unsaid(app: App) -> dict[str, Any] | None:
    """What a `restored` found that was cut short after its generation had begun. Typed again it must not look once more: by the new
    generation nothing is lost. None where a restore has come since."""
    row = await (await app.database.pool()).fetchval("select finding from restores order by n desc limit 1")
    found: dict[str, Any] = msgspec.json.decode(row) if row is not None else {"said": True}
    return None if found.pop("said", True) else found


async def has_been_said(app: App) -> None:
    """The list of what was lost is kept, for whoever lost the answer: `select finding from restores`."""
    pool = await app.database.pool()
    await pool.execute(
        "update restores set finding = jsonb_set(finding::jsonb, '{said}', 'true')::json where n = (select max(n) from restores)")


async def begin_anew(app: App, heard: int = 0, most: int = MOST) -> dict[str, Any]:
    """`heard`: the latest generation that a listener remembers, for a topic that was wiped as well.

    Raises what the database or Kafka say while they are away; nothing has changed then.
    """
    pool = await app.database.pool()
    state = await pool.fetchrow(
        "select (select generation from log_state) as generation, (select coalesce(max(position), 0) from events) as last,"
        " (select position from checkpoints where name = 'relay') as told")
    assert state is not None
    found = await beyond(app, state["generation"], state["told"] or 0) if app.relay is not None else Found()
    generation = max(state["generation"], found.generation, await latest_group(app), heard) + 1
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(726001)")
        await connection.execute("set local statement_timeout = 0")
        last = int(await connection.fetchval("select coalesce(max(position), 0) from events"))
        settled = await _settle(connection, app, last)
        # what was said since stands at numbers that the topics have given to what was lost
        kept = min(state["told"] or 0, state["last"], *([found.first - 1] if found.first is not None else []))
        await connection.execute("update log_state set generation = $1", generation)
        await connection.execute(
            "update events set generation = $1 where source is null and position > $2", generation, kept, timeout=LONGEST)
        await connection.execute("update checkpoints set position = $1 where name = 'relay'", kept)
        answer = {
            "service": app.service.name, "generation": generation, "position": last, "partitions": PARTITIONS,
            "beyond": [f"{number} {h.type} {h.event_id}" for number, h in _in_order(found, most)],
            "lost": len(found.lost), "lost_from": found.first, "by_type": _by_type(found), "settled": settled}
        await _remember(connection, answer)
    return answer


def _in_order(found: Found, most: int) -> Iterator[tuple[Number, Heard]]:
    yield from sorted(found.lost.items())[:most]


def _by_type(found: Found) -> dict[str, int]:
    types = [h.type for h in found.lost.values()]
    return {name: types.count(name) for name in sorted(set(types))}


async def _remember(connection: Any, answer: dict[str, Any]) -> None:
    """In the row of the restore; a restore by other means gets one here. Said it is only when all that follows is done."""
    finding = msgspec.json.encode(answer | {"said": False}).decode()
    done = await connection.execute("update restores set finding = $1 where finding is null", finding)
    if done == "UPDATE 0":
        await connection.execute("insert into restores (backup, finding) values ('{}', $1)", finding)


async def _settle(connection: Any, app: App, last: int) -> dict[str, int]:
    """Whoever stands beyond the end is set back: views and what is due are folded anew, everybody else goes on from the end."""
    ahead = {row["name"] for row in await connection.fetch("select name from checkpoints where position > $1 for update", last)}
    views = [view.name for view in app.service.views if view.name in ahead]
    timers = [timer.name for timer in app.service.timers(app) if timer.name in ahead]
    for name in views:
        await connection.execute(f"truncate {name}")
        await connection.execute("delete from damaged where view = $1", name)
    await connection.execute("delete from timers where name = any($1)", timers)
    await connection.execute("update checkpoints set position = 0 where name = any($1)", [*views, *timers])
    await connection.execute("update checkpoints set position = $1 where position > $1", last)
    sources = app.hearing.sources if app.hearing is not None else {}
    counts = await connection.fetchval("select settle_at_the_end($1, $2, $3)", last, [*sources.keys()], [*sources.values()])
    return {"views": len(views), "timers": len(timers), "readers": len(ahead - {*views, *timers}), **msgspec.json.decode(counts)}


async def latest_group(app: App) -> int:
    """The latest generation that has heard, by its consumer group: the same backup restored twice must not go on where the first did."""
    if app.hearing is None:
        return 0
    begins = f"{app.settings.topic_prefix}.{app.settings.service}.g"
    admin = AIOKafkaAdminClient(**broker(app))
    await admin.start()
    try:
        groups = [str(group[0]) for group in await admin.list_consumer_groups()]
    finally:
        await admin.close()
    numbers = (group.removeprefix(begins) for group in groups if group.startswith(begins))
    return max((int(number) for number in numbers if number.isdigit()), default=0)


async def beyond(app: App, generation: int, told: int) -> Found:
    """Reads each partition from the first record that may be lost to its present end. What was told under earlier generations than the
    log's own was named by the `restored` that ended them."""
    assert app.relay is not None
    found = Found()
    consumer = AIOKafkaConsumer(**broker(app), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(app.relay.topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await _seek(consumer, partitions, await _since(app, told))
        while left := [tp for tp in ends if await consumer.position(tp) < ends[tp]]:
            fetched = await asyncio.wait_for(consumer.getmany(*left, timeout_ms=1000), PATIENCE)
            await _judge(app, found, generation, [record for records in fetched.values() for record in records])
    finally:
        await consumer.stop()
    return found


async def _since(app: App, told: int) -> datetime | None:
    """When the last event was recorded that both have for certain; None: look at everything."""
    row = await app.log.read(told - 1, 1) if told else []
    return row[0].recorded_at - SLACK if row and row[0].position == told else None


async def _seek(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], since: datetime | None) -> dict[TopicPartition, int]:
    """To the first record sent at that moment or later, or the last one; returns where each partition ends that has any."""
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    moments = {tp: int(since.timestamp() * 1000) for tp in partitions} if since is not None else {}
    offsets = await consumer.offsets_for_times(moments) if moments else {}
    for tp in partitions:
        later = offsets.get(tp)
        first = later.offset if later is not None else (ends[tp] - 1 if moments else begins[tp])
        consumer.seek(tp, max(begins[tp], first))
    return {tp: end for tp, end in ends.items() if end > begins[tp]}


async def _judge(app: App, found: Found, generation: int, records: list[Any]) -> None:
    """Lost is what the log does not have at that position, and under that id."""
    heard: list[Heard] = []
    for record in records:
        found.read += 1
        try:
            heard.append(read(record.headers, record.value))
        except Unreadable:  # listeners have kept it aside
            continue
    pool = await app.database.pool()
    rows: list[asyncpg.Record] = await pool.fetch(
        "select position, event_id from events where position = any($1) and source is null", [h.number.position for h in heard])
    ids = {row["position"]: row["event_id"] for row in rows}
    for h in heard:
        found.generation = max(found.generation, h.number.generation)
        here = h.number.position in ids and public_id(ids[h.number.position], h.number.n) == h.event_id
        if not here and h.number.generation >= generation:
            found.lost[h.number] = h


def broker(app: App) -> dict[str, Any]:
    return app.settings.broker
