"""Buildings and homes: staff register them, staff look at them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import HOMES_MANAGE, HOMES_READ
from libs.eventkit.auth import Principal
from libs.eventkit.http import (
    IdempotencyKey,
    Input,
    caught_up,
    community_of,
    context,
    cursor_id,
    json,
    page,
    permitted,
    position_header,
)
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.buildings import RegisterBuilding
from services.identity.domain.homes import RegisterHome
from services.identity.views import buildings as buildings_view
from services.identity.views import homes as homes_view

Limit = Annotated[int, Query(ge=1, le=200)]


class NewBuilding(Input):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    units: Annotated[int, Field(ge=1, le=100)]


class NewHome(Input):
    building_id: UUID
    unit: Annotated[int, Field(ge=1, le=100)]
    label: Annotated[str, Field(min_length=1, max_length=40)]


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["homes"])

    @router.post("/v1/buildings", status_code=201)
    async def register_building(
        body: NewBuilding, request: Request, key: IdempotencyKey, principal: Principal = permitted(HOMES_MANAGE)
    ) -> Response:
        community_id = community_of(principal)
        building_id = lookups.id_for(key, community_id)
        command = RegisterBuilding(building_id, body.name, body.units)
        done = await app.commands.handle(building_id, command, context(request, principal, community_id), key=key)
        headers = position_header(app.service.name, app.commands.generation, done)
        return json({"id": done.outcome.id}, 201, headers)

    @router.get("/v1/buildings")
    async def list_buildings(
        request: Request, after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(HOMES_READ)
    ) -> Response:
        start = cursor_id(after, "buildings")
        headers = await caught_up(request, buildings_view.VIEW.name)
        rows = await app.database.fetch(
            principal.community_ids, buildings_view.page_of(start, limit + 1))
        return json(page(rows, limit, "buildings", "id"), 200, headers)

    @router.post("/v1/homes", status_code=201)
    async def register_home(
        body: NewHome, request: Request, key: IdempotencyKey, principal: Principal = permitted(HOMES_MANAGE)
    ) -> Response:
        community_id = community_of(principal)
        building = await lookups.building(app, body.building_id, community_id)
        home_id = lookups.id_for(key, community_id)
        command = RegisterHome(home_id, body.building_id, building.units, body.unit, body.label)
        done = await app.commands.handle(home_id, command, context(request, principal, community_id), key=key)
        headers = position_header(app.service.name, app.commands.generation, done)
        return json({"id": done.outcome.id}, 201, headers)

    @router.get("/v1/homes")
    async def list_homes(
        request: Request, building_id: UUID | None = None, after: Annotated[str | None, Query(alias="cursor")] = None,
        limit: Limit = 50, principal: Principal = permitted(HOMES_READ)
    ) -> Response:
        filter_ = f"homes {building_id}"
        start = cursor_id(after, filter_)
        headers = await caught_up(request, homes_view.VIEW.name)
        rows = await app.database.fetch(
            principal.community_ids, homes_view.page_of(building_id, start, limit + 1))
        return json(page(rows, limit, filter_, "id"), 200, headers)

    return router
