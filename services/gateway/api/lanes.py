"""The guard's page of the lanes. What parking tells others names no plate, and neither does this page."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import PARKING_READ
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.views import lanes

PASSAGE = ("event_id", "lane_id", "at", "admitted", "rule", "reason", "live", "session_id", "outcome", "position")
FINDING = (
    "event_id", "kind", "lane_id", "session_id", "passage_id", "candidates", "raised_at", "how", "settled_at", "position")


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/lanes")
    async def list_lanes(request: Request, principal: Principal = permitted(PARKING_READ)) -> Response:
        """Each lane with its last passages and what is open there."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, lanes.VIEWS)
        rows = await app.database.fetch([community_id], lanes.all_lanes(community_id))
        last = await app.database.fetch([community_id], lanes.last_passages(community_id))
        to_settle = await app.database.fetch([community_id], lanes.findings_of(community_id, True, None, 200))
        items = [
            {**row, "passages": [_passage(p) for p in last if p["lane_id"] == row["id"]],
             "findings": [_finding(f) for f in to_settle if f["lane_id"] == row["id"]]} for row in rows]
        return json({"items": items, "next": None}, headers=stale)

    @found.get("/v1/lanes/{lane_id}/passages")
    async def list_lane_passages(
        request: Request, lane_id: UUID, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(PARKING_READ),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"passages {lane_id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, lanes.VIEWS)
        rows = await app.database.fetch([community_id], lanes.passages_of(community_id, lane_id, position, limit))
        return json(page([_passage(row) for row in rows], limit, filter_, "position"), headers=stale)

    @found.get("/v1/parking-findings")
    async def list_parking_findings(
        request: Request, open_only: bool = True, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(PARKING_READ),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"parking-findings {open_only}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, lanes.VIEWS)
        rows = await app.database.fetch([community_id], lanes.findings_of(community_id, open_only, position, limit))
        return json(page([_finding(row) for row in rows], limit, filter_, "position"), headers=stale)

    return found


def _passage(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["passage_id"], **{name: row[name] for name in PASSAGE}}


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["finding_id"], **{name: row[name] for name in FINDING}}
