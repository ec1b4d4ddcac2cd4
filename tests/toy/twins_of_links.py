"""More broken twins, of what goes wrong between processes and servers; and what makes a fault quick or possible without being one."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4, uuid5

import asyncpg
from aiokafka.producer.message_accumulator import MessageAccumulator
from msgspec.structs import replace

from libs.eventkit import commands, db, hear, log, recorded, relay, settings
from libs.eventkit.db import Unavailable
from libs.eventkit.recorded import COLUMNS, Recorded
from tests.kit import until

TOLD = "select position from checkpoints where name = 'relay'"


def beside_the_device(name: str) -> Path:
    """A file by which the test's process tells this one something."""
    return Path(f"{os.environ['TOY_DEVICE']}.{name}")


# no twins: they make the moment


def impatient_producer() -> None:
    """Waits half a second, not ten, for an acknowledgement."""
    real = relay.AIOKafkaProducer
    relay.AIOKafkaProducer = lambda **more: real(**{**more, "request_timeout_ms": 500})


class _Leaderless:
    def leader_for_partition(self, partition: object) -> None:
        return None


def no_leader() -> None:
    """While the test says so, no broker leads any partition that a producer has something for."""
    real, file = MessageAccumulator.drain_by_nodes, beside_the_device("leaderless")

    def drain(self: MessageAccumulator, *what: Any, **more: Any) -> Any:
        cluster = self._cluster
        self._cluster = _Leaderless() if file.exists() else cluster
        try:
            return real(self, *what, **more)
        finally:
            self._cluster = cluster

    MessageAccumulator.drain_by_nodes = drain


def clock_that_jumps() -> None:
    """By as many seconds as the test says, for everything here that asks for the time."""
    import sys
    import time

    file, nanoseconds = beside_the_device("clock"), time.time_ns

    def ahead() -> float:
        return float(file.read_text() or 0) if file.exists() else 0.0

    class Alike(type):
        def __instancecheck__(cls, what: object) -> bool:
            return isinstance(what, datetime)

    class Jumping(datetime, metaclass=Alike):
        fromisoformat, fromtimestamp = datetime.fromisoformat, datetime.fromtimestamp  # type: ignore[assignment]

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=ahead())

    for name, module in list(sys.modules.items()):
        if name.startswith(("libs.", "tests.toy.main")) and getattr(module, "datetime", None) is datetime:
            module.datetime = Jumping  # type: ignore[attr-defined]
    recorded.time.time_ns = lambda: nanoseconds() + int(ahead() * 1e9)  # type: ignore[attr-defined]


# twins


def publishes_inside_the_request() -> None:
    handle = commands.Commands.handle

    async def told(self: commands.Commands, *what: Any, **more: Any) -> commands.Done:
        done = await handle(self, *what, **more)
        pool = await self.log.database.pool()

        async def published() -> bool:
            return (await pool.fetchval(TOLD) or done.outcome.position) >= done.outcome.position

        try:
            await until(published, 2)
        except AssertionError:
            raise Unavailable("nobody takes it") from None
        return done

    commands.Commands.handle = told  # type: ignore[method-assign]


def last_id_only() -> None:
    """Knows a doubled record by the one before it. (What the database would refuse by its id comes under another one.)"""
    take, columns = hear.Hearing._take, hear._columns
    last, seen = dict[Any, Any](), Counter[Any]()

    async def remembering(self: hear.Hearing, records: Any) -> None:
        pool = await self.database.pool()
        for record in records:
            h = hear.read(record.headers, record.value)
            if last.get(h.community_id) != h.event_id:
                last[h.community_id] = h.event_id
                await pool.execute(
                    "update marks set generation = $3, position = $4, n = $5 where topic = $1 and community_id = $2",
                    record.topic, h.community_id, h.previous.generation, h.previous.position, h.previous.n)
                await take(self, [record])

    def salted(records: Any, sources: Any) -> Any:
        found = []
        for topic, h in records:
            seen[h.event_id] += 1
            found.append((topic, h if seen[h.event_id] == 1 else replace(h, event_id=uuid5(h.event_id, str(seen[h.event_id])))))
        return columns(found, sources)

    hear.Hearing._take, hear._columns = remembering, salted  # type: ignore[method-assign]


class _AsTimed(list[Recorded]):
    """Rows in the order of the clock; the last is still the one at the log's end."""

    def __getitem__(self, index: Any) -> Any:
        return max(self, key=lambda row: row.position) if index == -1 else super().__getitem__(index)


def ordered_by_the_clock() -> None:
    real = relay.Relay._send

    async def send(self: relay.Relay, producer: Any, rows: Sequence[Recorded], position: int) -> int:
        return await real(self, producer, _AsTimed(sorted(rows, key=lambda row: str(row.meta.requested_at))), position)

    relay.Relay._send = send  # type: ignore[method-assign]


def tail_gated_by_snapshot() -> None:
    """Reads no further than the oldest transaction that is still open, as one has to whose positions are not commit order."""
    gate = "xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

    async def read(self: log.Log, after: int, limit: int = 500, types: Any = None) -> list[Recorded]:
        rows = await (await self.database.pool()).fetch(
            f"select {COLUMNS} from events where position > $1 and {gate} order by position limit $2", after, limit)
        return [Recorded.of(row) for row in rows]

    log.Log.read = read  # type: ignore[method-assign]


def disk_full_is_nothing() -> None:
    """Says that it is stored, whatever the disk says."""
    real = log.Log._call

    async def call(self: log.Log, batch: Sequence[log.Append]) -> list[log.Appended]:
        try:
            return await real(self, batch)
        except asyncpg.DiskFullError:
            return [log.Appended("ok", 0, None, None)] * len(batch)

    log.Log._call = call  # type: ignore[method-assign]
    log.db = SimpleNamespace(**{**vars(db), "once_there": lambda call, patience: call()})


def random_member() -> None:
    """Another member of its group after each start."""
    real = settings.settings_for
    settings.settings_for = lambda service: real(service).model_copy(update={"member": uuid4().hex})


TWINS = {f.__name__: f for f in (
    impatient_producer, no_leader, clock_that_jumps, publishes_inside_the_request, last_id_only, ordered_by_the_clock,
    tail_gated_by_snapshot, random_member, disk_full_is_nothing)}
