"""Lots, spaces, lanes and tariffs, as staff manage them; how full each zone is."""

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
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.book import KnownLot, LotBook
from services.parking.domain.lanes import InstallLane
from services.parking.domain.lots import AdoptTariff, OpenLot
from services.parking.domain.spaces import MarkSpace, RemoveSpace
from services.parking.domain.tariffs import Tariff
from services.parking.views import lanes

Limit = Query(default=50, ge=1, le=200)
SHOWN = ("name", "clock", "spaces", "public", "grace")


class NewLot(Input):
    """`spaces`: how many each zone has; `grace`: seconds to leave after paying."""

    name: str = Field(min_length=1, max_length=80)
    clock: str = Field(default="Asia/Shanghai", max_length=64)
    spaces: dict[str, int] = Field(min_length=1, max_length=50)
    public: bool = True
    grace: int = Field(default=900, ge=0, le=86_400)


class LaneTerms(Input):
    """`lane_no`: the camera's number of the lane."""

    name: str = Field(min_length=1, max_length=80)
    direction: Literal["in", "out"]
    zone: str = Field(min_length=1, max_length=80)
    device_id: UUID
    lane_no: int = Field(default=1, ge=1, le=64)


class NewLane(LaneTerms):
    lot_id: UUID


class NewTariff(Input):
    """`tariff`: as `domain/tariffs.py` has it, in JSON; counts from the beginning of the day `since` in the lot's zone."""

    tariff: dict[str, Any]
    since: date


class NewSpace(Input):
    """`label`: as it is painted on the ground."""

    lot_id: UUID
    zone: str = Field(min_length=1, max_length=80)
    label: str = Field(min_length=1, max_length=40)


def tariff_of(given: dict[str, Any]) -> Tariff:
    """Raises Problem 422 for what is none, or has a field that no tariff has: a cap that is misspelt would be no cap."""
    try:
        tariff = msgspec.convert(given, Tariff)
    except msgspec.ValidationError as error:
        raise Problem(422, "tariff_unreadable", str(error)) from error
    if unknown := _unknown(given, msgspec.to_builtins(tariff)):
        raise Problem(422, "tariff_unreadable", f"Object contains unknown field `{unknown[:80]}`")
    return tariff


def _unknown(given: Any, known: Any) -> str:
    """The first name that was given and is not known, empty where there is none."""
    if isinstance(given, list):
        return next(filter(None, map(_unknown, given, known)), "")
    if isinstance(given, dict):
        return next(filter(None, (_unknown(value, known[name]) if name in known else name for name, value in given.items())), "")
    return ""


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

    @router.get("/lots")
    async def list_lots(principal: Principal = permitted(permissions.PARKING_READ)) -> Response:
        """`version`: what If-Match of a change takes; a tariff that is adopted changes it, too."""
        community_id = community_of(principal)
        await ready(community_id)
        items = [
            {"id": lot.opened.lot_id, **{f: getattr(lot.opened, f) for f in SHOWN}, "version": lot.version}
            for lot in book.lots(community_id)]
        return json({"items": items, "next": None})

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
        """By zone: spaces; taken; kept for permits; free for everybody else. Cars whose exit nobody saw are not counted."""
        community_id = community_of(principal)
        await ready(community_id)
        lot = book.lot(community_id, lot_id)
        at = now()
        zones = [
            {"zone": zone, "spaces": spaces, "taken": book.occupied(lot_id, zone), "kept": book.kept(lot_id, zone, at),
             "free": max(0, book.room(lot, zone, at))} for zone, spaces in sorted(lot.opened.spaces.items())]
        return json({"id": lot_id, "name": lot.opened.name, "zones": zones})

    @router.post("/lots/{lot_id}/tariffs", status_code=201)
    async def adopt_tariff(
        lot_id: UUID, body: NewTariff, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """Of today it counts for whoever comes in from now on."""
        community_id = community_of(principal)
        await ready(community_id)
        lot = book.lot(community_id, lot_id)
        tariff, at = tariff_of(body.tariff), now()
        command = AdoptTariff(lot_id, tariff, body.since, at.astimezone(ZoneInfo(lot.opened.clock)).date(), at)
        done = await app.commands.handle(lot_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": lot_id, "tariff": tariff.name, "version": tariff.version}, 201, position(done))

    @router.get("/lots/{lot_id}/tariffs")
    async def list_tariffs(lot_id: UUID, principal: Principal = permitted(permissions.PARKING_READ)) -> Response:
        """In the order of adoption, each with the day from which on it counts."""
        community_id = community_of(principal)
        await ready(community_id)
        items = [{"since": adoption.since, "tariff": adoption.tariff} for adoption in book.lot(community_id, lot_id).adoptions]
        return json({"items": items, "next": None})

    @router.post("/spaces", status_code=201)
    async def mark_space(
        body: NewSpace, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        community_id = community_of(principal)
        await ready(community_id)
        zone_of(book.lot(community_id, body.lot_id), body.zone)
        command = MarkSpace(uuid7(), body.lot_id, body.zone, body.label)
        done = await app.commands.handle(command.space_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id}, 201, position(done))

    @router.delete("/spaces/{space_id}")
    async def remove_space(
        space_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """Permits for it count on, for no space."""
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(space_id, RemoveSpace(space_id), context, key=key)
        return json({"id": space_id}, 200, position(done))

    @router.get("/lots/{lot_id}/spaces")
    async def list_spaces(
        lot_id: UUID, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """`permits`: for how many cars it is kept; `taken_by`: the stays of those that stand on it."""
        community_id, filter_ = community_of(principal), f"spaces {lot_id}"
        after = http.cursor_id(cursor, filter_)
        await ready(community_id)
        book.lot(community_id, lot_id)
        items = [
            {"id": space.space_id, "zone": space.zone, "label": space.label, "permits": len(book.permits_for(space.space_id)),
             "taken_by": sorted(book.stands_on(space.space_id))}
            for space in book.spaces(lot_id) if after is None or space.space_id > after]
        return json(http.page(items[:limit + 1], limit, filter_, "id"))

    @router.post("/lanes", status_code=201)
    async def install_lane(
        body: NewLane, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        community_id = community_of(principal)
        await ready(community_id)
        zone_of(book.lot(community_id, body.lot_id), body.zone)
        command = InstallLane(uuid7(), body.lot_id, body.name, body.direction, body.zone, body.device_id, body.lane_no)
        done = await app.commands.handle(command.lane_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id}, 201, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.put("/lanes/{lane_id}")
    async def change_lane(
        lane_id: UUID, body: LaneTerms, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """Another direction, zone or camera of the same lane; the camera that it had is free again. Needs If-Match with the version
        that the caller saw."""
        community_id = community_of(principal)
        await ready(community_id)
        lot_id = book.lane(community_id, lane_id).installed.lot_id
        zone_of(book.lot(community_id, lot_id), body.zone)
        done = await app.commands.handle(
            lane_id, InstallLane(lane_id, lot_id, body.name, body.direction, body.zone, body.device_id, body.lane_no),
            http.context(request, principal, community_id), key=key, expected=http.if_match(request, required=True))
        return json({"id": lane_id}, 200, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.get("/lanes")
    async def list_lanes(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """`version`: what If-Match of a change takes."""
        after, stale = http.cursor_id(cursor, "lanes"), await http.caught_up(request, lanes.LANES_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, lanes.page_of(after, limit + 1))
        items = [{"id": row.pop("lane_id"), **{k: v for k, v in row.items() if k != "community_id"}} for row in map(dict, rows)]
        return json(http.page(items, limit, "lanes", "id"), 200, stale)

    return router


def zone_of(lot: KnownLot, zone: str) -> None:
    """Raises Refused `zone_unknown`."""
    if zone not in lot.opened.spaces:
        raise Refused("zone_unknown", zone=zone)


def now() -> datetime:
    return datetime.now(UTC)


def utc(at: datetime | None) -> datetime | None:
    """Callers say moments with their own offset; the log and the topic have them in UTC."""
    return at and at.astimezone(UTC)
