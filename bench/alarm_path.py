"""Row `alarm_government`: from a panel's frame (SIA DC-09) to the record on the government's topic, through devices, alarm
and the gateway; row `alarm_webhook`: to an authority's webhook instead; and row `alarm_storm`: a thousand alarms of a
thousand sources within a second, while somebody reads slowly."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from time import perf_counter
from uuid import uuid4

import httpx
import psutil
from aiokafka import AIOKafkaConsumer

from bench.hop import ended
from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from bench.whole import Bare, Panel, Whole, summed
from bench.wire import feed
from simulator.dc09_frames import frame

ROUNDS = 3
SECONDS, RATE = 6, 10
PASSES, OF_A_PASS = count(), 1000
"""Rows of one run that say one alarm after another, and the zones that each has for itself."""
GOAL_P50_MS, GOAL_P99_MS = 20, 80
STORM, LINES = 1000, 10
GOAL_STORM_S, GOAL_GROWTH_MIB = 10, 100
TOPIC = "gov.incidents.v1"
SLOW = 0.2
"""Seconds that the slow listener takes for each chunk."""


class Signals:
    """Fire alarms of one panel, each of a zone that has not been heard of: an incident of its own."""

    def __init__(self, panel: Panel, before: int = 0) -> None:
        """`before`: so many zones have been heard of."""
        self.panel, self.numbers, self.sequence = panel, count(before + 1), count(1)

    async def open(self) -> None:
        host, _, port = self.panel.listen.rpartition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    async def close(self) -> None:
        self.writer.close()

    def next(self, first: int = 0) -> tuple[str, bytes]:
        """The place in words, and the frame."""
        number = first + next(self.numbers)
        partition, zone = divmod(number, 999)
        data = f"1110 {partition % 99 + 1:02d} {zone + 1:03d}"
        said = frame("ADM-CID", next(self.sequence) % 9999 + 1, self.panel.account, data, datetime.now(UTC))
        return f"{partition % 99 + 1}/{zone + 1}", said

    async def say(self, frames: bytes, number: int = 1) -> int:
        """How many were acknowledged."""
        self.writer.write(frames)
        await self.writer.drain()
        acknowledged = 0
        for _ in range(number):
            acknowledged += b'"ACK"' in await asyncio.wait_for(self.reader.readuntil(b"\r"), 30)
        return acknowledged


class Opened:
    """What the authorities receive: when each incident was opened there."""

    def __init__(self) -> None:
        self.opened: dict[str, float] = {}
        self.more = asyncio.Event()

    def seen(self, incident_id: str, at: float) -> None:
        self.opened.setdefault(incident_id, at)
        self.more.set()

    async def until(self, number: int) -> None:
        """Until so many incidents have been opened, ever. Raises TimeoutError."""
        while len(self.opened) < number:
            self.more.clear()
            await asyncio.wait_for(self.more.wait(), 60)


class Topic(Opened):
    """By the subscription to the topic."""

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            record = await consumer.getone()
            if dict(record.headers).get("ce_type") == b"gov.incident_opened":
                self.seen(json.loads(record.value)["incident_id"], perf_counter())


class Hooked(Opened):
    """By webhook: answers 204 at once, and keeps the connection."""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while request := await reader.readline():
                if not request.startswith(b"POST "):
                    raise RuntimeError(f"a webhook is no POST: {request!r}")
                length = 0
                while line := (await reader.readline()).strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                body, at = await reader.readexactly(length), perf_counter()
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                self.note(body, at)
        writer.close()

    def note(self, body: bytes, at: float) -> None:
        event = json.loads(body)
        if event["type"] == "gov.incident_opened":
            self.seen(event["data"]["incident_id"], at)


async def hooked(servers: Servers, stack: AsyncExitStack) -> Hooked:
    """A webhook of the police to a port of ours; it begins behind what was said before."""
    whole, hook = Whole.read(servers), Hooked()
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    stack.callback(server.close)
    port = server.sockets[0].getsockname()[1]
    client = await stack.enter_async_context(httpx.AsyncClient(headers={"authorization": f"Bearer {whole.police}"}))
    place = f"{whole.urls['gateway']}/v1/government/webhooks"
    answer = await client.post(place, json={"url": f"http://127.0.0.1:{port}/"}, headers={"idempotency-key": str(uuid4())})
    answer.raise_for_status()
    stack.push_async_callback(client.delete, f"{place}/{answer.json()['id']}", headers={"idempotency-key": str(uuid4())})
    return hook


async def subscribed(servers: Servers, stack: AsyncExitStack) -> Topic:
    topic = Topic()
    consumer = AIOKafkaConsumer(TOPIC, **servers.broker, auto_offset_reset="latest")
    await consumer.start()
    stack.push_async_callback(consumer.stop)
    await consumer.seek_to_end()
    stack.push_async_callback(ended, asyncio.create_task(topic.run(consumer)))
    return topic


async def measure_path(servers: Servers, row: str, receiving: Callable[[Servers, AsyncExitStack], Awaitable[Opened]]) -> Result:
    """One alarm after another: each begins when the one before has arrived, and at most RATE a second."""
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        there, signals = await receiving(servers, stack), Signals(whole.panel, next(PASSES) * OF_A_PASS)
        await signals.open()
        stack.push_async_callback(signals.close)
        bare = Bare(whole, 1, RATE, SECONDS)
        await bare.start(servers, stack)

        async def alarms() -> Measured:
            times = []
            for _ in range(RATE * SECONDS):
                before, begun = len(there.opened), perf_counter()
                if await signals.say(signals.next()[1]) != 1:
                    raise RuntimeError("the panel was not answered ACK")
                await there.until(before + 1)
                times.append(1000 * (max(there.opened.values()) - begun))
                await asyncio.sleep(max(0.0, begun + 1 / RATE - perf_counter()))
            return summed(times)

        found = await side_by_side({"ours": alarms, "bare": bare.measure}, ROUNDS)
    p50, p99 = found.value("ours"), found.p99("ours")
    return Result(
        row=row, unit="ms (p50)", ours=rounded(p50), p99=rounded(p99), limit=Part(Bare.OF, rounded(found.value("bare"))),
        peer=Part("none: 2 s is the field's rule of thumb", None), goal=f"p50 ≤ {GOAL_P50_MS} ms, p99 ≤ {GOAL_P99_MS} ms",
        met=p50 <= GOAL_P50_MS and p99 <= GOAL_P99_MS, of_limit=rounded(found.ratio("ours", "bare")), of_peer=None, rounds=ROUNDS,
        spread=found.spread())


measure_government = partial(measure_path, row="alarm_government", receiving=subscribed)
measure_webhook = partial(measure_path, row="alarm_webhook", receiving=hooked)


class Sleepy:
    """Somebody at the live feed who takes their time for every chunk."""

    def __init__(self, whole: Whole) -> None:
        self.whole, self.is_open = whole, asyncio.Event()

    async def run(self) -> None:
        async with aclosing(feed(f"{self.whole.urls['gateway']}/v1/live?types=alarm.*", self.whole.staff)) as events:
            async for _ in events:
                self.is_open.set()
                await asyncio.sleep(SLOW)


async def measure_storm(servers: Servers) -> Result:
    """Seconds from the first frame to the last incident on the topic. Raises RuntimeError where one is lost or doubled."""
    whole = Whole.read(servers)
    processes = [psutil.Process(whole.pids[name]) for name in ("devices", "alarm", "gateway")]
    grown: list[float] = []
    async with AsyncExitStack() as stack:
        topic, lines = await subscribed(servers, stack), [Signals(whole.panel) for _ in range(LINES)]
        for line in lines:
            await line.open()
            stack.push_async_callback(line.close)
        sleepy = Sleepy(whole)
        stack.push_async_callback(ended, asyncio.create_task(sleepy.run()))
        await asyncio.wait_for(sleepy.is_open.wait(), 10)
        storms = count(1)

        async def storm() -> Measured:
            first, before = 20_000 + STORM * next(storms), len(topic.opened)
            resident = sum(process.memory_info().rss for process in processes)
            frames = [line.next(first + n * (STORM // LINES)) for n, line in enumerate(lines) for _ in range(STORM // LINES)]
            of_line = [b"".join(said for _, said in frames[n * (STORM // LINES):(n + 1) * (STORM // LINES)]) for n in range(LINES)]
            if len({place for place, _ in frames}) != STORM:
                raise RuntimeError("two frames of one source")
            begun = perf_counter()
            said = sum(await asyncio.gather(*(line.say(f, STORM // LINES) for line, f in zip(lines, of_line, strict=True))))
            await topic.until(before + said)
            took = perf_counter() - begun
            await asyncio.sleep(1.0)  # a doubled one would come by now
            if said != STORM or len(topic.opened) != before + STORM:
                raise RuntimeError(f"{STORM} alarms, {said} acknowledged, {len(topic.opened) - before} incidents")
            grown.append((sum(process.memory_info().rss for process in processes) - resident) / 2**20)
            return Measured(took)

        found = await side_by_side({"ours": storm}, ROUNDS)
    seconds, growth = found.value("ours"), max(grown[1:])
    return Result(
        row="alarm_storm", unit=f"s until {STORM} alarms of {STORM} sources are incidents at the authorities", ours=rounded(seconds),
        limit=Part(f"memory of devices, alarm and gateway together grew by so many MiB at most (goal {GOAL_GROWTH_MIB})", rounded(growth)),
        peer=Part("none", None), goal=f"none lost, none doubled, ≤ {GOAL_STORM_S} s",
        met=seconds <= GOAL_STORM_S and growth <= GOAL_GROWTH_MIB, of_limit=0.0, of_peer=None, rounds=ROUNDS, spread=found.spread())
