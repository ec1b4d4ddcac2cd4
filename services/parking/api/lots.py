"""Lots, lanes, tariffs, permits and lists, as staff manage them; who is inside where."""

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import Refused
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import seal
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.api.plates import masked_plates
from services.parking.book import LotBook
from services.parking.domain.lanes import InstallLane
from services.parking.domain.lots import AdoptTariff, OpenLot
from services.parking.domain.plate_rights import EndPlateRight, GrantPlateRight, PlateRightGranted
from services.parking.domain.plates import PlateRefused, read_plate
from services.parking.domain.tariffs import Tariff
from services.parking.lane_desk import index_of
from services.parking.views import lanes, rights

Limit = Query(default=50, ge=1, le=200)


class NewLot(Input):
    """`spaces`: how many each zone has; `grace`: seconds to leave after paying."""

    name: str = Field(min_length=1, max_length=80)
    clock: str = Field(default="Asia/Shanghai", max_length=64)
    spaces: dict[str, int] = Field(min_length=1, max_length=50)
    public: bool = True
    grace: int = Field(default=900, ge=0, le=86_400)


class NewLane(Input):
    lot_id: UUID
    name: str = Field(min_length=1, max_length=80)
    direction: Literal["in", "out"]
    zone: str = Field(min_length=1, max_length=80)
    device_id: UUID
    lane_no: int = Field(default=1, ge=1, le=64)


class NewTariff(Input):
    """`tariff`: as `domain/tariffs.py` has it, in JSON; counts from the beginning of the day `since` in the lot's zone."""

    tariff: dict[str, Any]
    since: date


class NewRight(Input):
    """A permit, or a plate on the white or black list. Without `lot_id` it counts in every lot of the community."""

    kind: Literal["permit", "white", "black"]
    plate: str = Field(min_length=2, max_length=20)
    lot_id: UUID | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    person_id: UUID | None = None
    vehicle_id: UUID | None = None
    reason: str = Field(default="", max_length=200)


def routes(app: App, book: LotBook) -> APIRouter:
    router = APIRouter(prefix="/v1/parking")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    async def ready(community_id: UUID) -> None:
        """With what the caller has just done."""
        await book.memory.catch_up()
        await book.ready(await app.database.pool(), community_id)

    @router.post("/lots", status_code=201)
    async def open_lot(
        body: NewLot, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        command = OpenLot(uuid7(), body.name, body.clock, body.spaces, body.public, body.grace)
        done = await app.commands.handle(command.lot_id, command, http.context(request, principal, community_of(principal)), key=key)
        return json({"id": done.outcome.id}, 201, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.put("/lots/{lot_id}")
    async def change_lot(
        lot_id: UUID, body: NewLot, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """Needs If-Match with the version that the caller saw."""
        community_id = community_of(principal)
        await ready(community_id)
        book.lot(community_id, lot_id)
        done = await app.commands.handle(
            lot_id, OpenLot(lot_id, body.name, body.clock, body.spaces, body.public, body.grace),
            http.context(request, principal, community_id), key=key, expected=http.if_match(request, required=True))
        return json({"id": lot_id}, 200, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.get("/lots/{lot_id}/occupancy")
    async def show_occupancy(lot_id: UUID, principal: Principal = permitted(permissions.PARKING_READ)) -> Response:
        """By zone: spaces, taken, free. Cars whose exit nobody saw are not counted."""
        community_id = community_of(principal)
        await ready(community_id)
        lot = book.lot(community_id, lot_id)
        zones = [
            {"zone": zone, "spaces": spaces, "taken": book.occupied(lot_id, zone), "free": max(0, book.room(lot, zone))}
            for zone, spaces in sorted(lot.opened.spaces.items())]
        return json({"id": lot_id, "name": lot.opened.name, "zones": zones})

    @router.post("/lots/{lot_id}/tariffs", status_code=201)
    async def adopt_tariff(
        lot_id: UUID, body: NewTariff, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        community_id = community_of(principal)
        await ready(community_id)
        lot = book.lot(community_id, lot_id)
        try:
            tariff = msgspec.convert(body.tariff, Tariff)
        except msgspec.ValidationError as error:
            raise Problem(422, "tariff_unreadable", str(error)) from error
        today = datetime.now(ZoneInfo(lot.opened.clock)).date()
        done = await app.commands.handle(
            lot_id, AdoptTariff(lot_id, tariff, body.since, today), http.context(request, principal, community_id), key=key)
        return json({"id": lot_id, "tariff": tariff.name, "version": tariff.version}, 201, position(done))

    @router.post("/lanes", status_code=201)
    async def install_lane(
        body: NewLane, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        community_id = community_of(principal)
        await ready(community_id)
        if body.zone not in book.lot(community_id, body.lot_id).opened.spaces:
            raise Refused("zone_unknown", zone=body.zone)
        command = InstallLane(uuid7(), body.lot_id, body.name, body.direction, body.zone, body.device_id, body.lane_no)
        done = await app.commands.handle(command.lane_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id}, 201, position(done))

    @router.get("/lanes")
    async def list_lanes(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        after, stale = http.cursor_id(cursor, "lanes"), await http.caught_up(request, lanes.LANES_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, lanes.page_of(after, limit + 1))
        items = [{"id": row.pop("lane_id"), **{k: v for k, v in row.items() if k != "community_id"}} for row in map(dict, rows)]
        return json(http.page(items, limit, "lanes", "id"), 200, stale)

    @router.post("/plate-rights", status_code=201)
    async def grant_plate_right(
        body: NewRight, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """422 plate_invalid with the reason for what is no plate."""
        community_id = community_of(principal)
        try:
            value = read_plate(body.plate, "form").value
        except PlateRefused as refused:
            raise Problem(422, "plate_invalid", reason=refused.reason) from refused
        if value is None:
            raise Problem(422, "plate_invalid", reason="no_plate")
        right_id = uuid7()
        handle = await app.keyring.key_for(community_id, f"plate-right:{right_id}", "plate")
        plate = seal(handle.dek, handle.key_id, right_id, "plate", value)
        grant = PlateRightGranted(
            right_id, body.kind, plate, body.lot_id, body.valid_from, body.valid_until, None, body.person_id, body.vehicle_id,
            body.reason)
        done = await app.commands.handle(
            right_id, GrantPlateRight(grant, index_of(app, community_id, value)), http.context(request, principal, community_id),
            key=key, first=[KeyCreated(handle.key_id)] if handle.is_new else [])
        if done.outcome.events and not done.replayed:
            await app.keyring.announced(handle.key_id)
        return json({"id": done.outcome.id}, 201, position(done))

    @router.delete("/plate-rights/{right_id}")
    async def end_plate_right(
        right_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(right_id, EndPlateRight(right_id, "by_staff"), context, key=key)
        return json({"id": right_id}, 200, position(done))

    @router.get("/plate-rights")
    async def list_plate_rights(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
        kind: Literal["vehicle", "permit", "visitor_pass", "white", "black"] | None = None,
    ) -> Response:
        filter_ = f"plate rights {kind}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, rights.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, rights.page_of(after, limit + 1, kind))
        plates = await masked_plates(app, [row["plate"] for row in rows])
        fields = ("kind", "lot_id", "valid_from", "valid_until", "uses", "person_id", "reason")
        items = [
            {"id": row["right_id"], "plate": plate, **{f: row[f] for f in fields}}
            for row, plate in zip(rows, plates, strict=True)]
        return json(http.page(items, limit, filter_, "id"), 200, stale)

    return router


def now() -> datetime:
    return datetime.now(UTC)
