"""What the caller has been told, newest first; for staff and operators, what no provider has taken yet."""

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import ME_READ, OPERATIONS_READ
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import json, permitted
from libs.eventkit.service import App
from services.access.views import deliveries, notices

Limit = Query(default=50, ge=1, le=200)


def routes(app: App) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/notices")
    async def list_notices(
        request: Request, principal: Principal = permitted(ME_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        filter_ = f"notices of {principal.id}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, notices.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, notices.page_of(principal.id, before, limit + 1))
        found = [{"id": r["notice_id"], **{k: r[k] for k in ("position", "kind", "pass_id", "detail", "at")}} for r in rows]
        page = http.page(found, limit, filter_, "position")
        return json({**page, "items": [{k: v for k, v in i.items() if k != "position"} for i in page["items"]]}, 200, stale)

    @router.get("/notice-deliveries")
    async def list_undelivered(
        request: Request, principal: Principal = permitted(OPERATIONS_READ), state: deliveries.State | None = None,
        cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """Notices by push and SMS that wait for a provider, or that were given up after a day; not for whom they are."""
        filter_ = f"notice deliveries {state}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, deliveries.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, deliveries.page_of(state, after, limit + 1))
        shown = ("channel", "kind", "state", "attempts", "reason", "queued_at", "again_at")
        found = [{"id": r["delivery_id"], **{k: r[k] for k in shown}} for r in rows]
        return json(http.page(found, limit, filter_, "id"), 200, stale)

    @router.get("/notice-deliveries/counts")
    async def count_undelivered(request: Request, principal: Principal = permitted(OPERATIONS_READ)) -> Response:
        """How many wait and how many were given up, by channel, with the time of the oldest; a channel that has neither is
        not named."""
        stale = await http.caught_up(request, deliveries.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, deliveries.counts())
        return json({"items": [dict(r) for r in rows], "next": None}, 200, stale)

    return router
