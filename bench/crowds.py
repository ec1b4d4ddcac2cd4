"""Rows `append_256` (a crowd in one process) and `append_4x16` (four processes that append to one log).

Also the other process of the second: reads lines `CALLERS SECONDS`, answers each with appended events a second.
"""

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import asyncpg
import uvloop

from bench.appending import COMMUNITY, DATA, OUTCOME, STORED_META, append, callers
from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from libs.eventkit.db import Database
from libs.eventkit.log import Log
from libs.eventkit.recorded import uuid7

SECONDS = 1
ROUNDS = 7
AT_ONCE = 1000
PROCESSES, EACH = 4, 16
UNNEST = (
    "with e as (insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)"
    " select nextval('positions'), 1, $1, 'account:' || s, 1, e, 'added', 1, $4::json, $5::json"
    " from unnest($2::text[], $3::uuid[]) u(s, e))"
    " insert into outcomes (community_id, principal, route, key, body_hash, outcome)"
    " select $1, 'resident:1', 'POST /v1/accounts', s, 'f00d', $6::json from unnest($2::text[]) u(s)")


async def measure_256(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        database = Database(await servers.database("bench_log"))
        stack.push_async_callback(database.close)
        log = Log(database)
        limit = await servers.database("bench_limit")
        pool = await asyncpg.create_pool(limit.database_url, min_size=1, max_size=1)
        stack.push_async_callback(pool.close)
        await pool.execute("create sequence positions")

        async def unnest() -> Measured:
            begun, rows = perf_counter(), 0
            while perf_counter() - begun < SECONDS:
                names, ids = [str(uuid4()) for _ in range(AT_ONCE)], [uuid7() for _ in range(AT_ONCE)]
                await pool.execute(UNNEST, COMMUNITY, names, ids, DATA.decode(), STORED_META, OUTCOME)
                rows += AT_ONCE
            return Measured(rows / (perf_counter() - begun))

        found = await side_by_side({"ours": lambda: callers(256, lambda: log.append(append())), "unnest": unnest}, ROUNDS)
        assert await log.last() == await (await database.pool()).fetchval("select count(*) from events"), "the positions have a gap"
    of_limit = found.ratio("ours", "unnest")
    return Result(
        row="append_256", unit="commands/s", ours=rounded(found.value("ours")),
        limit=Part(f"unnest of {AT_ONCE} rows of the same columns, indexes and idempotency rows", rounded(found.value("unnest"))),
        peer=Part("none: its batches of 1,000 are one caller's", None), goal="≥ 0.4 × limit", met=of_limit >= 0.4,
        of_limit=rounded(of_limit), of_peer=None, rounds=ROUNDS, spread=found.spread(), p99=rounded(found.p99("ours")))


class Crowd:
    """Callers in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, servers: Servers) -> "Crowd":
        return cls(await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.crowds", servers.postgres, servers.kafka, str(servers.secrets),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    async def appending(self, number: int) -> Measured:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{number} {SECONDS}\n".encode())
        answer = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))
        return Measured(answer["value"], answer["p50"], answer["p99"])

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()


async def measure_4x16(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        database = Database(await servers.database("bench_log"))
        stack.push_async_callback(database.close)
        crowds = []
        for _ in range(PROCESSES):
            crowds.append(await Crowd.start(servers))
            stack.push_async_callback(crowds[-1].stop)

        async def all_of_them() -> Measured:
            found = await asyncio.gather(*(crowd.appending(EACH) for crowd in crowds))
            return Measured(sum(m.value for m in found), max(m.p50 or 0 for m in found), max(m.p99 or 0 for m in found))

        found = await side_by_side({"ours": all_of_them, "one": lambda: crowds[0].appending(PROCESSES * EACH)}, ROUNDS)
        pool = await database.pool()
        assert await Log(database).last() == await pool.fetchval("select count(*) from events"), "the positions have a gap"
        torn = await pool.fetchval("select count(*) from outcomes") - await pool.fetchval("select count(*) from events")
        assert torn == 0, f"{torn} commands are torn"
    of_limit = found.ratio("ours", "one")
    return Result(
        row="append_4x16", unit="commands/s", ours=rounded(found.value("ours")),
        limit=Part(f"one process, {PROCESSES * EACH} callers", rounded(found.value("one"))), peer=Part("none", None),
        goal="≥ 0.6 × limit", met=of_limit >= 0.6, of_limit=rounded(of_limit), of_peer=None, rounds=ROUNDS, spread=found.spread(),
        p99=rounded(found.p99("ours")))


async def serve(postgres: str, kafka: str, secrets: str) -> None:
    database = Database(Servers(postgres, kafka, Path(), Path(secrets), "", "").settings("bench_log"))
    log = Log(database)
    while line := await asyncio.to_thread(sys.stdin.readline):
        number, _ = map(int, line.split())
        found = await callers(number, lambda: log.append(append()))
        print(json.dumps({"value": found.value, "p50": found.p50, "p99": found.p99}), flush=True)
    await database.close()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
