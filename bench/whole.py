"""What the rows of the whole system share: where it is, a steady load, and the same way with nothing on it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import httpx
import msgspec
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from msgspec import Struct

from bench.hop import ended, forget
from bench.measure import Measured, Side, percentile
from bench.servers import Servers
from bench.wire import Line
from cli import tokens
from cli.migrating.topics import ensure_topics
from cli.place import Place
from libs.eventkit.privacy import unbase64url

PATIENCE = 120.0
"""Seconds after the last call until everything must have arrived."""
TEXT = "x" * 400
SERVERS = ("postgres", "kafka")
ROLES = {"token": "staff", "resident": "resident", "device": "device", "police": "police"}


class Push(Struct, frozen=True):
    """Where a device posts, and with what headers."""

    url: str
    headers: dict[str, str]


class Panel(Struct, frozen=True):
    """An alarm panel: where it connects, and as whom."""

    listen: str
    account: str


class Whole(Struct, frozen=True):
    """The demo community on services of their own. `token`: a staff member's. `resident`, `device`, `police`: tokens too.
    `gates`: the cameras by direction. `card`: a resident's. `door`: one that it opens. `panel`: one that speaks plainly.
    `pids`: of services and servers. `databases`: the owners' addresses."""

    urls: dict[str, str]
    databases: dict[str, str]
    token: str
    resident: str
    device: str
    police: str
    door: str
    gates: dict[str, Push]
    card: str
    panel: Panel
    pids: dict[str, int]

    @classmethod
    def read(cls, servers: Servers) -> "Whole":
        """With tokens that are new: one lasts for ten minutes, and a run for longer."""
        written, place = Path(servers.whole), Place(Path(servers.whole).parents[1])
        issued = {name: tokens.token(place, role) for name, role in ROLES.items()}
        return msgspec.convert({**msgspec.json.decode(written.read_bytes()), **issued}, cls)

    async def alone(self, service: str, side: Side) -> Measured:
        """While the other services and the simulator are stopped (SIGSTOP; for less than the half minute after which a process whose loop
        stands still ends itself); PostgreSQL and Kafka are its company. Before and afterwards nobody is behind."""
        others = [pid for name, pid in self.pids.items() if pid and name not in (service, "supervisor", *SERVERS)]
        await self.settled()
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            return await side()
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
            await self.settled()

    async def settled(self) -> None:
        """Nobody is behind: for a second all of them have taken less than a third of a core. Raises RuntimeError after two minutes."""
        until, before = perf_counter() + PATIENCE, inf
        while (now := self._seconds()) - before > 0.3 or before == inf:
            if perf_counter() > until:
                raise RuntimeError("the services do not come to rest")
            before = now
            await asyncio.sleep(1)

    def _seconds(self) -> float:
        """Of the processor, ever, by the services."""
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in self.pids.items() if pid and name not in SERVERS)

    @property
    def community(self) -> str:
        """The one that the resident's token names."""
        claims = msgspec.json.decode(unbase64url(self.resident.split(".")[1]))
        return str(claims["cid"][0])

    @property
    def staff(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    async def post(self, client: httpx.AsyncClient, service: str, path: str, body: Mapping[str, object]) -> dict[str, str]:
        headers = {**self.staff, "idempotency-key": str(uuid4())}
        answer = await client.post(self.urls[service] + path, json=body, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())


class Arrivals:
    """Milliseconds from when something was due to when it was first seen."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.times: list[float] = []

    def seen(self, label: str, at: float) -> None:
        if (due := self.due.pop(label, None)) is not None:
            self.times.append(1000 * (at - due))

    async def all(self) -> list[float]:
        """What has been measured since the last time. Raises RuntimeError for what does not come."""
        until = perf_counter() + PATIENCE
        while self.due and perf_counter() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if self.due:
            raise RuntimeError(f"{len(self.due)} of {len(self.due) + len(self.times)} have not arrived")
        times, self.times = self.times, []
        return times


async def steady(
    lines: Sequence[Line], rate: float, number: int, call: Callable[[int, float], Awaitable[object]],
) -> None:
    """So many calls a second, each line in its turn; `call` has its number and when it was due. A line asks one thing
    after another: what it had to wait for itself counts, since times are taken from when they were due."""
    await asyncio.gather(*(line.reopen() for line in lines))
    begun = perf_counter() + 0.05

    async def along(first: int) -> None:
        for n in range(first, number, len(lines)):
            due = begun + n / rate
            await asyncio.sleep(due - perf_counter())
            await call(n, due)

    await asyncio.gather(*(along(first) for first in range(len(lines))))


class Bare:
    """The limit: a request that does nothing in the process that takes reports, then two deliveries by Kafka, one after
    the other; no database, no event."""

    OF = "GET /livez at devices, then twice send_and_wait → getone by bare aiokafka, at the same rate; no database"

    def __init__(self, whole: Whole, callers: int, rate: float, seconds: float) -> None:
        self.rate, self.number = rate, int(rate * seconds)
        self.lines = [Line(f"{whole.urls['devices']}/livez", {}) for _ in range(callers)]
        self.arrivals = Arrivals()

    async def start(self, servers: Servers, stack: AsyncExitStack) -> None:
        settings = servers.settings("bench")
        names = ("bench_there", "bench_back")
        there, back = map(settings.topic, names)
        await forget(servers.broker, [there, back])
        await ensure_topics(settings, names)
        self.topic = there
        self.producer = AIOKafkaProducer(**servers.broker, acks="all", enable_idempotence=True)
        await self.producer.start()
        stack.push_async_callback(self.producer.stop)
        for topic, act in ((there, self.pass_on(back)), (back, self.note)):
            consumer = AIOKafkaConsumer(topic, **servers.broker, group_id=topic, auto_offset_reset="earliest")
            await consumer.start()
            stack.push_async_callback(consumer.stop)
            stack.push_async_callback(ended, asyncio.create_task(hear(consumer, act)))
        for line in self.lines:
            await line.open()
            stack.push_async_callback(line.close)

    def pass_on(self, topic: str) -> Callable[[bytes], Awaitable[object]]:
        return lambda body: self.producer.send_and_wait(topic, body)

    async def note(self, body: bytes) -> None:
        self.arrivals.seen(body.decode().partition(" ")[0], perf_counter())

    async def call(self, n: int, due: float) -> None:
        label = uuid4().hex
        self.arrivals.due[label] = due
        await self.lines[n % len(self.lines)].ask("GET")
        await self.producer.send_and_wait(self.topic, f"{label} {TEXT}".encode())

    async def measure(self) -> Measured:
        await steady(self.lines, self.rate, self.number, self.call)
        return summed(await self.arrivals.all())


async def hear(consumer: AIOKafkaConsumer, act: Callable[[bytes], Awaitable[object]]) -> None:
    while True:
        await act((await consumer.getone()).value)


def summed(times: list[float]) -> Measured:
    return Measured(percentile(times, 0.5), percentile(times, 0.5), percentile(times, 0.99))
