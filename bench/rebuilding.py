"""Row `rebuild`: a view of 200,000 events of 40 communities folded anew beside the live one, events/s."""

import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid

from bench.appending import Library
from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from cli.migrating.database import migrate
from cli.rebuilding import rebuild
from libs.eventkit.db import Database
from libs.eventkit.recorded import Catalogue, Recorded
from libs.eventkit.views import Rows, View, Where

COMMUNITIES, ACCOUNTS, EACH = 40, 100, 50
EVENTS = COMMUNITIES * ACCOUNTS * EACH
ROUNDS = 5
TEXT = "x" * 340
META = json.dumps({"correlation": "6b1c1cf0c5d64c0f", "principal": "resident:1"})


class Added(Struct, frozen=True, tag="added"):
    account_id: UUID
    amount: int
    text: str


SUMS = Table(
    "sums", MetaData(), Column("community_id", Uuid, primary_key=True), Column("account_id", Uuid, primary_key=True),
    Column("total", BigInteger), Column("events", BigInteger))


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Added):
        yield {"account_id": event.account_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    known = rows.get(account_id=event.account_id) or {"total": 0, "events": 0}
    rows.put(account_id=event.account_id, total=known["total"] + event.amount, events=known["events"] + 1)


VIEW = View(SUMS, project, reads)


async def fill(pool: asyncpg.Pool) -> None:
    now, version, records = datetime.now(UTC), dict[UUID, int](), list[tuple[Any, ...]]()
    for n in range(EVENTS):
        community, account = UUID(int=n % COMMUNITIES + 1), UUID(int=n % (COMMUNITIES * ACCOUNTS) + 1)
        version[account] = version.get(account, 0) + 1
        data = json.dumps({"type": "added", "account_id": str(account), "amount": n, "text": TEXT})
        records.append((n + 1, 1, community, f"account:{account}", version[account], UUID(int=n + 1), "added", 1, data, META, now))
    columns = [
        "position", "generation", "community_id", "stream", "version", "event_id", "type", "schema", "data", "meta", "recorded_at"]
    await pool.copy_records_to_table("events", records=records, columns=columns)
    await pool.execute("analyze events")


async def bare(connection: asyncpg.Connection) -> Measured:
    """What cannot be spared: read in order of communities, decode, add up, one COPY into the same table."""
    await connection.execute("drop table if exists bare")
    await connection.execute("create table bare (community_id uuid, account_id uuid, total bigint, events bigint, "
                             "primary key (community_id, account_id))")
    begun, decoder, key = perf_counter(), msgspec.json.Decoder(Added), (UUID(int=0), 0)
    sums: dict[tuple[UUID, UUID], list[int]] = {}
    while rows := await connection.fetch(
            "select community_id, position, data from events where (community_id, position) > ($1, $2)"
            " order by community_id, position limit 2000", *key):
        for community_id, _, data in rows:
            event = decoder.decode(data)
            known = sums.setdefault((community_id, event.account_id), [0, 0])
            known[0] += event.amount
            known[1] += 1
        key = rows[-1][0], rows[-1][1]
    await connection.copy_records_to_table("bare", records=[(*k, *v) for k, v in sums.items()])
    return Measured(EVENTS / (perf_counter() - begun))


async def measure(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        settings = await servers.database("bench_log")
        await migrate(settings, (VIEW,), {VIEW.name: "beginning"})
        database, catalogue = Database(settings), Catalogue((Added,))
        stack.push_async_callback(database.close)
        connection = await asyncpg.connect(settings.database_url)
        stack.push_async_callback(connection.close)
        await fill(await database.pool())

        async def ours() -> Measured:
            begun = perf_counter()
            done = await rebuild(database, VIEW, catalogue)
            assert (done.events, done.rows) == (EVENTS, COMMUNITIES * ACCOUNTS)
            return Measured(EVENTS / (perf_counter() - begun))

        sides = {"ours": ours, "bare": lambda: bare(connection)}
        if servers.peer:
            library = await Library.start(servers, "bench.library_fold")
            stack.push_async_callback(library.stop)
            sides["library"] = lambda: library.measure("fold")
        found = await side_by_side(sides, ROUNDS)
        columns = "select community_id, account_id, total, events from"
        theirs, held = await connection.fetch(f"{columns} bare"), await (await database.pool()).fetch(f"{columns} sums")
        assert {tuple(row) for row in theirs} == {tuple(row) for row in held}, "the two have not done the same work"
    of_limit = found.ratio("ours", "bare")
    of_peer = found.ratio("ours", "library") if servers.peer else None
    peer = Part("PyPI eventsourcing: every aggregate rehydrated", rounded(found.value("library"))) if servers.peer else Part(
        f"PyPI eventsourcing: not measured ({servers.without})", None)
    return Result(
        row="rebuild", unit="events/s", ours=rounded(found.value("ours")),
        limit=Part("the same events read, decoded, added up in dictionaries, one COPY", rounded(found.value("bare"))), peer=peer,
        goal="≥ 0.5 × limit, ≥ 5 × peer", met=of_limit >= 0.5 and (of_peer is None or of_peer >= 5), of_limit=rounded(of_limit),
        of_peer=None if of_peer is None else rounded(of_peer), rounds=ROUNDS, spread=found.spread())
