"""What the caller has been told, newest first."""

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import ME_READ
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import json, permitted
from libs.eventkit.service import App
from services.access.views import notices

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

    return router

