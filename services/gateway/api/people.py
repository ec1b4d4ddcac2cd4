"""What is the person's to know: who looked at them, and how far their erasure has come; for staff, how far each has."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import DATA_OWN, ERASURES_MANAGE
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.privacy import masked
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.api.unsealing import name_of
from services.gateway.freshness import fresh
from services.gateway.views import erasures, looks

Row = dict[str, Any]


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/me/looks")
    async def list_my_looks(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None, principal: Principal = permitted(DATA_OWN),
    ) -> Response:
        """Newest first. `by`: in which role somebody was shown it, and the first character of their name where there is one here."""
        community_id, filter_ = community_of(principal), f"my-looks {principal.id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, looks.USED)
        rows = await app.database.fetch([community_id], looks.at_resident(community_id, principal.id, position, limit))
        return json(page([await look(app, row) for row in rows], limit, filter_, "position"), headers=stale)

    @found.get("/v1/me/erasure")
    async def read_my_erasure(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """For as long as the caller's token lasts: who has confirmed, and who has not. 404 for whoever has asked for none."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, erasures.VIEWS)
        rows = await app.database.fetch([community_id], erasures.of_resident(community_id, principal.id))
        if not rows:
            raise NotFound("erasure")
        return json(erasure(rows[0]), headers=stale)

    @found.get("/v1/erasures")
    async def list_erasures(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(ERASURES_MANAGE),
    ) -> Response:
        """Newest first: which services have confirmed, and which have not, since `erased_at`."""
        community_id = community_of(principal)
        position = cursor_position(cursor, "erasures")
        stale = await fresh(app, request, community_id, erasures.VIEWS)
        rows = await app.database.fetch([community_id], erasures.newest(community_id, position, limit))
        return json(page([erasure(row) for row in rows], limit, "erasures", "position"), headers=stale)

    return found


async def look(app: App, row: Row) -> Row:
    name, state = await name_of(app.keyring, [row])
    shown = None if name is None else str(masked(name, "name"))
    kept = {key: row[key] for key in ("id", "at", "purpose", "what", "position")}
    return {**kept, "by": {"role": row["role"], "name": shown, "name_state": state}}


def erasure(row: Row) -> Row:
    """`waiting`: who has not confirmed, since `erased_at`; nothing of whoever it is but their id."""
    confirmed = [{"service": name, **row["confirmed"][name]} for name in erasures.SERVICES if name in row["confirmed"]]
    waiting = [name for name in erasures.SERVICES if name not in row["confirmed"]]
    return {
        "resident_id": row["resident_id"], "name": None, "name_state": "erased", "erased_at": row["erased_at"],
        "reason": row["reason"], "by_themselves": row["by_id"] == row["resident_id"], "confirmed": confirmed, "waiting": waiting,
        "complete": not waiting, "event_id": row["event_id"], "position": row["position"]}
