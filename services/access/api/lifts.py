"""Lifts and the floors of homes, as staff manage them; calling a lift to a floor."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.lifts import HIGHEST, LOWEST, InstallLift, LiftFloor, SetHomeFloor
from services.access.domain.openings import OpenRemotely
from services.access.views import lifts

Limit = Query(default=50, ge=1, le=200)


class Floor(Input):
    floor: int = Field(ge=LOWEST, le=HIGHEST)


class FloorRelay(Floor):
    door_no: int = Field(ge=1, le=256)


class NewLift(Input):
    name: str = Field(min_length=1, max_length=80)
    building_id: UUID
    device_id: UUID
    floors: list[FloorRelay] = Field(min_length=1, max_length=64)


def routes(app: App, book: DoorBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.post("/lifts", status_code=201)
    async def install_lift(
        body: NewLift, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.DOORS_MANAGE),
    ) -> Response:
        """409 device_retired: the device is out of use."""
        return await put(uuid7(), body, request, key, principal, None, 201)

    @router.put("/lifts/{lift_id}")
    async def change_lift(
        lift_id: UUID, body: NewLift, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DOORS_MANAGE),
    ) -> Response:
        """Needs If-Match with the version that the caller saw (428 without, 412 when it has changed). 409 device_retired: as above."""
        return await put(lift_id, body, request, key, principal, http.if_match(request, required=True), 200)

    async def put(
        lift_id: UUID, body: NewLift, request: Request, key: Any, principal: Principal, expected: int | None, status: int,
    ) -> Response:
        community_id = community_of(principal)
        await book.memory.fresh()
        book.hangs(community_id, lift_id, body.device_id)
        command = InstallLift(
            lift_id=lift_id, name=body.name, building_id=body.building_id, device_id=body.device_id,
            floors=tuple(LiftFloor(f.floor, f.door_no) for f in body.floors))
        done = await app.commands.handle(
            lift_id, command, http.context(request, principal, community_id), key=key, expected=expected)
        return json({"id": done.outcome.id}, status, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.get("/lifts")
    async def list_lifts(
        request: Request, principal: Principal = permitted(permissions.DOORS_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """`device_retired`: nothing opens it until another device does."""
        after, stale = http.cursor_id(cursor, "lifts"), await http.caught_up(request, lifts.VIEW.name)
        await book.memory.fresh()
        rows = await app.database.fetch(principal.community_ids, lifts.page_of(after, limit + 1))
        shown = ("name", "building_id", "device_id", "floors", "version")
        found = [
            {"id": r["lift_id"], **{k: r[k] for k in shown},
             "device_retired": book.retired(r["community_id"], r["device_id"]) is not None} for r in rows]
        return json(http.page(found, limit, "lifts", "id"), 200, stale)

    @router.put("/homes/{home_id}/floor")
    async def set_home_floor(
        home_id: UUID, body: Floor, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DOORS_MANAGE),
    ) -> Response:
        """To which floor the lift takes who lives here, and visitors whose pass is issued from now on."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        book.building(community_id, home_id)
        done = await app.commands.handle(
            home_id, SetHomeFloor(home_id, body.floor), http.context(request, principal, community_id), key=key)
        return json({"id": home_id, "floor": body.floor}, 200, position(done))

    @router.post("/lifts/{lift_id}/openings", status_code=201)
    async def call_lift(
        lift_id: UUID, body: Floor, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DOORS_OPEN),
    ) -> Response:
        """Orders the floor's relay now or refuses with the rule that says no (409; device_retired: nobody could carry it out). The
        order lives five seconds."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        lift = book.lift(community_id, lift_id, body.floor)
        judgement = book.judge(lift, "remote", datetime.now(UTC), person_id=principal.id)
        opening_id = uuid7()
        done = await app.commands.handle(
            opening_id,
            OpenRemotely(
                opening_id=opening_id, door_id=lift_id, device_id=lift.device_id, door_no=lift.door_no, judgement=judgement),
            http.context(request, principal, community_id, caused_by=tuple(f.event_id for f in judgement.facts)), key=key)
        answer = {"id": done.outcome.id, "lift_id": lift_id, "floor": body.floor, "state": "ordered",
                  "event_id": done.outcome.events[0]}
        return json(answer, 201, {**position(done), "Location": f"/v1/events/{done.outcome.events[0]}/explanation"})

    return router
