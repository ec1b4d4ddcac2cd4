"""Row `door_event`: from a terminal's report of a card to the event in a browser's live feed, through devices, access
and the gateway."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from statistics import median
from time import perf_counter
from uuid import uuid4

import httpx
import msgspec
from msgspec import Struct

from bench.hop import ended
from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from bench.whole import Arrivals, Bare, Push, Whole, steady, summed
from bench.wire import Line, feed
from simulator.hikvision_bodies import AccessEvent, Origin, body

ROUNDS = 3
SECONDS = 3
TERMINALS = 20
RATE, QUIET = 300, 20
GOAL_P50_MS, GOAL_P99_MS = 10, 40
VALID_CARD = (5, 1)
TYPES = "access.door_passed,access.credential_judged"


class Seen(Struct):
    correlation: str = msgspec.field(name="lifangcorrelation", default="")


_decode = msgspec.json.Decoder(Seen).decode


class Terminal:
    """A door terminal that tells of one card after another, numbered as the real ones number them."""

    def __init__(self, push: Push, n: int, card: str) -> None:
        self.line = Line(push.url, {**push.headers, "content-type": "application/json"})
        self.origin = Origin("192.0.2.10", 80, f"00:00:5e:00:53:{n:02x}", f"Bench {n}")
        self.card, self.serial = card, 0

    async def tell(self, label: str) -> None:
        self.serial += 1
        said = AccessEvent(
            major=VALID_CARD[0], minor=VALID_CARD[1], serial=self.serial, at=datetime.now().astimezone(), door_no=1,
            card_number=self.card)
        await self.line.ask("POST", body(said, self.origin, "json")[0], x_request_id=label)


async def install(whole: Whole) -> list[Terminal]:
    """Terminals with a door each, made through the interfaces that staff use."""
    found = []
    async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
        for n in range(TERMINALS):
            new = {"kind": "hikvision-terminal", "name": f"Bench {n}", "serial": f"B{uuid4().hex[:12]}"}
            made = await whole.post(client, "devices", "/v1/devices", new)
            path = f"/v1/devices/{made['id']}/enrolments"
            enrolled = await whole.post(client, "devices", path, {"code": made["enrolment_code"]})
            door = {"name": f"Bench {n}", "zone": "community", "device_id": made["id"], "door_no": 1}
            await whole.post(client, "access", "/v1/doors", door)
            basic = httpx.BasicAuth(made["id"], enrolled["credential"])._auth_header
            url = f"{whole.urls['devices']}/v1/device-reports/hikvision/{made['id']}"
            found.append(Terminal(Push(url, {"authorization": basic}), n, whole.card))
    return found


class Follower:
    """A browser of the community's staff."""

    def __init__(self, whole: Whole) -> None:
        self.arrivals, self.is_open, self.whole = Arrivals(), asyncio.Event(), whole

    async def run(self) -> None:
        async with aclosing(feed(f"{self.whole.urls['gateway']}/v1/live?types={TYPES}", self.whole.staff)) as events:
            async for data in events:
                now = perf_counter()
                if data:
                    self.arrivals.seen(_decode(data).correlation, now)
                self.is_open.set()
        raise ConnectionError("the live feed has ended")


async def measure(servers: Servers) -> Result:
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        terminals, follower = await install(whole), Follower(whole)
        lines = [terminal.line for terminal in terminals]
        for line in lines:
            await line.open()
            stack.push_async_callback(line.close)
        stack.push_async_callback(ended, asyncio.create_task(follower.run()))
        await asyncio.wait_for(follower.is_open.wait(), 10)
        bare = Bare(whole, TERMINALS, RATE, SECONDS)
        await bare.start(servers, stack)

        async def call(n: int, due: float) -> None:
            label = uuid4().hex
            follower.arrivals.due[label] = due
            await terminals[n % TERMINALS].tell(label)

        through: list[float] = []

        async def at(rate: int) -> Measured:
            begun = perf_counter()
            await steady(lines, rate, rate * SECONDS, call)
            times = await follower.arrivals.all()
            if rate == RATE:
                through.append(len(times) / (perf_counter() - begun))
            return summed(times)

        found = await side_by_side({"ours": lambda: at(RATE), "quiet": lambda: at(QUIET), "bare": bare.measure}, ROUNDS)
    p50, p99 = found.value("ours"), found.p99("ours")
    return Result(
        row="door_event", unit=f"ms (p50 at {RATE}/s)", ours=rounded(p50), p99=rounded(p99), through=rounded(median(through[1:])),
        limit=Part(Bare.OF, rounded(found.value("bare"))),
        peer=Part("none: no other way from a device to a browser is built here", None),
        goal=f"p50 ≤ {GOAL_P50_MS} ms, p99 ≤ {GOAL_P99_MS} ms at {RATE}/s", met=p50 <= GOAL_P50_MS and p99 <= GOAL_P99_MS,
        of_limit=rounded(found.ratio("ours", "bare")), of_peer=None, rounds=ROUNDS, spread=found.spread())
