"""What is known of a log's seals where whoever can write the database cannot: in a file, and in a topic."""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import Struct

from libs.eventkit.db import Database
from libs.eventkit.envelope import PARTITIONS
from libs.eventkit.settings import Settings

HOUR = 3600.0
"""Seconds between two lines that the file keeps."""
PATIENCE = 15.0


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


class Outside(Struct, frozen=True):
    """The two places: a directory outside the database, where there is one, and a topic of a broker."""

    directory: Path | None
    broker: dict[str, Any]
    topic: str

    @classmethod
    def of(cls, settings: Settings) -> "Outside":
        """LIFANG_SEALS names the directory, LIFANG_SEALS_USER who may use the topic, where that is not who the settings say.
        Raises what the secret of that user raises."""
        directory, user = os.environ.get("LIFANG_SEALS"), os.environ.get("LIFANG_SEALS_USER", settings.kafka_user)
        broker = settings.model_copy(update={"kafka_user": user}).broker
        return cls(Path(directory) if directory else None, broker, settings.topic("seals"))


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
    if always or not history.exists() or time.time() - history.stat().st_mtime > HOUR:
        _write(history, os.O_APPEND, line)
    _write(folder / "new", os.O_TRUNC, line)
    (folder / "new").replace(folder / "head")
    os.fsync(there := os.open(folder, os.O_RDONLY))
    os.close(there)


def _write(path: Path, how: int, line: bytes) -> None:
    os.write(file := os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o644), line)
    os.fsync(file)
    os.close(file)


async def told(outside: Outside, service: str) -> list[Head]:
    """The newest head that the topic has of it, if any, and if it is there. Raises KafkaError."""
    consumer = AIOKafkaConsumer(**outside.broker, enable_auto_commit=False, auto_offset_reset="earliest")
    partitions, found = [TopicPartition(outside.topic, p) for p in range(PARTITIONS)], list[Head]()
    try:
        await consumer.start()
        if outside.topic not in await consumer.topics():
            return []
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found = [msgspec.json.decode(r.value, type=Head) for r in records if r.value and r.key == service.encode()][-1:] or found
        return found
    finally:
        await consumer.stop()


async def tell(outside: Outside, producer: AIOKafkaProducer, head: Head) -> None:
    """Acknowledged when it returns. Raises KafkaError and TimeoutError."""
    await asyncio.wait_for(producer.send_and_wait(outside.topic, msgspec.json.encode(head), key=head.service.encode()), PATIENCE)
