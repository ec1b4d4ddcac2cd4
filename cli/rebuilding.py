"""A view folded anew beside the live one, which is read and written meanwhile; then one switch, in one transaction.

Beside `name` stands `name_beside`: a view like any other, with a table of the same shape and a checkpoint of its own. It is filled
community by community up to one position of the log, then brought up to the live one. What is done is in the table `rebuilds`, in the
transaction of the rows, so that a rebuild that was killed goes on where it was. Why so: docs/decisions/0020.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import MetaData
from sqlalchemy.sql import quoted_name

from cli.copying import lines
from cli.folded import Folded, folded
from cli.migrating.database import owner_url
from cli.migrating.statements import of_view
from cli.rebuild_failpoints import reach
from libs.eventkit.db import Database
from libs.eventkit.log import Log
from libs.eventkit.recorded import NOWHERE, Catalogue
from libs.eventkit.subscriptions import checkpoint
from libs.eventkit.views import View, take

AT_ONCE = 5000
"""Rows that are copied together, where communities are smaller than that."""
ATTEMPTS = 600
"""How often the switch is tried, at most a second each: as long as somebody reads the table, it waits."""
_MIGRATION = 726002
_SHAPE = "select obj_description(to_regclass($1)::oid, 'pg_class')"
_RUNS = """
create table if not exists rebuilds (
    view text primary key, upto bigint not null, generation int not null, after uuid,
    communities bigint not null default 0, events bigint not null default 0);
grant select, insert, update, delete on rebuilds to {service}_log"""
_DISTINCT = """
with recursive c as (
    (select community_id from events order by community_id limit 1)
    union all
    select (select e.community_id from events e where e.community_id > c.community_id order by e.community_id limit 1)
      from c where c.community_id is not null)
select count(*) from c where community_id is not null"""


class Busy(Exception):
    """Somebody else rebuilds this view now."""


class OtherShape(Exception):
    """The live table is not what this code says: `migrate` of other code has made it, and its reader folds it again."""


class Progress(Struct, frozen=True):
    """`events` of `of_events` have been folded, this time `seconds` long from `before` on."""

    view: str
    communities: int
    of_communities: int
    events: int
    of_events: int
    before: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return (self.events - self.before) / max(self.seconds, 1e-6)


class Run(Struct, frozen=True):
    """`after`: the last community that has been copied."""

    upto: int
    after: UUID | None
    communities: int
    events: int
    resumed: bool


class Rebuilt(Struct, frozen=True):
    view: str
    position: int
    communities: int
    events: int
    rows: int
    damaged: int
    resumed: bool
    seconds: float


def beside(view: View) -> View:
    """The same view under another name. Its indexes have other names too, for those live in the schema, not in the table."""
    table = view.table.to_metadata(MetaData(), name=f"{view.name}_beside")
    for index in table.indexes:
        index.name = quoted_name(f"beside_{index.name}", None)
    return replace(view, table=table)


async def rebuild(
    database: Database, view: View, catalogue: Catalogue, told: Callable[[Progress], None] = lambda progress: None,
) -> Rebuilt:
    """Raises Busy, OtherShape."""
    begun, service, new = time.monotonic(), database.settings.service, beside(view)
    owner = await asyncpg.connect(owner_url(database.settings), timeout=5)  # as `migrate`: nobody else makes tables
    try:
        number = int.from_bytes(hashlib.sha256(f"rebuild {view.name}".encode()).digest()[:8], "big", signed=True)
        if not await owner.fetchval("select pg_try_advisory_lock($1)", number):
            raise Busy(view.name)
        run = await _begin(owner, service, view, new)
        communities, events = await _copy(database, catalogue, new, run, told)
        await owner.execute(of_view(new, service))
        await owner.execute(f"analyze {new.name}")  # else a read scans a community until autovacuum has been here
        await _catch_up(database, catalogue, new)
        reach("rebuild.caught_up")
        position = await _switch(owner, database, catalogue, view, new)
        reach("rebuild.switched")
        rows = await owner.fetchval("select count(*) from damaged where view = $1", view.name)
        return Rebuilt(
            view.name, position, communities, events, await _rows_in(database, view), rows, run.resumed, round(time.monotonic() - begun, 2))
    finally:
        await owner.close(timeout=5)


async def _begin(owner: asyncpg.Connection, service: str, view: View, new: View) -> Run:
    """What a rebuild before this one has left, if it is of this shape and of this log; else an empty table."""
    async with owner.transaction():
        await owner.execute("select pg_advisory_xact_lock($1)", _MIGRATION)
        await _same_shape(owner, service, view)
        await owner.execute(_RUNS.format(service=service))
        generation = await owner.fetchval("select generation from log_state")
        last = await owner.fetchval("select coalesce(max(position), 0) from events")
        run = await owner.fetchrow(
            "select upto, after, communities, events from rebuilds where view = $1 and generation = $2 and upto <= $3",
            view.name, generation, last)
        shape = await owner.fetchval(_SHAPE, new.name)
        if run is not None and shape is not None and shape in of_view(new, service):
            return Run(run["upto"], run["after"], run["communities"], run["events"], True)
        await owner.execute(f"drop table if exists {new.name}")
        await owner.execute("delete from damaged where view = $1", new.name)
        await owner.execute(of_view(new, service))
        # COPY knows no row-level security; until it is there, nobody reads
        await owner.execute(f"alter table {new.name} disable row level security; revoke all on {new.name} from {service}_read")
        await owner.execute(
            "insert into rebuilds (view, upto, generation) values ($1, $2, $3) on conflict (view) do update set upto = excluded.upto,"
            " generation = excluded.generation, after = null, communities = 0, events = 0", view.name, last, generation)
        await owner.execute(
            "insert into checkpoints (name, position) values ($1, $2) on conflict (name) do update set position = excluded.position",
            new.name, last)
        return Run(last, None, 0, 0, False)


async def _same_shape(owner: asyncpg.Connection, service: str, view: View) -> None:
    shape = await owner.fetchval(_SHAPE, view.name)
    if shape is None or shape not in of_view(view, service):
        raise OtherShape(view.name)


async def _copy(
    database: Database, catalogue: Catalogue, new: View, run: Run, told: Callable[[Progress], None],
) -> tuple[int, int]:
    """How many communities and events are in the table then."""
    start, communities, events, begun = (run.after or NOWHERE, run.upto if run.after else 0), run.communities, run.events, time.monotonic()
    pending, name = list[Folded](), new.name.removesuffix("_beside")
    async with database.direct() as connection:
        await connection.execute("set statement_timeout = 0; set enable_sort = off; set enable_seqscan = off")
        of_communities = await connection.fetchval(_DISTINCT)

        def seen(further: int) -> None:
            done = events + sum(one.events for one in pending) + further
            told(Progress(name, communities + len(pending), of_communities, done, run.upto, run.events, time.monotonic() - begun))

        async for one in folded(connection, new, catalogue, start, run.upto, seen):
            pending.append(one)
            if sum(len(each.rows) for each in pending) >= AT_ONCE:
                communities, events = await _write(database, new, pending)
                pending = []
    if pending:
        communities, events = await _write(database, new, pending)
    return communities, events


async def _write(database: Database, new: View, some: list[Folded]) -> tuple[int, int]:
    """Rows, damage and progress in one transaction."""
    pool, view = await database.folds(), new.name.removesuffix("_beside")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local statement_timeout = 0")
        await connection.copy_to_table(new.name, source=lines(new, some), columns=new.columns, timeout=3600)
        await connection.executemany(
            "insert into damaged (view, community_id, position, reason) values ($1, $2, $3, $4)",
            [(new.name, one.community_id, *one.failed[0]) for one in some if one.failed])
        done = await connection.fetchrow(
            "update rebuilds set after = $2, communities = communities + $3, events = events + $4 where view = $1"
            " returning communities, events", view, some[-1].community_id, len(some), sum(one.events for one in some))
        assert done is not None
        reach("rebuild.copied")
    reach("rebuild.written")
    return done["communities"], done["events"]


async def _catch_up(database: Database, catalogue: Catalogue, new: View, least: int | None = None) -> None:
    """To the log's end, or at least to this position."""
    log, position = Log(database), await checkpoint(database, new.name)
    while (least is None or position < least) and (rows := await log.read(position)):
        await take(database, catalogue, [new], rows, position)
        position = rows[-1].position


async def _switch(owner: asyncpg.Connection, database: Database, catalogue: Catalogue, view: View, new: View) -> int:
    """The table beside becomes the live one, and its checkpoint and damage with it. Waits for readers a second at a time, so that
    nobody queues behind it for longer. Raises OtherShape; TimeoutError when the table is never free."""
    for _ in range(ATTEMPTS):
        try:
            async with owner.transaction():
                await owner.execute("set local lock_timeout = '1s'")
                # first, as in `take`: from here on the live writer waits, and has no lock on the table
                live = await owner.fetchval("select position from checkpoints where name = $1 for update", view.name)
                await _catch_up(database, catalogue, new, live)
                await owner.execute(f"lock table {view.name} in access exclusive mode")
                await _same_shape(owner, database.settings.service, view)
                return await _exchange(owner, view, new)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.1)
            await _catch_up(database, catalogue, new)
    raise TimeoutError(f"{view.name} is read all the time")


async def _exchange(owner: asyncpg.Connection, view: View, new: View) -> int:
    shape = await owner.fetchval(_SHAPE, view.name)
    await owner.execute(f"drop table {view.name}")
    await owner.execute(f"alter table {new.name} rename to {view.name}")
    await owner.execute(f"alter index {new.name}_pkey rename to {view.name}_pkey")
    for index in view.table.indexes:
        await owner.execute(f"alter index beside_{index.name} rename to {index.name}")
    await owner.execute(f"comment on table {view.name} is '{shape}'")
    position = await owner.fetchval("delete from checkpoints where name = $1 returning position", new.name)
    await owner.execute("update checkpoints set position = $2, moved_at = clock_timestamp() where name = $1", view.name, position)
    await owner.execute("delete from damaged where view = $1", view.name)
    await owner.execute("update damaged set view = $1 where view = $2", view.name, new.name)
    await owner.execute("delete from rebuilds where view = $1", view.name)
    await owner.execute("notify log")
    reach("rebuild.exchanged")
    return int(position)


async def _rows_in(database: Database, view: View) -> int:
    return int(await (await database.pool()).fetchval(f"select count(*) from {view.name}"))


def sentence(progress: Progress) -> str:
    left = (progress.of_events - progress.events) / max(progress.rate, 1.0)
    return (f"{progress.view}: {progress.communities} of {progress.of_communities} communities,"
            f" {progress.events:,} of {progress.of_events:,} events, {progress.rate:,.0f}/s, {left:.0f} s left")


def telling(say: Callable[[str], None], every: float = 1.0) -> Callable[[Progress], None]:
    """Says how far it is, once a second."""
    last: list[Any] = [time.monotonic()]

    def told(progress: Progress) -> None:
        if time.monotonic() - last[0] >= every:
            last[0] = time.monotonic()
            say(sentence(progress))

    return told
