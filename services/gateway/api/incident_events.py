"""The government stream over HTTP: the very events of `gov.incidents.v1`, from any position on, with a wait at their end."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Response

from libs.contracts.permissions import GOVERNMENT_READ
from libs.eventkit.auth import Principal
from libs.eventkit.envelope import attributes
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import COLUMNS, Number, Recorded, tag_of
from libs.eventkit.service import App
from libs.eventkit.tail import set_within
from services.gateway.api.live import Types, globs
from services.gateway.api.paging import Cursor
from services.gateway.publishing import SAID, publish

WINDOW = 20_000
"""Rows of the log looked through at a time; own events are few among those that are heard."""
WINDOWS = 50
"""In one answer; one that ends in between has a `next` all the same."""
_OWN = (
    f"select {COLUMNS} from events where community_id = $1 and position > $2 and position <= $3 and source is null"
    " and type = any($4) and starts_with(data->>'division_code', $5) order by position limit $6")


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/government/incident-events")
    async def list_incident_events(
        after: Annotated[Cursor, Query(description="none: from the beginning; else `after` of an earlier answer")] = None,
        types: Types = "", limit: Annotated[int, Query(ge=1, le=500)] = 100,
        wait: Annotated[int, Query(ge=0, le=25, description="seconds to wait at the end for something new")] = 0,
        principal: Principal = permitted(GOVERNMENT_READ),
    ) -> Response:
        """CloudEvents in the order of the topic. `after` of the answer is where to go on, always; `next` is the same where there is more
        already, null at the end. 400 `types_unknown`: no event of ours is meant."""
        community_id, filter_ = community_of(principal), f"incident-events {types}"
        begun = cursor_position(after, filter_) or 0
        if begun > await app.log.last():
            raise Problem(410, "history_changed", "the log was restored to an earlier state: begin again, or after what you know")
        if not (names := named(types)):
            raise Problem(400, "types_unknown")
        until = asyncio.get_running_loop().time() + wait
        while True:
            grown = app.wake.next
            rows, position, more = await own_events(app, community_id, begun, names, limit)
            left = until - asyncio.get_running_loop().time()
            if rows or more or left <= 0:
                break
            begun = position
            await set_within(grown, left)
        cursor = cursor_at(position, filter_)
        return json({"items": [told(app, row) for row in rows], "next": cursor if more else None, "after": cursor})

    return found


def named(types: str) -> list[str]:
    """The own events whose contracts these globs mean. Raises Problem 400."""
    wanted = globs(types)
    return [tag_of(kind) for kind, contract in SAID.items() if wanted(tag_of(contract))]


async def own_events(
    app: App, community_id: UUID, position: int, names: Sequence[str], limit: int, division_code: str = "",
) -> tuple[list[Recorded], int, bool]:
    """The next ones, up to where the log has been looked through, and whether it goes on behind that."""
    pool, end = await app.database.pool(), await app.log.last()
    for _ in range(WINDOWS):
        upto = min(position + WINDOW, end)
        rows = [Recorded.of(row) for row in await pool.fetch(_OWN, community_id, position, upto, names, division_code, limit)]
        position = rows[-1].position if len(rows) == limit else max(position, upto)
        if rows or position >= end:
            return rows, position, position < end
    return [], position, True


def told(app: App, row: Recorded) -> dict[str, Any]:
    """As the topic has it, but for the number of the event before: here a filter may have left that out."""
    (public,) = publish(app.catalogue.read(row), row)
    found = attributes(row, public, 0, app.settings.service, getattr(public.body, "VERSION", 1), Number())
    return {**{k: v for k, v in found.items() if k != "lifangprevious"}, "data": msgspec.to_builtins(public.body)}


def cursor_at(position: int, filter_: str) -> str:
    return str(page([{"position": position}, {}], 1, filter_, "position")["next"])
