"""Row `view`: the live fold of a log into a view, events a second."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid

from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from cli.migrating.database import migrate
from libs.eventkit.db import Database
from libs.eventkit.log import Log
from libs.eventkit.recorded import Catalogue, Recorded
from libs.eventkit.tail import BATCH
from libs.eventkit.views import Row, Rows, View, take

ROUNDS = 5
EVENTS, ALONE, COMMUNITIES, ACCOUNTS = 20_000, 1000, 10, 100
NAME = "bench_view"
FILL = (
    "insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)"
    " select n, 1, ($1::uuid[])[n % cardinality($1::uuid[]) + 1], 'a:' || n, 1, gen_random_uuid(), 'added', 1,"
    " json_build_object('type', 'added', 'account_id', ($2::uuid[])[n / 7 % cardinality($2::uuid[]) + 1], 'amount', 1, 'text', $3::text),"
    " '{}' from generate_series(1, $4::int) n")


class Added(Struct, frozen=True, tag="added"):
    account_id: UUID
    amount: int
    text: str


def project(rows: Rows, event: Added, row: Recorded) -> None:
    known = rows.get(account_id=event.account_id)
    rows.put(account_id=event.account_id, total=(known or {"total": 0})["total"] + event.amount, position=row.position)


def table(name: str) -> Table:
    return Table(
        name, MetaData(), Column("community_id", Uuid, primary_key=True), Column("account_id", Uuid, primary_key=True),
        Column("total", BigInteger), Column("position", BigInteger))


TOTALS = View(table("totals"), project, reads=lambda event, row: [{"account_id": event.account_id}])
UPSERT = (
    "insert into totals (community_id, account_id, total, position)"
    " select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])"
    " on conflict (community_id, account_id) do update set total = totals.total + excluded.total, position = excluded.position")
CATALOGUE = Catalogue((Added,))


class Ground:
    """A log that is full, and the view, emptied before each turn."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers

    async def start(self, stack: AsyncExitStack) -> None:
        settings = await self.servers.database(NAME)
        await migrate(settings, (TOTALS,), {"totals": "beginning"})
        self.database = Database(settings)
        stack.push_async_callback(self.database.close)
        self.owner = await asyncpg.connect(settings.database_url)
        stack.push_async_callback(self.owner.close)
        communities, accounts = ([UUID(int=first + n) for n in range(many)] for first, many in ((1, COMMUNITIES), (1000, ACCOUNTS)))
        await self.owner.execute(FILL, communities, accounts, "x" * 280, EVENTS)
        await self.owner.execute("analyze")
        self.rows: list[Recorded] = []
        log = Log(self.database)
        while more := await log.read(len(self.rows), BATCH):
            self.rows += more

    async def emptied(self) -> None:
        await self.owner.execute("truncate totals; update checkpoints set position = 0 where name = 'totals'")

    async def taken(self, size: int, number: int) -> Measured:
        await self.emptied()
        begun, position = perf_counter(), 0
        for n in range(0, number, size):
            batch = self.rows[n:min(n + size, number)]
            await take(self.database, CATALOGUE, [TOTALS], batch, position)
            position = batch[-1].position
        return Measured(number / (perf_counter() - begun))

    async def bare(self) -> Measured:
        """The same sums by hand: decoded, added up in a dictionary, one upsert and one checkpoint a batch."""
        await self.emptied()
        pool, begun = await self.database.folds(), perf_counter()
        decode = msgspec.json.Decoder(Added).decode
        for n in range(0, EVENTS, BATCH):
            sums: dict[tuple[UUID, UUID], list[int]] = {}
            for row in self.rows[n:n + BATCH]:
                event = decode(row.data)
                found = sums.setdefault((row.community_id, event.account_id), [0, 0])
                found[0] += event.amount
                found[1] = row.position
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(UPSERT, *columns(sums))
                await connection.execute("update checkpoints set position = $1 where name = 'totals'", self.rows[n:n + BATCH][-1].position)
        return Measured(EVENTS / (perf_counter() - begun))

    async def held(self) -> list[Row]:
        return [dict(row) for row in await self.owner.fetch("select * from totals order by community_id, account_id")]


def columns(sums: dict[tuple[UUID, UUID], list[int]]) -> Sequence[list[Any]]:
    return [[c for c, _ in sums], [a for _, a in sums], [total for total, _ in sums.values()], [at for _, at in sums.values()]]


async def measure(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        ground = Ground(servers)
        await ground.start(stack)
        await ground.bare()
        wanted = await ground.held()
        await ground.taken(BATCH, EVENTS)
        assert await ground.held() == wanted, "the view does not hold what was added up by hand"
        found = await side_by_side({
            "ours": lambda: ground.taken(BATCH, EVENTS), "bare": ground.bare, "one": lambda: ground.taken(1, ALONE)}, ROUNDS)
    of_limit = found.ratio("ours", "bare")
    return Result(
        row="view", unit="events/s", ours=rounded(found.value("ours")),
        limit=Part("the same sums written by hand for this view: one upsert a batch, nothing read", rounded(found.value("bare"))),
        peer=Part("ours with one transaction per event", rounded(found.value("one"))), goal="≥ 0.5 × limit", met=of_limit >= 0.5,
        of_limit=rounded(of_limit), of_peer=rounded(found.ratio("ours", "one")), rounds=ROUNDS, spread=found.spread())
