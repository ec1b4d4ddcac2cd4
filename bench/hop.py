"""Row `hop`: from one service's append to another service's reader, through log, relay, Kafka, hearing, log and NOTIFY.

The sides run at the same rate and end in the same other process (bench.hearer), which looks at the clock.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from time import monotonic_ns
from typing import Any
from uuid import UUID, uuid4

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct

from bench.measure import LONGEST_LINE, Measured, Part, Result, percentile, rounded, side_by_side
from bench.servers import Servers
from cli.migrating.topics import ensure_topics
from libs.eventkit.commands import Public
from libs.eventkit.db import Database
from libs.eventkit.log import Append, Log, NewEvent
from libs.eventkit.recorded import Catalogue, Meta, Recorded, uuid7
from libs.eventkit.relay import Relay
from libs.eventkit.tail import Wake

ROUNDS = 5
RATE = 300
SECONDS = 3
POLL = 0.05
GOAL_P50_MS = 2.0
COMMUNITIES = [UUID(int=n) for n in range(1, 41)]
TEXT = "x" * 320


class Told(Struct, frozen=True, tag="told"):
    label: str
    sent: int
    text: str


class PublicTold(Struct, frozen=True, tag="bench.told"):
    label: str
    sent: int
    text: str


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    return (Public(PublicTold(event.label, event.sent, event.text)),)


async def nothing(producer: AIOKafkaProducer, rows: Sequence[Recorded]) -> None:
    pass


class Hearer:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, servers: Servers, *sources: str) -> "Hearer":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.hearer", servers.postgres, servers.kafka, str(servers.secrets), *sources,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=LONGEST_LINE)
        return cls(process)

    async def times(self, label: str, number: int) -> list[float]:
        """Milliseconds of all that carried this label. Raises what the other process says when they did not come."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{label} {number}\n".encode())
        answer = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 30))
        if len(answer) != number:
            raise RuntimeError(f"{len(answer)} of {number} have arrived")
        return [float(time) for time in answer]

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()


async def paced(hearer: Hearer, send: Callable[[str], Coroutine[Any, Any, object]]) -> Measured:
    """RATE times a second, whether the last has arrived or not."""
    label, loop = uuid4().hex, asyncio.get_running_loop()
    begun, tasks = loop.time(), []
    for n in range(RATE * SECONDS):
        await asyncio.sleep(begun + n / RATE - loop.time())
        tasks.append(asyncio.create_task(send(label)))
    await asyncio.gather(*tasks)
    times = await hearer.times(label, len(tasks))
    return Measured(percentile(times, 0.5), percentile(times, 0.5), percentile(times, 0.99))


class Telling:
    """A service that tells. `wakes`: its appends wake its relay; otherwise the relay looks every 50 ms."""

    def __init__(self, servers: Servers, name: str, wakes: bool) -> None:
        self.servers, self.name, self.wakes = servers, name, wakes
        self._number = 0

    async def start(self, stack: AsyncExitStack) -> None:
        settings = await self.servers.database(self.name)
        database, wake = Database(settings), Wake()
        stack.push_async_callback(database.close)
        self.log = Log(database, wake) if self.wakes else Log(database)
        relay = Relay(settings, self.log, wake, Catalogue((Told,)), publish, nothing, self.name)
        for work in (relay.run(), *(() if self.wakes else (poll(wake),))):
            task = asyncio.create_task(work)
            stack.push_async_callback(ended, task)

    async def send(self, label: str) -> object:
        self._number += 1
        event = Told(label, monotonic_ns(), TEXT)
        return await self.log.append(Append(
            COMMUNITIES[self._number % len(COMMUNITIES)], f"told:{uuid4()}", 0,
            (NewEvent(uuid7(), "told", 1, msgspec.json.encode(event), Meta()),)))


async def poll(wake: Wake) -> None:
    while True:
        await asyncio.sleep(POLL)
        wake()


async def ended(task: "asyncio.Task[None]") -> None:
    if not task.cancel():
        await task
    await asyncio.wait([task])


async def measure(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        await servers.database("bench_hears")
        woken, polling = Telling(servers, "bench_tells", True), Telling(servers, "bench_polls", False)
        settings = servers.settings("bench_tells")
        await forget(settings.broker, [settings.topic(s) for s in ("bench_tells", "bench_polls", "bench_bare")])
        await ensure_topics(settings, ("bench_tells", "bench_polls", "bench_bare"))
        await woken.start(stack)
        await polling.start(stack)
        hearer = await Hearer.start(servers, "bench_tells", "bench_polls")
        stack.push_async_callback(hearer.stop)
        producer = AIOKafkaProducer(**servers.broker, acks="all", enable_idempotence=True)
        await producer.start()
        stack.push_async_callback(producer.stop)
        topic = settings.topic("bench_bare")

        async def bare(label: str) -> object:
            event = PublicTold(label, monotonic_ns(), TEXT)
            return await producer.send_and_wait(topic, msgspec.json.encode(event), key=str(uuid4()).encode())

        def side(send: Callable[[str], Coroutine[Any, Any, object]]) -> Callable[[], Awaitable[Measured]]:
            return lambda: paced(hearer, send)

        found = await side_by_side({"ours": side(woken.send), "bare": side(bare), "poll": side(polling.send)}, ROUNDS)
    return Result(
        row="hop", unit="ms (p50)", ours=rounded(found.value("ours")),
        limit=Part("bare aiokafka: send_and_wait, getone in the other process; no database", rounded(found.value("bare"))),
        peer=Part("the same hop, its relay polling every 50 ms", rounded(found.value("poll"))),
        goal=f"p50 ≤ {GOAL_P50_MS} ms at {RATE}/s", met=found.value("ours") <= GOAL_P50_MS,
        of_limit=rounded(found.ratio("ours", "bare")), of_peer=rounded(found.ratio("ours", "poll")), rounds=ROUNDS, spread=found.spread())


async def forget(broker: dict[str, str], topics: list[str]) -> None:
    """A topic of an earlier row's databases is not ours: the relay would refuse it."""
    admin = AIOKafkaAdminClient(**broker)
    await admin.start()
    try:
        known = set(await admin.list_topics()) & set(topics)
        if known:
            await admin.delete_topics(list(known))
    finally:
        await admin.close()
