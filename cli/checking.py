"""`lifang rebuild --check`: is each view, byte for byte, the fold of its log? It reads one snapshot and changes nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from cli.folded import folded
from libs.eventkit.db import Database
from libs.eventkit.recorded import NOWHERE, Catalogue
from libs.eventkit.views import Row, View

SHOWN = 20
"""Differences of one view that are told one by one; all are counted."""
LOOKS = 3
"""A log that is just being changed where it may be (retention) is a moment ahead of its views: only what differs again differs."""
TOGETHER = 2000


class Difference(Struct, frozen=True, omit_defaults=True):
    """Where, never what: `columns` of a row that is in both, else which side lacks it; of damage, who does not know of it."""

    community_id: UUID
    what: Literal["missing", "unexplained", "differs", "damage_not_told"]
    key: dict[str, Any] = {}
    columns: tuple[str, ...] = ()
    position: int | None = None


class Checked(Struct, frozen=True):
    view: str
    position: int
    communities: int
    rows: int
    differences: int
    first: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        return self.differences == 0


async def check(database: Database, view: View, catalogue: Catalogue) -> Checked:
    for look in range(LOOKS):
        if look:
            await asyncio.sleep(1.0)
        async with database.direct() as log, database.direct() as table:
            found = await _look(log, table, view, catalogue)
        if found.same:
            break
    return found


async def _look(log: asyncpg.Connection, table: asyncpg.Connection, view: View, catalogue: Catalogue) -> Checked:
    """Two connections with one snapshot: one brings the log while the other is asked for rows."""
    for connection in (log, table):
        await connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set enable_sort = off")
    async with log.transaction(isolation="repeatable_read", readonly=True):
        # before the snapshot: a table that a rebuild puts there later would look empty in it
        await log.execute(f"lock table {view.name} in access share mode")
        snapshot = await log.fetchval("select pg_export_snapshot()")
        async with table.transaction(isolation="repeatable_read", readonly=True):
            await table.execute(f"set transaction snapshot '{snapshot}'")
            return await _compare(log, table, view, catalogue)


async def _compare(log: asyncpg.Connection, table: asyncpg.Connection, view: View, catalogue: Catalogue) -> Checked:
    position = int(await table.fetchval("select position from checkpoints where name = $1", view.name))
    damaged = {row[0] for row in await table.fetch("select community_id from damaged where view = $1", view.name)}
    left = {row[0] for row in await table.fetch(f"select distinct community_id from {view.name}")}
    found, communities, rows = list[Difference](), 0, 0
    async for one in folded(log, view, catalogue, (NOWHERE, 0), position):
        held = await _held(table, view, one.community_id)
        found += _compared(view, one.community_id, await _written(table, view, one.community_id, one.rows), held)
        if one.failed and one.community_id not in damaged:
            found.append(Difference(one.community_id, "damage_not_told", position=one.failed[0][0]))
        left.discard(one.community_id)
        communities, rows = communities + 1, rows + len(held)
    for community_id in sorted(left):
        held = await _held(table, view, community_id)
        found += _compared(view, community_id, {}, held)
        rows += len(held)
    return Checked(view.name, position, communities, rows, len(found), tuple(found[:SHOWN]))


Texts = dict[tuple[Any, ...], str]


async def _held(table: asyncpg.Connection, view: View, community_id: UUID) -> Texts:
    return _by_key(view, await table.fetch(f"select to_json(t)::text from {view.name} t where t.community_id = $1", community_id))


async def _written(table: asyncpg.Connection, view: View, community_id: UUID, rows: Sequence[Row]) -> Texts:
    """As the database would hold them."""
    found: Texts = {}
    for begin in range(0, len(rows), TOGETHER):
        some = [{**row, "community_id": community_id} for row in rows[begin:begin + TOGETHER]]
        found |= _by_key(view, await table.fetch(
            f"select to_json(r)::text from json_populate_recordset(null::{view.name}, $1) r", msgspec.json.encode(some).decode()))
    return found


def _by_key(view: View, records: Sequence[asyncpg.Record]) -> Texts:
    return {tuple(msgspec.json.decode(record[0])[k] for k in view.key): record[0] for record in records}


def _compared(view: View, community_id: UUID, expected: Texts, held: Texts) -> list[Difference]:
    found = list[Difference]()
    for key in sorted(expected.keys() | held.keys(), key=str):
        if expected.get(key) == held.get(key):
            continue
        named, wanted, there = dict(zip(view.key, key, strict=True)), expected.get(key), held.get(key)
        if wanted is None or there is None:
            found.append(Difference(community_id, "missing" if there is None else "unexplained", named))
            continue
        one, other = msgspec.json.decode(wanted), msgspec.json.decode(there)
        found.append(Difference(community_id, "differs", named, tuple(c for c in view.columns if one[c] != other[c])))
    return found
