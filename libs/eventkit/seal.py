"""Seals the log as it grows, and takes the newest seal to where whoever can write the database cannot: to a file, and to a topic."""
import asyncio
import logging
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct
from libs.eventkit.db import Database
from libs.eventkit.envelope import PARTITIONS
from libs.eventkit.failpoints import reach
from libs.eventkit.relay import discard
from libs.eventkit.settings import Settings
from libs.eventkit.subscriptions import POLL, holding
from libs.eventkit.tail import Wake, set_within

log = logging.getLogger(__name__)
PACE, HOUR = 0.5, 3600.0  # seconds between two seals, and between lines that the file keeps
TOPIC = {"cleanup.policy": "compact", "segment.ms": "600000", "segment.bytes": "8388608", "min.cleanable.dirty.ratio": "0.01"}

class Loss(Struct, frozen=True):
    """`restored` has said: what was sealed in earlier generations after seal `n` (of the rows up to `upto`) is lost."""
    generation: int
    n: int
    upto: int
class Head(Struct, frozen=True):
    """A seal as it is known outside; `root` (hex) stands for all rows up to `upto`."""
    service: str
    generation: int
    n: int
    upto: int
    root: str
    at: datetime
    losses: tuple[Loss, ...] = ()
class NotOurs(Exception):
    """What is known outside is not in this log: `lifang verify` says what happened; after a restore, `lifang restored` has to be said."""

async def head_of(database: Database, service: str, losses: Sequence[Loss] = ()) -> Head | None:
    row = await (await database.pool()).fetchrow("select s.*, l.generation from seals s, log_state l order by s.n desc limit 1")
    return Head(service, row["generation"], row["n"], row["upto"], row["root"].hex(), row["at"], tuple(losses)) if row else None
def kept(directory: Path | None, service: str) -> list[Head]:
    """What the files hold: a head an hour, then the newest. A line that a crash has cut is none."""
    files = [directory / service / name for name in ("history", "head")] if directory else []
    lines = [line for file in files if file.exists() for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    return [msgspec.json.decode(line, type=Head) for line in lines]
def keep(directory: Path, head: Head, always: bool = False) -> None:
    """On the disk when it returns: replaces the newest head, and adds a line to the others once an hour or `always`."""
    (folder := directory / head.service).mkdir(parents=True, exist_ok=True)
    history, line = folder / "history", b"\n" + msgspec.json.encode(head)
    old = always or not history.exists() or time.time() - history.stat().st_mtime > HOUR
    for path, how in ((history, os.O_APPEND),) * old + ((folder / "new", os.O_TRUNC),):
        os.write(file := os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o644), line)
        os.fsync(file)
        os.close(file)
    (folder / "new").replace(folder / "head")
    os.fsync(there := os.open(folder, os.O_RDONLY))
    os.close(there)
async def told(settings: Settings, service: str) -> list[Head]:
    """The newest head that the topic has of it, if any. Raises KafkaError."""
    consumer = AIOKafkaConsumer(**settings.broker, enable_auto_commit=False, auto_offset_reset="earliest")
    partitions, found = [TopicPartition(settings.topic("seals"), p) for p in range(PARTITIONS)], list[Head]()
    try:
        await consumer.start()
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found = [msgspec.json.decode(r.value, type=Head) for r in records if r.value and r.key == service.encode()][-1:] or found
        return found
    finally:
        await consumer.stop()
async def tell(settings: Settings, producer: AIOKafkaProducer, head: Head) -> None:
    await asyncio.wait_for(producer.send_and_wait(settings.topic("seals"), msgspec.json.encode(head), key=head.service.encode()), 15)

class Sealing:
    """Three works under one lease: neither a slow disk nor a broker that is away holds up the sealing itself."""
    def __init__(self, settings: Settings, database: Database, wake: Wake) -> None:
        self.settings, self.database, self.wake, self._sealed = settings, database, wake, Wake()
    async def run(self) -> None:
        """Seals for ever. Raises NotOurs, and on any error of the database or the file."""
        async def work() -> None:  # first of all: what is sealed after a restore would stand beside what was lost
            await self._ours(kept(self.settings.seals, self.settings.service))
            await self._seal()
        await holding(self.database, "seal", work, *((self._file,) if self.settings.seals else ()), self._topic)

    async def _seal(self) -> None:
        pool = await self.database.pool()
        while True:
            grown = self.wake.next
            if await pool.fetch("select n from seal_log()"):
                reach("seal.made")
                self._sealed()
                await asyncio.sleep(PACE)
            else:
                await set_within(grown, POLL)

    async def _ours(self, heads: Sequence[Head]) -> Head | None:
        """The newest of them. Raises NotOurs where it says of a seal what this log does not: it must not be written over."""
        query, last = "select encode(root, 'hex') from seals where n = $1", heads[-1] if heads else None
        if last and last.n and await (await self.database.pool()).fetchval(query, last.n) != last.root:
            raise NotOurs(f"seal {last.n} of {last.service}, known outside, is not in this log: lifang verify")
        return last
    async def _next(self, last: Head | None) -> Head:
        while True:
            made = self._sealed.next
            head = await head_of(self.database, self.settings.service, last.losses if last else ())
            if head is not None and (last is None or head.n > last.n):
                return head
            await set_within(made, POLL)
    async def _file(self) -> None:
        directory = self.settings.seals
        assert directory is not None
        last = await self._ours(kept(directory, self.settings.service))
        while True:
            await asyncio.to_thread(keep, directory, last := await self._next(last))
            reach("seal.kept")

    async def _topic(self) -> None:
        while True:
            producer = AIOKafkaProducer(**self.settings.broker, acks="all", enable_idempotence=True,
                                        client_id=f"{self.settings.service}-seal")
            try:
                last = await self._ours(await told(self.settings, self.settings.service))
                await producer.start()
                while True:
                    await tell(self.settings, producer, last := await self._next(last))
            except (KafkaError, OSError) as error:  # TimeoutError is one
                log.warning("the head of the seals is not in its topic: %s", type(error).__name__)
            finally:
                await discard(producer)
            await asyncio.sleep(POLL)
