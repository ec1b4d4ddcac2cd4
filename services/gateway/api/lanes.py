"""The guard's page of the lanes: what passed there and what is to be settled, every plate masked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import PARKING_READ
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.service import App
from services.gateway.api.at_lanes import shown_findings, shown_passages
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.views import findings, lanes, passages


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/lanes")
    async def list_lanes(request: Request, principal: Principal = permitted(PARKING_READ)) -> Response:
        """Each lane with its last passages and what is open there."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, (lanes.LOTS, *findings.USED))
        rows = await app.database.fetch([community_id], lanes.all_lanes(community_id))
        last = await app.database.fetch([community_id], passages.last_passages(community_id))
        to_settle = await app.database.fetch([community_id], findings.findings_of(community_id, True, None, 200))
        passed = await shown_passages(app, last)
        open_ = await shown_findings(app, community_id, to_settle)
        items = [
            {**row, "passages": [p for p in passed if p["lane_id"] == row["id"]],
             "findings": [f for f in open_ if f["lane_id"] == row["id"]]} for row in rows]
        return json({"items": items, "next": None}, headers=stale)

    @found.get("/v1/lanes/{lane_id}/passages")
    async def list_lane_passages(
        request: Request, lane_id: UUID, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(PARKING_READ),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"passages {lane_id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, passages.VIEWS)
        rows = await app.database.fetch([community_id], passages.passages_of(community_id, lane_id, position, limit))
        return json(page(await shown_passages(app, rows), limit, filter_, "position"), headers=stale)

    @found.get("/v1/parking-findings")
    async def list_parking_findings(
        request: Request, open_only: bool = True, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(PARKING_READ),
    ) -> Response:
        """Each with what the camera saw, the stay it is about, and what each candidate is, so that a person can tell which it is."""
        community_id, filter_ = community_of(principal), f"parking-findings {open_only}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, findings.USED)
        rows = await app.database.fetch([community_id], findings.findings_of(community_id, open_only, position, limit))
        return json(page(await shown_findings(app, community_id, rows), limit, filter_, "position"), headers=stale)

    return found
