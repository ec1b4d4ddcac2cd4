"""Row `growth` (only when asked for by name): does what is done every second take longer where there are five million events
than where there are fifty thousand? Both logs are filled alike, warm, and take turns."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from time import perf_counter
from uuid import UUID

import asyncpg

from bench.appending import DATA, STORED_META, append
from bench.measure import Measured, Part, Result, percentile, rounded, side_by_side
from bench.servers import Servers
from bench.viewing import TOTALS
from cli.migrating.database import migrate
from libs.eventkit.db import Database
from libs.eventkit.log import Log

SMALL, LARGE = 50_000, 5_000_000
ROUNDS, CALLS = 7, 400
COMMUNITIES = [UUID(int=n) for n in range(1, 101)]
GOAL = 1.2
FILL = (
    "insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)"
    " select n, 1, ($1::uuid[])[n % cardinality($1::uuid[]) + 1], 'account:' || (n / 10), n % 10 + 1, gen_random_uuid(), 'added', 1,"
    " $2::json, $3::json from generate_series($4::int, $5::int) n")
VIEW = (
    "insert into totals (community_id, account_id, total, position)"
    " select ($1::uuid[])[n % cardinality($1::uuid[]) + 1], gen_random_uuid(), 1, n from generate_series(1, $2::int) n")
Call = Callable[[], Awaitable[object]]


class Size:
    """A log of so many events and a view of a tenth as many rows."""

    def __init__(self, servers: Servers, events: int) -> None:
        self.servers, self.events, self.name = servers, events, f"bench_of_{events}"

    async def start(self, stack: AsyncExitStack) -> None:
        settings = await self.servers.database(self.name)
        await migrate(settings, (TOTALS,), {"totals": "beginning"})
        owner = await asyncpg.connect(settings.database_url)
        step = 500_000
        for first in range(1, self.events + 1, step):
            await owner.execute(
                FILL, COMMUNITIES, DATA.decode(), STORED_META, first, min(first + step - 1, self.events), timeout=600)
        self.database = Database(settings)
        stack.push_async_callback(self.database.close)
        await (await self.database.pool()).execute(VIEW, COMMUNITIES, self.events // 10, timeout=600)  # its owner may not
        await owner.execute("vacuum analyze events", timeout=600)
        await owner.execute("vacuum analyze totals", timeout=600)
        await owner.execute("checkpoint") if await _may_checkpoint(owner) else None
        await owner.close()
        self.log = Log(self.database)
        self.pool = await self.database.pool()
        self.ids = [row[0] for row in await self.pool.fetch("select account_id from totals order by position limit 1000")]
        self.asked = 0

    async def append(self) -> object:
        return await self.log.append(append())

    async def tail(self) -> object:
        return await self.log.read(await self.log.last() - 100, 100)

    async def stream(self) -> object:
        self.asked += 1
        return await self.log.stream(f"account:{self.events // 10 - 1 - self.asked % 4000}")

    async def row(self) -> object:
        self.asked += 1
        n = self.asked % 1000
        return await self.pool.fetch(
            "select * from totals where community_id = $1 and account_id = $2", COMMUNITIES[(n + 1) % 100], self.ids[n])


async def _may_checkpoint(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval("select pg_has_role(current_user, 'pg_checkpoint', 'member')"))


async def timed(call: Call) -> Measured:
    times = []
    for _ in range(CALLS):
        begun = perf_counter()
        await call()
        times.append(1000 * (perf_counter() - begun))
    await asyncio.sleep(0)
    return Measured(percentile(times, 0.5), percentile(times, 0.5), percentile(times, 0.99))


async def measure(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        small, large = Size(servers, SMALL), Size(servers, LARGE)
        for size in (small, large):
            await size.start(stack)
        sides: dict[str, Callable[[], Awaitable[Measured]]] = {}
        for what in ("append", "tail", "stream", "row"):
            for size, label in ((small, "small"), (large, "large")):
                sides[f"{what}_{label}"] = partial(timed, getattr(size, what))
        found = await side_by_side(sides, ROUNDS)
    ratios = {what: found.ratio(f"{what}_large", f"{what}_small") for what in ("append", "tail", "stream", "row")}
    worst = max(ratios, key=lambda what: ratios[what])
    p99 = max(found.p99(f"{what}_large") / found.p99(f"{what}_small") for what in ratios)
    return Result(
        row="growth", unit=f"× as long with {LARGE:,} events as with {SMALL:,} (p50; the worst: {worst})", ours=rounded(ratios[worst]),
        limit=Part("of append, tail, stream and view: " + ", ".join(f"{what} {rounded(r)}" for what, r in ratios.items()), None),
        peer=Part(f"the worst ratio of the p99: {rounded(p99)}", None), goal=f"≤ {GOAL}, p99 too",
        met=ratios[worst] <= GOAL and p99 <= GOAL,
        of_limit=0.0, of_peer=None, rounds=ROUNDS, spread=found.spread())
