"""The doors of the community and what happened there, for staff and guards."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import DOOR_EVENTS_READ, DOORS_READ
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import Moment, community_of, cursor_position, json, page, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.gateway.api.me import named
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.views import door_events, doors
from services.gateway.views.door_events import happenings

Since = Annotated[Moment | None, Query(description="recorded by us at or after this moment")]


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/doors")
    async def list_doors(
        request: Request, limit: Limit = 200, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(DOORS_READ),
    ) -> Response:
        community_id = community_of(principal)
        after = door_after(cursor)
        stale = await fresh(app, request, community_id, (*doors.VIEWS, *door_events.VIEWS))
        rows = await app.database.fetch([community_id], doors.all_doors(community_id, after, limit))
        return json(page([door(row) for row in rows], limit, "doors", "name", "id"), headers=stale)

    @found.get("/v1/door-events")
    async def list_door_events(
        request: Request, door_id: Annotated[UUID | None, Query()] = None, since: Since = None,
        live: Annotated[bool | None, Query(description="true: as it happened; false: told later")] = None,
        limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(DOOR_EVENTS_READ),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"door-events {door_id} {since} {live}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, (*doors.VIEWS, *door_events.VIEWS))
        c = happenings.c
        where = [c.door_id == door_id] if door_id else []
        where += [c.recorded_at >= since] if since else []
        where += [c.live.is_(live)] if live is not None else []
        items = await app.database.fetch([community_id], door_events.newest(community_id, position, limit, *where))
        return json(page(await named(app, community_id, items), limit, filter_, "position"), headers=stale)

    return found


def door_after(cursor: str | None) -> tuple[str, UUID] | None:
    """Raises Problem 400."""
    values = http.cursor(cursor, "doors", 2)
    try:
        return (values[0], UUID(values[1])) if values else None
    except ValueError as error:
        raise Problem(400, "cursor_malformed") from error


def door(row: dict[str, Any]) -> dict[str, Any]:
    """A door as it is shown: with its device, and with the last thing that happened there or null. `version`: for If-Match where it is
    changed; null, as `evacuation`, where access has not said it. What was `retired` opens it no more; null where the device is unknown."""
    last = {name: row[f"last_{name}"] for name in ("id", "kind", "at", "state", "allowed", "live")}
    return {
        "id": row["id"], "name": row["name"], "zone": row["zone"], "evacuation": row["evacuation"], "version": row["version"],
        "device": {"id": row["device_id"], "kind": row["device_kind"], "name": row["device_name"],
                   "door_no": row["door_no"], "retired": row["device_retired"]},
        "last_event": last if last["id"] else None}
