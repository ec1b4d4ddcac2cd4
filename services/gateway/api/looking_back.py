"""What was so at another time: who had which right at a door, how full the car parks were."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import HISTORY_READ, PARKING_READ
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, context, cursor_id, json, page, permitted
from libs.eventkit.service import App
from services.gateway import figures
from services.gateway.api.paging import Cursor, Limit
from services.gateway.domain.look_backs import LookAtRights
from services.gateway.freshness import fresh
from services.gateway.history import AsOf, Source, may_look_back, source
from services.gateway.views import installed, lanes, my_doors, stays
from services.gateway.views.doors import doors_named

Purpose = Annotated[str, Query(max_length=200, description="what for; recorded with who asked")]
OF_DOORS = (*my_doors.USED, installed.DUTIES)
OF_LOTS = (lanes.LOTS, stays.STAYS)


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/doors/{door_id}/rights")
    async def list_door_rights(
        request: Request, door_id: UUID, purpose: Purpose = "", as_of: AsOf = None, limit: Limit = 200,
        cursor: Annotated[Cursor, Query()] = None, principal: Principal = permitted(HISTORY_READ),
    ) -> Response:
        """Who could open the door, by which right and rule, now or then: by id, and by role where that is a duty. For a purpose; the
        look is recorded first, whoever it finds. Before there was such a door nobody had a right."""
        community_id, filter_ = community_of(principal), f"rights {door_id} {as_of}"
        after = cursor_id(cursor, filter_)
        stale = await fresh(app, request, community_id, OF_DOORS)
        seen, at, then = await source(app, community_id, as_of, OF_DOORS)
        position = then["as_of"]["position"] if then else await app.log.last()
        await app.commands.handle(
            uuid5(community_id, str(door_id)),  # a stranger's look must not take the stream from the door's own community
            LookAtRights(door_id, principal.id, principal.role, purpose, position, at), context(request, principal, community_id))
        named = await seen.fetch([community_id], doors_named(community_id, [door_id]))
        if not named and as_of is None:
            raise NotFound("door")
        rows = await seen.fetch([community_id], my_doors.rights_at(community_id, door_id, after, limit))
        listed = page(await with_roles(seen, community_id, rows), limit, filter_, "id")
        return json({"door": named[0] if named else None, **listed, **then}, headers=stale)

    @found.get("/v1/parking-occupancy")
    async def list_parking_occupancy(
        request: Request, as_of: AsOf = None, principal: Principal = permitted(PARKING_READ, HISTORY_READ),
    ) -> Response:
        """Of each zone of each car park: spaces, vehicles inside, and stays whose exit was missed; percent rounded down."""
        may_look_back(principal, as_of, live=PARKING_READ)
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, OF_LOTS)
        seen, _, then = await source(app, community_id, as_of, OF_LOTS)
        counted = await seen.fetch([community_id], stays.inside_by_zone(community_id))
        by_zone = {(row["lot_id"], row["zone"], row["state"]): row["stays"] for row in counted}
        lots = await seen.fetch([community_id], lanes.all_lots(community_id))
        return json({"items": [figures.lot(row, by_zone) for row in lots], "next": None, **then}, headers=stale)

    return found


async def with_roles(seen: Source, community_id: UUID, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = {row["person_id"] for row in rows if row["person_id"]}
    named = await seen.fetch([community_id], installed.roles_of(community_id, ids)) if ids else []
    roles = {row["id"]: row["name"] for row in named}
    return [{**row, "role": roles.get(row["person_id"])} for row in rows]
