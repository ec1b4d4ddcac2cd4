"""Row `plate_answer`: from a camera's plate to the answer that lifts its barrier, in the same response: devices, parking
and devices again."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import count
from time import perf_counter

from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from bench.whole import Bare, Push, Whole, steady, summed
from bench.wire import Line
from simulator.vzenith_bodies import Camera, Passage, push

ROUNDS = 3
SECONDS = 10
RATE = 2
"""Vehicles a second at each of the two lanes."""
STAY = 1.0
"""Seconds until a vehicle leaves again."""
GOAL_P50_MS, GOAL_P99_MS = 15, 60


class Gate:
    """A camera at a lane. It is told ok where parking decided so in time: its fallback is to stay closed."""

    def __init__(self, where: Push, name: str) -> None:
        self.line = Line(where.url, {**where.headers, "content-type": "application/json"})
        self.camera = Camera("192.0.2.20", name, f"bench-{name}")
        self._ids = count(1_000_000)

    async def sees(self, plate: str) -> bool:
        """Whether the barrier is lifted."""
        passage = Passage(plate_id=next(self._ids), license=plate, at=datetime.now().astimezone())
        answer = await self.line.ask("POST", push(passage, self.camera))
        return bool(json.loads(answer)["Response_AlarmInfoPlate"]["info"] == "ok")


class Traffic:
    """Every vehicle comes in and, a second later, out; nobody owes anything yet. `lifted`: of how many, by round."""

    def __init__(self, gates: dict[str, Gate]) -> None:
        self.gates, self.numbers = gates, count()
        self.lifted: list[tuple[int, int]] = []

    async def measure(self) -> Measured:
        plates = [f"粤B{next(self.numbers):05d}" for _ in range(RATE * SECONDS)]
        inside: set[str] = set()
        times: list[float] = []
        opened = 0

        async def passes(way: str, plate: str, due: float) -> None:
            nonlocal opened
            if await self.gates[way].sees(plate):
                opened += 1
                inside.add(plate)
            times.append(1000 * (perf_counter() - due))

        async def comes(n: int, due: float) -> None:
            await passes("in", plates[n], due)

        async def leaves(n: int, due: float) -> None:
            if plates[n] in inside:
                await passes("out", plates[n], due)

        async def later() -> None:
            await asyncio.sleep(STAY + 0.5 / RATE)
            await steady([self.gates["out"].line], RATE, len(plates), leaves)

        await asyncio.gather(steady([self.gates["in"].line], RATE, len(plates), comes), later())
        self.lifted.append((opened, len(times)))
        return summed(times)

    def share(self) -> float:
        """Without the round that is thrown away."""
        return sum(opened for opened, _ in self.lifted[1:]) / sum(asked for _, asked in self.lifted[1:])


async def measure(servers: Servers) -> Result:
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        gates = {way: Gate(where, way) for way, where in whole.gates.items()}
        for gate in gates.values():
            await gate.line.open()
            stack.push_async_callback(gate.line.close)
        bare = Bare(whole, 2, 2 * RATE, SECONDS)
        await bare.start(servers, stack)
        traffic = Traffic(gates)
        found = await side_by_side({"ours": traffic.measure, "bare": bare.measure}, ROUNDS)
    p50, p99 = found.value("ours"), found.p99("ours")
    return Result(
        row="plate_answer", unit="ms (p50)", ours=rounded(p50), p99=rounded(p99), decided=rounded(traffic.share()),
        limit=Part(Bare.OF, rounded(found.value("bare"))),
        peer=Part("none: the camera itself waits 400 ms, then keeps its barrier closed", None),
        goal=f"p50 ≤ {GOAL_P50_MS} ms, p99 ≤ {GOAL_P99_MS} ms", met=p50 <= GOAL_P50_MS and p99 <= GOAL_P99_MS,
        of_limit=rounded(found.ratio("ours", "bare")), of_peer=None, rounds=ROUNDS, spread=found.spread())
