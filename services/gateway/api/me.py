"""What concerns the caller: who they are, where they live, which doors they may open and lifts call, what happened there."""

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response

from libs.contracts.permissions import DOOR_EVENTS_READ, DOOR_EVENTS_READ_OWN, ME_READ
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.api.unsealing import name_of
from services.gateway.freshness import fresh
from services.gateway.history import AsOf, source
from services.gateway.views import door_events, my_doors, my_home
from services.gateway.views.doors import doors_named


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/me")
    async def read_me(request: Request, as_of: AsOf = None, principal: Principal = permitted(ME_READ)) -> Response:
        """`as_of`: as it was. A name whose key is erased reads so of every time."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, my_home.VIEWS)
        seen, _, then = await source(app, community_id, as_of, my_home.VIEWS)
        homes = await seen.fetch([community_id], my_home.homes_of(community_id, principal.id))
        names = await seen.fetch([community_id], my_home.name_of(community_id, principal.id))
        name, state = await name_of(app.keyring, names)
        return json({
            "person_id": principal.id, "role": principal.role, "community_id": community_id, "name": name,
            "name_state": state, "homes": homes, **then}, headers=stale)

    @found.get("/v1/me/doors", responses={304: {"description": "They are the same as those with the ETag in If-None-Match."}})
    async def list_my_doors(
        request: Request, as_of: AsOf = None, if_none_match: Annotated[str, Header(alias="If-None-Match")] = "",
        principal: Principal = permitted(ME_READ),
    ) -> Response:
        """Which doors the caller may open now, for an app to keep. `rule`: why, a residence or a duty."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, my_doors.USED)
        seen, _, then = await source(app, community_id, as_of, my_doors.USED)
        items = await seen.fetch([community_id], my_doors.doors_of(community_id, principal.id))
        body = msgspec.json.encode({"items": items, "next": None, **then})
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", **stale}
        if tag in same(if_none_match):
            return Response(None, 304, headers)
        return Response(body, 200, headers, media_type="application/json")

    @found.get("/v1/me/lifts")
    async def list_my_lifts(request: Request, principal: Principal = permitted(ME_READ)) -> Response:
        """Those of the buildings whose doors the caller may open. A resident's take them to the floor of their home and to the ground."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, my_doors.OF_LIFTS)
        items = await app.database.fetch([community_id], my_doors.lifts_of(community_id, principal.id))
        return json({"items": items, "next": None}, headers=stale)

    @found.get("/v1/me/door-events")
    async def list_my_door_events(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(DOOR_EVENTS_READ_OWN, DOOR_EVENTS_READ),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"my-door-events {principal.id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, (*my_doors.USED, *door_events.VIEWS))
        rows = await app.database.fetch([community_id], my_doors.door_ids_of(community_id, principal.id))
        items = await app.database.fetch([community_id], door_events.newest_of_person(
            community_id, principal.id, [row["door_id"] for row in rows], position, limit))
        return json(page(await named(app, community_id, items), limit, filter_, "position"), headers=stale)

    return found


def same(header: str) -> set[str]:
    """The tags of an If-None-Match; weak or not makes no difference there (RFC 9110, 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


async def named(app: App, community_id: Any, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each with the name of its door, where that is known."""
    ids = {item["door_id"] for item in items}
    doors = await app.database.fetch([community_id], doors_named(community_id, ids)) if ids else []
    names = {door["id"]: door["name"] for door in doors}
    return [{**item, "door_name": names.get(item["door_id"])} for item in items]
