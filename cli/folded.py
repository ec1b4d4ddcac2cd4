"""The log folded into one view, community by community, in memory: never more than one community's rows at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import asyncpg
from msgspec import Struct

from libs.eventkit.recorded import COLUMNS, Catalogue, Recorded
from libs.eventkit.views import Fold, Row, View

CHUNK = 2000
_NEXT = (
    f"select {COLUMNS} from events where (community_id, position) > ($1, $2) and position <= $3"
    " order by community_id, position limit $4")


class Folded(Struct, frozen=True):
    """One community: its rows, of how many events, and where the view could not take one."""

    community_id: UUID
    rows: list[Row]
    events: int
    failed: list[tuple[int, str]]


async def folded(
    connection: asyncpg.Connection, view: View, catalogue: Catalogue, after: tuple[UUID, int], upto: int,
    seen: Callable[[int], None] = lambda events: None,
) -> AsyncIterator[Folded]:
    """Every community that has events after (community, position) and up to a position, in order. `seen` is told after each
    chunk of events how many there are so far of the community at hand."""
    community_id, fold, count = UUID(int=0), Fold(view), 0
    async for records in _chunks(connection, after, upto):
        for record in records:
            row = Recorded.of(record)
            if row.community_id != community_id:
                if count:
                    yield Folded(community_id, fold.rows(), count, fold.failed)
                community_id, fold, count = row.community_id, Fold(view), 0
            fold.take(catalogue, row)
            count += 1
        seen(count)
    if count:
        yield Folded(community_id, fold.rows(), count, fold.failed)


async def _chunks(connection: asyncpg.Connection, after: tuple[UUID, int], upto: int) -> AsyncIterator[list[asyncpg.Record]]:
    """The database looks for the next one while this one is folded."""
    asking = asyncio.ensure_future(connection.fetch(_NEXT, *after, upto, CHUNK))
    try:
        while records := await asking:
            asking = asyncio.ensure_future(connection.fetch(_NEXT, records[-1]["community_id"], records[-1]["position"], upto, CHUNK))
            await asyncio.sleep(0)
            yield records
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
