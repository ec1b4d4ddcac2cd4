"""Rows `append_1` and `append_32`: one event of 400 bytes with an idempotency key, from one caller or from 32."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID, uuid4

import asyncpg
import msgspec

from bench.measure import LONGEST_LINE, Measured, Part, Result, percentile, rounded, side_by_side
from bench.servers import Servers
from libs.eventkit.db import Database
from libs.eventkit.log import Append, Key, Log, NewEvent
from libs.eventkit.recorded import Meta, uuid7

SECONDS = 1
ROUNDS = 9
COMMUNITY = UUID("10000000-0000-4000-8000-000000000001")
DATA = json.dumps({"text": "x" * 388}).encode()
META = Meta(
    correlation="6b1c1cf0c5d64c0f", caused_by=(UUID(int=1),), requested_at=datetime(2026, 1, 1, tzinfo=UTC), principal="resident:1")
STORED_META = msgspec.json.encode(META).decode()
OUTCOME = msgspec.json.encode(
    {"stream": f"account:{UUID(int=1)}", "version": 1, "position": 0, "events": [UUID(int=1)], "back": 0, "n": 0}).decode()

STATEMENT = (
    "with e as (insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)"
    " values (nextval('positions'), 1, {community}, 'account:' || {stream}, 1, {event}, 'added', 1, {data}, {meta}))"
    " insert into outcomes (community_id, principal, route, key, body_hash, outcome)"
    " values ({community}, 'resident:1', 'POST /v1/accounts', {key}, 'f00d', {outcome})")
PGBENCH = STATEMENT.format(
    community=f"'{COMMUNITY}'::uuid", stream="gen_random_uuid()", event="uuidv7()", data=f"'{DATA.decode()}'::json",
    meta=f"'{STORED_META}'::json", key="gen_random_uuid()::text", outcome=f"'{OUTCOME}'::json")
USUAL = STATEMENT.format(
    community="$1::uuid", stream="$2::text", event="$3::uuid", data="$4::json", meta="$5::json", key="$6::text", outcome="$7::json")


async def callers(number: int, call: Callable[[], Awaitable[object]]) -> Measured:
    """So many callers that call again as soon as they are answered."""
    times: list[float] = []

    async def caller() -> None:
        now = perf_counter()
        while now < until:
            begun = now
            await call()
            now = perf_counter()
            times.append(1000 * (now - begun))

    begun = perf_counter()
    until = begun + SECONDS
    await asyncio.gather(*(caller() for _ in range(number)))
    return Measured(len(times) / (perf_counter() - begun), percentile(times, 0.5), percentile(times, 0.99))


def append() -> Append:
    return Append(
        COMMUNITY, f"account:{uuid4()}", 0, (NewEvent(uuid7(), "added", 1, DATA, META),),
        key=Key("resident:1", "POST /v1/accounts", str(uuid4()), "f00d"), outcome=OUTCOME.encode())


async def pgbench(servers: Servers, number: int, script: str) -> Measured:
    path = servers.secrets.parent / "append.sql"
    path.write_text(script + ";\n")
    command = [
        str(servers.pgbench), "-n", "-M", "prepared", "-T", str(SECONDS), "-c", str(number), "-j", str(min(2, number)), "-f", str(path),
        servers.url("bench_limit", "bench_limit_owner")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return Measured(float(line.split()[2]))


class Library:
    """PyPI `eventsourcing`, in a process with packages of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, servers: Servers, program: str) -> "Library":
        await servers.database("bench_peer")
        process = await asyncio.create_subprocess_exec(
            servers.peer, "-m", program, servers.url("bench_peer", "bench_peer_owner"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=LONGEST_LINE)
        return cls(process)

    async def measure(self, line: str) -> Measured:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        answer = json.loads(await self.process.stdout.readline())
        times = answer.get("times")
        return Measured(answer["value"], percentile(times, 0.5), percentile(times, 0.99)) if times else Measured(answer["value"])

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()


async def measure(servers: Servers, number: int) -> Result:
    async with AsyncExitStack() as stack:
        database = Database(await servers.database("bench_log"))
        stack.push_async_callback(database.close)
        log = Log(database)
        limit = await servers.database("bench_limit")
        pool = await asyncpg.create_pool(limit.database_url, min_size=number, max_size=number)
        stack.push_async_callback(pool.close)
        await pool.execute("create sequence positions")
        data, outcome = DATA.decode(), OUTCOME

        async def usual() -> object:
            return await pool.execute(USUAL, COMMUNITY, str(uuid4()), uuid7(), data, STORED_META, str(uuid4()), outcome)

        async def ours() -> object:
            answer = await log.append(append())
            assert answer.verdict == "ok"
            return answer

        sides = {
            "ours": lambda: callers(number, ours),
            "pgbench": lambda: pgbench(servers, number, PGBENCH),
            "usual": lambda: callers(number, usual)}
        if servers.peer:
            library = await Library.start(servers, "bench.library")
            stack.push_async_callback(library.stop)
            sides["library"] = lambda: library.measure(f"{number} {SECONDS}")
        found = await side_by_side(sides, ROUNDS)
        last = await log.last()
        count = await (await database.pool()).fetchval("select count(*) from events")
        assert last == count, "the positions have a gap"
    of_limit, p99 = found.ratio("ours", "pgbench"), found.p99("ours")
    of_peer = found.ratio("ours", "library") if servers.peer else None
    if number == 1:
        goal, met = "≥ 0.6 × limit", of_limit >= 0.6
    else:
        goal = "≥ 1.5 × limit, ≥ 12 × peer, p99 ≤ 3 ms"
        met = of_limit >= 1.5 and p99 <= 3 and (of_peer is None or of_peer >= 12)
    peer = Part("PyPI eventsourcing, its database functions on", rounded(found.value("library"))) if servers.peer else Part(
        f"PyPI eventsourcing: not measured ({servers.without})", None)
    return Result(
        row=f"append_{number}", unit="commands/s", ours=rounded(found.value("ours")),
        limit=Part(f"pgbench -c {number}: the same row, indexes and idempotency row", rounded(found.value("pgbench"))),
        peer=peer, goal=goal, met=met,
        of_limit=rounded(of_limit), of_peer=None if of_peer is None else rounded(of_peer),
        rounds=ROUNDS, spread=found.spread())
