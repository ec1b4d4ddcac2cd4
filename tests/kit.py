"""What tests of services stand on: waiting for a condition, a row as the log would give it, a fold as it should be."""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from msgspec import Struct, json

from libs.eventkit.recorded import COLUMNS, NOWHERE, Catalogue, Meta, Number, Recorded
from libs.eventkit.service import App
from libs.eventkit.views import Row, Rows, View


async def until(holds: Callable[[], Any], timeout: float = 30.0) -> Any:
    """The first true answer of `holds`, which may be a coroutine function. Raises AssertionError after `timeout` seconds."""
    last: Any = None

    async def asked() -> Any:
        nonlocal last
        while True:
            answer = holds()
            last = await answer if inspect.isawaitable(answer) else answer
            if last:
                return last
            await asyncio.sleep(0.01)

    try:
        return await asyncio.wait_for(asked(), timeout)
    except TimeoutError:
        raise AssertionError(f"not within {timeout} s: {inspect.getsource(holds).strip()[:200]} (last: {last!r})") from None


async def turns(number: int = 1) -> None:
    """The event loop turns so often: whoever is ready goes on."""
    for _ in range(number):
        await asyncio.sleep(0)


async def caught_up(pool: asyncpg.Pool, *names: str, timeout: float = 40.0) -> int:
    """Waits until these readers of the log have seen its present end; returns that position."""
    end = int(await pool.fetchval("select coalesce(max(position), 0) from events"))

    async def there() -> bool:
        seen = await pool.fetchval("select min(position) from checkpoints where name = any($1)", list(names))
        return seen is not None and seen >= end

    await until(there, timeout)
    return end


def recorded(event: Struct, community_id: UUID = NOWHERE, *, position: int = 1, stream: str | None = None, version: int = 1,
             source: str | None = None, number: Number | None = None, meta: Meta | None = None, event_id: UUID | None = None,
             at: datetime | None = None) -> Recorded:
    """The event as a row of the log: own with a stream, else heard."""
    return Recorded(
        position=position, generation=1, community_id=community_id, stream=stream, version=version if stream else None,
        event_id=event_id or uuid4(), type=str(event.__struct_config__.tag), schema=1, data=json.encode(event).decode(),
        meta=meta or Meta(), source=source, number=number, recorded_at=at or datetime.now(UTC))


def folded(view: View, catalogue: Catalogue, log: Iterable[Recorded]) -> dict[UUID, list[Row]]:
    """What the view must hold after these rows, by community, in the order of its key: computed in memory alone."""
    found: dict[UUID, Rows] = {}
    for row in log:
        event = catalogue.read(row)
        if event is not None and any(True for _ in view.reads(event, row)):
            view.project(found.setdefault(row.community_id, Rows(view.key)), event, row)
    return {c: sorted(rows.where(), key=lambda r: [str(r[k]) for k in view.key]) for c, rows in found.items() if rows.where()}


async def held(pool: asyncpg.Pool, view: View) -> dict[UUID, list[Row]]:
    """What the view does hold, in the same shape."""
    columns = ", ".join(c for c in view.columns if c != "community_id")
    found: dict[UUID, list[Row]] = {}
    for record in await pool.fetch(
            f"select t.community_id, to_json(r)::text from {view.name} t, lateral (select {columns.replace(', ', ', t.')}) r"):
        found.setdefault(record[0], []).append(json.decode(record[1]))
    return {c: sorted(rows, key=lambda r: [str(r[k]) for k in view.key]) for c, rows in found.items()}


async def everything(pool: asyncpg.Pool) -> list[Recorded]:
    return [Recorded.of(row) for row in await pool.fetch(f"select {COLUMNS} from events order by position")]


class PartOfApp(SimpleNamespace):
    """An app that has read the keys of before, with these fields and no others."""

    keys_heard: asyncio.Event | None = None
    key_missing = App.key_missing
