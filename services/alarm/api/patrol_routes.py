"""Points that patrols go by, and routes: what staff set up."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.alarm.api.places import NewPlace, place_of
from services.alarm.book import AlarmBook
from services.alarm.domain.patrol_points import Ground, PatrolPointPlaced, PlacePatrolPoint
from services.alarm.domain.patrol_routes import (
    LONGEST,
    MOST_STARTS,
    MOST_STOPS,
    Course,
    PatrolRouteSet,
    SetPatrolRoute,
    Stop,
    Timetable,
)
from services.alarm.patrol_book import PatrolBook, tag_of
from services.alarm.views import patrols

Limit = Query(default=50, ge=1, le=200)
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Tag = Annotated[str, Field(min_length=4, max_length=200, pattern=r"^[!-~]+$")]
"""What is read of an NFC tag (its UID in hex, or its text) or a QR code."""
Minutes = Annotated[int, Field(ge=1, le=LONGEST)]


class NewSpot(Input):
    """WGS 84, in degrees; whoever is within so many metres is there."""

    longitude: Longitude
    latitude: Latitude
    within: int = Field(default=50, ge=5, le=1000)


class NewPoint(Input):
    """`tag` None: it keeps the one that it has. Shown to nobody."""

    name: str = Field(min_length=1, max_length=80)
    place: NewPlace = NewPlace()
    spot: NewSpot | None = None
    tag: Tag | None = None
    in_use: bool = True


class NewStop(Input):
    """`after`: minutes from the start."""

    point_id: UUID
    after: int = Field(ge=0, le=LONGEST)


class NewRoute(Input):
    """`weekdays` by ISO 8601 (1: Monday), `starts` as 22:30 by the community's clock. Minutes: within `tolerance` of a stop's time is on
    time, within `counts` early or late."""

    name: str = Field(min_length=1, max_length=80)
    stops: list[NewStop] = Field(min_length=1, max_length=MOST_STOPS)
    weekdays: set[Annotated[int, Field(ge=1, le=7)]] = Field(default={1, 2, 3, 4, 5, 6, 7}, min_length=1)
    starts: set[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]] = Field(min_length=1, max_length=MOST_STARTS)
    tolerance: Minutes = 5
    counts: Minutes = 15
    in_use: bool = True


def routes(app: App, book: AlarmBook, patrol_book: PatrolBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    manages, reads = permitted(permissions.ALARMS_MANAGE), permitted(permissions.ALARMS_READ)

    def answer(done: Done, status: int, version: int) -> Response:
        headers = http.position_header(app.service.name, app.commands.generation, done)
        return json({"id": done.outcome.id}, status, {**headers, "ETag": f'"{version}"'})

    @router.post("/patrol-points", status_code=201)
    async def place_patrol_point(body: NewPoint, request: Request, key: IdempotencyKey, principal: Principal = manages) -> Response:
        """409 tag_of_another_point, tag_missing."""
        return await put_point(uuid7(), body, request, key, principal, None, 201)

    @router.put("/patrol-points/{point_id}")
    async def change_patrol_point(
        point_id: UUID, body: NewPoint, request: Request, key: IdempotencyKey, principal: Principal = manages,
    ) -> Response:
        """Moved, given another tag, or taken out of use. Needs If-Match with the version that the caller saw (428 without, 412 when it
        has changed)."""
        return await put_point(point_id, body, request, key, principal, http.if_match(request, required=True), 200)

    async def put_point(
        point_id: UUID, body: NewPoint, request: Request, key: Any, principal: Principal, expected: int | None, status: int,
    ) -> Response:
        community_id = community_of(principal)
        await book.memory.catch_up()
        place = place_of(body.place, book, community_id)
        spot = Ground(**body.spot.model_dump()) if body.spot is not None else None
        tag = tag_of(app.blind, community_id, body.tag) if body.tag is not None else ""
        command = PlacePatrolPoint(PatrolPointPlaced(point_id, body.name, place, spot, tag, body.in_use))
        context = http.context(request, principal, community_id)
        done = await app.commands.handle(point_id, command, context, key=key, expected=expected)
        return answer(done, status, done.outcome.version)

    @router.get("/patrol-points")
    async def list_patrol_points(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """Without their tags."""
        after, stale = http.cursor_id(cursor, "patrol-points"), await http.caught_up(request, patrols.POINTS_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, patrols.points_of(after, limit + 1))
        fields = ("name", "place", "spot", "in_use", "version")
        found = [{"id": r["point_id"], **{f: r[f] for f in fields}} for r in rows]
        return json(http.page(found, limit, "patrol-points", "id"), 200, stale)

    @router.post("/patrol-routes", status_code=201)
    async def set_patrol_route(body: NewRoute, request: Request, key: IdempotencyKey, principal: Principal = manages) -> Response:
        """Its first round is the next start from now on. 409 stops_out_of_order, tolerance_out_of_range, point_not_in_use."""
        return await put_route(uuid7(), body, request, key, principal, 0, 201)

    @router.put("/patrol-routes/{route_id}")
    async def change_patrol_route(
        route_id: UUID, body: NewRoute, request: Request, key: IdempotencyKey, principal: Principal = manages,
    ) -> Response:
        """For rounds that have not begun. Needs If-Match with the version that the caller saw (428 without, 412 when it has changed);
        a round that begins does not change it."""
        seen = http.if_match(request, required=True)
        return await put_route(route_id, body, request, key, principal, seen or 0, 200)

    async def put_route(
        route_id: UUID, body: NewRoute, request: Request, key: Any, principal: Principal, seen: int, status: int,
    ) -> Response:
        community_id = community_of(principal)
        await patrol_book.memory.catch_up()
        for point_id in {stop.point_id for stop in body.stops} if body.in_use else ():
            patrol_book.walkable(community_id, point_id)
        course = Course(body.name, tuple(Stop(s.point_id, s.after) for s in body.stops), body.tolerance, body.counts)
        starts = tuple(sorted(int(start[:2]) * 60 + int(start[3:]) for start in body.starts))
        timetable = Timetable(book.clock(community_id), tuple(sorted(body.weekdays)), starts)
        context = http.context(request, principal, community_id)
        command = SetPatrolRoute(PatrolRouteSet(route_id, course, timetable, body.in_use, context.now), seen)
        done = await app.commands.handle(route_id, command, context, key=key)
        return answer(done, status, seen + (1 if done.outcome.events else 0))

    @router.get("/patrol-routes")
    async def list_patrol_routes(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        after, stale = http.cursor_id(cursor, "patrol-routes"), await http.caught_up(request, patrols.ROUTES_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, patrols.routes_of(after, limit + 1))
        return json(http.page([_shown(row) for row in rows], limit, "patrol-routes", "id"), 200, stale)

    return router


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """As it is set."""
    course, timetable = row["course"], row["timetable"]
    starts = [f"{minute // 60:02}:{minute % 60:02}" for minute in timetable["starts"]]
    return {
        "id": row["route_id"], **course, "zone": timetable["zone"], "weekdays": timetable["weekdays"], "starts": starts,
        "in_use": row["in_use"], "version": row["edition"]}
