"""Rows that ask the running system: `page` (a composed page at the gateway), `judgement` (may this card open this door,
over HTTP, decided in the log before the answer) and `reports` (a device tells of as many events in one request as one may have). The last
two by the service alone; `in_company` is what all the others leave of it on these two cores."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from itertools import count
from time import perf_counter
from uuid import uuid4

import asyncpg
import httpx
import msgspec

from bench.appending import PGBENCH, pgbench
from bench.door_event import install
from bench.measure import Measured, Part, Result, percentile, rounded, side_by_side
from bench.one_row import ONE_ROW, PATH
from bench.servers import Servers
from bench.serving_apart import free_port, served
from bench.whole import Whole, steady, summed
from bench.wire import Line
from simulator.hikvision_bodies import AccessEvent, body

ROUNDS = 5
SECONDS = 3
CALLERS, PAGES_AT, JUDGED_AT = 16, 200, 500
AT_ONCE, TERMINALS = 100, 4


async def as_fast_as_it_goes(lines: Sequence[Line], call: Callable[[Line], Awaitable[object]], seconds: float = SECONDS) -> Measured:
    times: list[float] = []
    await asyncio.gather(*(line.reopen() for line in lines))
    begun = perf_counter()

    async def along(line: Line) -> None:
        now = perf_counter()
        while now < begun + seconds:
            since = now
            await call(line)
            now = perf_counter()
            times.append(1000 * (now - since))

    await asyncio.gather(*map(along, lines))
    return Measured(len(times) / (perf_counter() - begun), percentile(times, 0.5), percentile(times, 0.99))


async def opened(stack: AsyncExitStack, lines: Sequence[Line]) -> None:
    for line in lines:
        await line.open()
        stack.push_async_callback(line.close)


async def measure_page(servers: Servers) -> Result:
    """The doors of a resident: composed of who lives where, who has which rights, and what doors there are."""
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        lines = [Line(f"{whole.urls['gateway']}/v1/me/doors", {"authorization": f"Bearer {whole.resident}"}) for _ in range(CALLERS)]
        await opened(stack, lines)
        owner = await asyncpg.connect(whole.databases["gateway"])
        await owner.execute("analyze")  # as autovacuum does within a minute
        await owner.close()
        reader = whole.databases["gateway"].replace("gateway_owner", "gateway_read")
        pool = await asyncpg.create_pool(
            reader, min_size=CALLERS, max_size=CALLERS, server_settings={"lifang.communities": f"{{{whole.community}}}"})
        assert await pool.fetchrow(ONE_ROW)
        stack.push_async_callback(pool.close)
        port = free_port()
        one_row = [Line(f"http://127.0.0.1:{port}{PATH}", {}) for _ in range(CALLERS)]
        await served(stack, lambda: opened(stack, one_row), "bench.one_row", str(port), reader, whole.community, str(CALLERS))
        urls = [f"{url}/livez" for name, url in whole.urls.items() if name != "gateway"][:5]
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=15))

        async def get(line: Line) -> None:
            await line.ask("GET")

        async def rows() -> Measured:
            """The one-row read, without HTTP."""
            done, begun = count(), perf_counter()

            async def along() -> None:
                while perf_counter() < begun + SECONDS:
                    await pool.fetch(ONE_ROW)
                    next(done)

            await asyncio.gather(*(along() for _ in range(CALLERS)))
            return Measured(next(done) / (perf_counter() - begun))

        async def fanned_out() -> Measured:
            """What composing costs that asks the services, which here do nothing at all."""
            done, begun = count(), perf_counter()

            async def along() -> None:
                while perf_counter() < begun + SECONDS:
                    await asyncio.gather(*(client.get(url) for url in urls))
                    next(done)

            await asyncio.gather(*(along() for _ in range(CALLERS)))
            return Measured(next(done) / (perf_counter() - begun))

        async def paced() -> Measured:
            times: list[float] = []

            async def call(n: int, due: float) -> None:
                await lines[n % CALLERS].ask("GET")
                times.append(1000 * (perf_counter() - due))

            await steady(lines, PAGES_AT, PAGES_AT * SECONDS, call)
            return summed(times)

        sides = {
            "ours": lambda: as_fast_as_it_goes(lines, get), "row": lambda: as_fast_as_it_goes(one_row, get), "bare_row": rows,
            "fan_out": fanned_out, f"at_{PAGES_AT}": paced}
        found = await side_by_side(sides, ROUNDS)
    of_limit, p99 = found.ratio("ours", "row"), found.p99(f"at_{PAGES_AT}")
    return Result(
        row="page", unit="pages/s", ours=rounded(found.value("ours")), p99=rounded(p99),
        limit=Part(
            f"a page that is one row: FastAPI, one asyncpg query, no token; without HTTP {found.value('bare_row'):.0f}/s",
            rounded(found.value("row"))),
        peer=Part("five services asked with httpx, which answer nothing", rounded(found.value("fan_out"))),
        goal=f"≥ 0.5 × limit, p99 ≤ 20 ms at {PAGES_AT}/s", met=of_limit >= 0.5 and p99 <= 20, of_limit=rounded(of_limit),
        of_peer=rounded(found.ratio("ours", "fan_out")), rounds=ROUNDS, spread=found.spread())


async def measure_judgement(servers: Servers) -> Result:
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        headers = {"authorization": f"Bearer {whole.device}", "content-type": "application/json"}
        lines = [Line(f"{whole.urls['access']}/v1/doors/{whole.door}/judgements", headers) for _ in range(CALLERS)]
        nothing = [Line(f"{whole.urls['access']}/livez", {}) for _ in range(CALLERS)]
        await opened(stack, [*lines, *nothing])
        asked = msgspec.json.encode({"kind": "card", "number": whole.card})

        async def ours() -> Measured:
            times: list[float] = []

            async def call(n: int, due: float) -> None:
                await lines[n % CALLERS].ask("POST", asked, idempotency_key=str(uuid4()))
                times.append(1000 * (perf_counter() - due))

            await steady(lines, JUDGED_AT, JUDGED_AT * SECONDS, call)
            return summed(times)

        async def bare() -> Measured:
            times: list[float] = []

            async def call(n: int, due: float) -> None:
                await nothing[n % CALLERS].ask("GET")
                times.append(1000 * (perf_counter() - due))

            await steady(nothing, JUDGED_AT, JUDGED_AT * SECONDS, call)
            return summed(times)

        company = await side_by_side({"in_company": ours}, ROUNDS)
        sides = {"ours": ours, "bare": bare}
        found = await side_by_side({name: partial(whole.alone, "access", side) for name, side in sides.items()}, ROUNDS)
    p99 = found.p99("ours")
    return Result(
        row="judgement", unit=f"ms (p50 at {JUDGED_AT}/s)", ours=rounded(found.value("ours")), p99=rounded(p99),
        limit=Part("GET /livez at access, at the same rate", rounded(found.value("bare"))), peer=Part("none", None),
        goal=f"p99 ≤ 10 ms at {JUDGED_AT}/s", met=p99 <= 10, of_limit=rounded(found.ratio("ours", "bare")), of_peer=None, rounds=ROUNDS,
        spread=found.spread() | company.spread())


async def measure_reports(servers: Servers) -> Result:
    """Kept events of terminals that were offline: each request is a list of a hundred of them, as many as are taken."""
    whole = Whole.read(servers)
    async with AsyncExitStack() as stack:
        terminals = (await install(whole))[:TERMINALS]
        await opened(stack, [terminal.line for terminal in terminals])
        limit = await servers.database("bench_limit")
        owner = await asyncpg.connect(limit.database_url)
        await owner.execute("create sequence positions")
        await owner.close()
        of_line = {id(t.line): t for t in terminals}

        async def tell(line: Line) -> None:
            terminal, parts = of_line[id(line)], []
            for _ in range(AT_ONCE):
                terminal.serial += 1
                said = AccessEvent(
                    major=5, minor=1, serial=terminal.serial, at=datetime.now().astimezone(), door_no=1, card_number=terminal.card,
                    live=False)
                parts.append(body(said, terminal.origin, "json")[0])
            await line.ask("POST", b"[" + b",".join(parts) + b"]")

        async def ours() -> Measured:
            found = await as_fast_as_it_goes([t.line for t in terminals], tell, 1)  # what is taken in one, others hear for ten
            return Measured(found.value * AT_ONCE, found.p50, found.p99)

        company = await side_by_side({"in_company": ours}, ROUNDS)
        sides = {"ours": ours, "pgbench": lambda: pgbench(servers, 32, PGBENCH)}
        found = await side_by_side({name: partial(whole.alone, "devices", side) for name, side in sides.items()}, ROUNDS)
    of_limit = found.ratio("ours", "pgbench")
    return Result(
        row="reports", unit=f"events/s, {AT_ONCE} per request", ours=rounded(found.value("ours")), p99=rounded(found.p99("ours")),
        limit=Part("pgbench -c 32: single rows, indexes and idempotency row", rounded(found.value("pgbench"))), peer=Part("none", None),
        goal="≥ 1.8 × limit", met=of_limit >= 1.8, of_limit=rounded(of_limit), of_peer=None, rounds=ROUNDS,
        spread=found.spread() | company.spread())
