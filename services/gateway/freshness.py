"""Reading your writes: a read with `Lifang-Min-Position` waits, bounded, until its views have what was written."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from libs.eventkit.http import Position, min_position
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import Number
from libs.eventkit.service import App
from libs.eventkit.tail import set_within
from libs.eventkit.views import View

PATIENCE = 2.0
"""Seconds for which a read waits at most."""
LOOK = 0.02

_MARK = "select generation, position, n, log_position from marks where topic = $1 and community_id = $2"
_PASSED = "select coalesce(min(position), 0) >= $2::bigint from checkpoints where name = any($1::text[])"


async def fresh(app: App, request: Request, community_id: UUID, views: Sequence[View]) -> dict[str, str]:
    """The header that owns up to staleness, or none. Raises Problem 400 for a position that no service gave out."""
    if (position := min_position(request)) is None:
        return {}
    own = position.service == app.service.name
    wanted = None if own else number_of(position, app.service.hears)
    if wanted is None and not own:
        return {}
    try:
        async with asyncio.timeout(PATIENCE):
            held = await _heard(app, app.settings.topic(position.service), community_id, wanted) if wanted else position.own
            await passed(app, views, held)
    except TimeoutError:
        return {"Lifang-Stale": "true"}
    return {}


def number_of(position: Position, hears: Sequence[str]) -> Number | None:
    """The public number to wait for; None where the command told others nothing. Raises Problem 400."""
    if position.service not in hears:
        raise Problem(400, "position_malformed")
    try:
        return Number.parse(position.published) if position.published else None
    except ValueError as error:
        raise Problem(400, "position_malformed") from error


async def _heard(app: App, topic: str, community_id: UUID, wanted: Number) -> int:
    """Returns the log position that held it, once it has been heard."""
    pool = await app.database.pool()
    while True:
        grown = app.wake.next
        mark = await pool.fetchrow(_MARK, topic, community_id)
        if mark is not None and Number(mark["generation"], mark["position"], mark["n"]) >= wanted:
            return int(mark["log_position"])
        await set_within(grown, 0.5)


async def passed(app: App, views: Sequence[View], position: int) -> None:
    """Returns when the views have folded the log up to a position. They tell nobody of it, so this looks."""
    names = [view.name for view in views]
    pool = await app.database.pool()
    while True:
        grown = app.wake.next
        if await pool.fetchval(_PASSED, names, position):
            return
        await set_within(grown, LOOK)
