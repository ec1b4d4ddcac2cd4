"""Vehicles: residents declare those of their home, staff look at the papers. Lists show plates masked; opening one
takes a purpose and is recorded.

Typing a stranger's plate tells nothing (S5): the answer is the same whether it is known here or not, residents see
neither findings nor versions, and an account has 10 declarations a day.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from msgspec import Struct
from pydantic import Field

from libs.contracts.permissions import VEHICLES_DECLARE_OWN, VEHICLES_MANAGE
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import (
    IdempotencyKey,
    Input,
    caught_up,
    community_of,
    context,
    cursor_id,
    if_match,
    json,
    page,
    permitted,
    position_header,
)
from libs.eventkit.log import Key
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import asking, lookups, plates
from services.identity.disclosing import looked, recorded_first
from services.identity.domain.askers import NoteProbing
from services.identity.domain.declarations import CountDeclaration
from services.identity.domain.vehicles import (
    VEHICLES,
    ConfirmKeeper,
    DisclosePlate,
    EndKeeper,
    How,
    NoVehicle,
    Registered,
    RemoveVehicle,
    VehicleClass,
)
from services.identity.views import residences as residences_view
from services.identity.views import vehicles as view

Limit = Annotated[int, Query(ge=1, le=200)]
Plate = Annotated[str, Field(max_length=60)]
NOT_FOR_RESIDENTS = ("findings", "version")
"""Both would tell that somebody else has the same plate."""


class NewVehicle(Input):
    """`keeper_id`: the resident who keeps it; a resident who declares one keeps it."""

    home_id: UUID
    plate: Plate
    vehicle_class: VehicleClass
    keeper_id: UUID | None = None


class Correction(Input):
    plate: Plate


class Papers(Input):
    how: How


class Keeper(Input):
    keeper_id: UUID


class Look(Input):
    purpose: Annotated[str, Field(max_length=200)]


def manages(principal: Principal) -> bool:
    return VEHICLES_MANAGE in principal.permissions


def shown_to(principal: Principal, row: dict[str, Any]) -> dict[str, Any]:
    return row if manages(principal) else {k: v for k, v in row.items() if k not in NOT_FOR_RESIDENTS}


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["vehicles"])

    def said(done: Done) -> dict[str, str]:
        return position_header(app.service.name, app.commands.generation, done)

    def tagged(done: Done) -> dict[str, str]:
        return {**said(done), "ETag": f'"{done.outcome.version}"'}

    async def count(principal: Principal, asked: Context, key: Key | None) -> None:
        """A retry is not counted again. Raises Problem 429."""
        if key and await app.log.outcome(asked.community_id, key):
            return
        who = asking.asker(principal.id, asked.community_id)
        try:
            await app.commands.handle(who, CountDeclaration(asked.now), asked)
        except Refused as refused:
            probing = NoteProbing(principal.id, principal.role, "declaration", asked.now)
            await app.commands.handle(who, probing, asked)
            wait = str(refused.facts["retry_after_seconds"])
            raise Problem(429, refused.code, headers={"Retry-After": wait}) from refused

    async def answered(vehicle_id: UUID, community_id: UUID, done: Done, status: int) -> Response:
        """To staff: with what was found."""
        vehicle, _ = await app.commands.state(VEHICLES, vehicle_id, community_id)
        findings = vehicle.findings if isinstance(vehicle, Registered) else ()
        return json({"id": vehicle_id, "findings": findings}, status, tagged(done))

    async def told(
        vehicle_id: UUID, command: Struct, request: Request, principal: Principal, key: Key | None
    ) -> Done:
        asked = context(request, principal, community_of(principal))
        expected = if_match(request) if manages(principal) else None
        return await app.commands.handle(vehicle_id, command, asked, key=key, expected=expected)

    @router.post("/v1/vehicles", status_code=201)
    async def register_vehicle(
        body: NewVehicle, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE)
    ) -> Response:
        """A resident's answer is the same whether another household has declared the plate or not."""
        community_id, plate = community_of(principal), plates.plate_of(body.plate)
        asked, keeper_id = context(request, principal, community_id), body.keeper_id
        if manages(principal):
            await lookups.home(app, body.home_id, community_id)
        else:
            if keeper_id not in (None, principal.id):
                raise Problem(403, "not_permitted", needs=VEHICLES_MANAGE)
            if not await lookups.lives_in(app, community_id, principal.id, body.home_id):
                raise NotFound("home")
            await lookups.not_erased(app, principal.id, community_id)
            await count(principal, asked, key)
            keeper_id = principal.id
        vehicle_id = lookups.id_for(key, community_id)
        query = view.page_of(None if manages(principal) else principal.id, body.home_id, False, None, 200)
        seen = await app.database.fetch(principal.community_ids, query)
        done = await plates.register(
            app, vehicle_id, body.home_id, keeper_id, plate, body.vehicle_class, asked, key, seen)
        if manages(principal):
            return await answered(vehicle_id, community_id, done, 201)
        return json({"id": done.outcome.id}, 201, said(done))

    @router.get("/v1/vehicles")
    async def list_vehicles(
        request: Request, home_id: UUID | None = None, doubtful: bool = False,
        after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE)
    ) -> Response:
        """Residents: those of the homes where they live. `doubtful`, for staff: those with findings."""
        resident_id = None if manages(principal) else principal.id
        doubtful = doubtful and manages(principal)
        filter_ = f"vehicles {resident_id} {home_id} {doubtful}"
        start = cursor_id(after, filter_)
        headers = await caught_up(request, view.VIEW.name, residences_view.VIEW.name)
        rows = await app.database.fetch(
            principal.community_ids, view.page_of(resident_id, home_id, doubtful, start, limit + 1))
        masked = [shown_to(principal, row) for row in await plates.masked_plates(app, rows)]
        return json(page(masked, limit, filter_, "id"), 200, headers)

    @router.get("/v1/vehicles/{vehicle_id}")
    async def show_vehicle(
        vehicle_id: UUID, request: Request, principal: Principal = permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE)
    ) -> Response:
        resident_id = None if manages(principal) else principal.id
        headers = await caught_up(request, view.VIEW.name, residences_view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.one(resident_id, vehicle_id))
        if not rows:
            raise NotFound("vehicle")
        if manages(principal):
            headers |= {"ETag": f'"{rows[0]["version"]}"'}
        return json(shown_to(principal, (await plates.masked_plates(app, rows))[0]), 200, headers)

    @router.patch("/v1/vehicles/{vehicle_id}")
    async def correct_plate(
        vehicle_id: UUID, body: Correction, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_MANAGE)
    ) -> Response:
        """Needs If-Match with the ETag that the caller saw. Another plate has to be verified again."""
        community_id, expected = community_of(principal), if_match(request, required=True)
        asked = context(request, principal, community_id)
        done = await plates.correct(app, vehicle_id, plates.plate_of(body.plate), asked, key, expected)
        return await answered(vehicle_id, community_id, done, 200)

    @router.post("/v1/vehicles/{vehicle_id}/verification")
    async def verify_binding(
        vehicle_id: UUID, body: Papers, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_MANAGE)
    ) -> Response:
        """The caller has seen papers with this plate. 409 plate_verified_elsewhere: those of another vehicle were seen
        before."""
        community_id = community_of(principal)
        asked = context(request, principal, community_id)
        done = await plates.verify(app, vehicle_id, body.how, principal.id, asked, key, if_match(request))
        return await answered(vehicle_id, community_id, done, 200)

    @router.post("/v1/vehicles/{vehicle_id}/keeper")
    async def confirm_keeper(
        vehicle_id: UUID, body: Keeper, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_MANAGE)
    ) -> Response:
        community_id = community_of(principal)
        await lookups.not_erased(app, body.keeper_id, community_id)
        home_id = (await lookups.vehicle(app, vehicle_id, community_id)).home_id
        lives_there = await lookups.lives_in(app, community_id, body.keeper_id, home_id)
        command = ConfirmKeeper(vehicle_id, body.keeper_id, lives_there)
        return await answered(vehicle_id, community_id, await told(vehicle_id, command, request, principal, key), 200)

    @router.delete("/v1/vehicles/{vehicle_id}/keeper", status_code=204)
    async def end_keeper(
        vehicle_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(VEHICLES_MANAGE)
    ) -> Response:
        done = await told(vehicle_id, EndKeeper(vehicle_id), request, principal, key)
        return Response(status_code=204, headers=tagged(done))

    @router.delete("/v1/vehicles/{vehicle_id}", status_code=204)
    async def remove_vehicle(
        vehicle_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE)
    ) -> Response:
        """A resident removes what they keep."""
        if not manages(principal):
            vehicle, _ = await app.commands.state(VEHICLES, vehicle_id, community_of(principal))
            if isinstance(vehicle, NoVehicle) or vehicle.keeper_id != principal.id:
                raise NotFound("vehicle")
        done = await told(vehicle_id, RemoveVehicle(vehicle_id), request, principal, key)
        return Response(status_code=204, headers=said(done))

    @router.post("/v1/vehicles/{vehicle_id}/disclosures", status_code=201)
    async def disclose_plate(
        vehicle_id: UUID, body: Look, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(VEHICLES_MANAGE)
    ) -> Response:
        """The plate in full, and which vehicle holds it: in a dispute another one. Who looked, and for what, stays on
        record. 409 look_expired: asked again under its key a minute later."""
        community_id = community_of(principal)
        asked = context(request, principal, community_id)
        await asking.spend(app, principal, asked, "look", key)
        command = DisclosePlate(vehicle_id, principal.id, body.purpose, principal.role)
        done, shown = await recorded_first(
            lambda: looked(app, VEHICLES, vehicle_id, command, asked, key, if_match(request)),
            lambda: plates.in_full(app, vehicle_id, community_id))
        return json(shown, 201, {**tagged(done), "Cache-Control": "no-store"})

    return router
