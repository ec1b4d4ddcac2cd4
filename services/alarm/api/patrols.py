"""What guards on patrol tell, and how their rounds went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from msgspec import Struct
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import Input, Moment, community_of, json, permitted
from libs.eventkit.service import App
from services.alarm.api.patrol_routes import Latitude, Limit, Longitude, Tag
from services.alarm.domain.patrol_scans import SCANS, TAKEN, Means, Reading, TellScan, moment_of
from services.alarm.patrol_book import PatrolBook, tag_of
from services.alarm.views import patrol_rounds as view

MOST_SCANS = 100
NO_SUCH_POINT = "no_such_point"


class NewReading(Input):
    """Where the phone takes itself to be (WGS 84), give or take so many metres. Not kept; how far from the point that is, is."""

    longitude: Longitude
    latitude: Latitude
    accuracy: float = Field(ge=0, le=10_000)


class NewScan(Input):
    """`id`: made by the phone, the same whenever it is told again. `scanned_at`: by the phone's clock."""

    id: UUID
    tag: Tag
    means: Means
    scanned_at: Moment
    position: NewReading | None = None


class NewScans(Input):
    """`sent_at`: what the phone's clock says now."""

    sent_at: Moment
    scans: list[NewScan] = Field(min_length=1, max_length=MOST_SCANS)


class Told(Struct):
    """What came of one scan."""

    point_id: UUID | None = None
    there: bool = False
    refused: str | None = None
    done: Done | None = None


def routes(app: App, book: PatrolBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    reads = permitted(permissions.ALARMS_READ)

    @router.post("/patrol-scans")
    async def tell_patrol_scans(
        body: NewScans, request: Request, principal: Principal = permitted(permissions.ALARMS_GUARD),
    ) -> Response:
        """What a phone has read since it last told it, in any order; what was told before is the same scan. A tag is of the point at which
        it hung when it was read. Each is taken or refused by itself (`refused`: no_such_point, scan_id_taken, scanned_after_it_was_sent,
        scanned_too_long_ago; None: taken). `there` false: it counts in no round, for the phone was not at the point by its own word, or
        the scan was not taken."""
        community_id = community_of(principal)
        await book.memory.catch_up()
        book.understood(community_id)
        items, last = [], None
        for scan in body.scans:
            context = http.context(request, principal, community_id)
            told = await tell(scan, body.sent_at, principal.id, context)
            items.append({"id": scan.id, "point_id": told.point_id, "there": told.there, "refused": told.refused})
            last = told.done if told.done is not None and told.done.said else last
        headers = http.position_header(app.service.name, app.commands.generation, last) if last is not None else {}
        return json({"items": items}, 200, headers)

    async def tell(scan: NewScan, sent_at: datetime, by: UUID, context: Context) -> Told:
        at, tag = moment_of(scan.scanned_at, sent_at, context.now), tag_of(app.blind, context.community_id, scan.tag)
        point = book.tagged(context.community_id, tag, at)
        if point is None:
            return Told(refused=NO_SUCH_POINT)
        reading = Reading(**scan.position.model_dump()) if scan.position is not None else None
        command = TellScan(scan.id, point.point_id, by, scan.means, scan.scanned_at, sent_at, context.now, point.spot, reading)
        try:
            done = await app.commands.handle(scan.id, command, context)
            scanned, _ = await app.commands.state(SCANS, scan.id, context.community_id, fresh=False)
        except Refused as no:
            return Told(point.point_id, refused=no.code)
        except NotFound:  # the same id in another community
            return Told(point.point_id, refused=TAKEN)
        return Told(point.point_id, scanned.there, done=done)

    @router.get("/patrol-scans")
    async def list_patrol_scans(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """The last told first; `rounds` in which each counted, also where a nearer one counts since; `there` false where the phone was
        elsewhere."""
        before, stale = http.cursor_position(cursor, "patrol-scans"), await http.caught_up(request, view.SCANS_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.scans_of(before, limit + 1))
        fields = ("point_id", "by", "means", "at", "told_at", "distance", "there", "rounds", "position")
        found = [{"id": r["scan_id"], **{f: r[f] for f in fields}} for r in rows]
        return json(http.page(found, limit, "patrol-scans", "position"), 200, stale)

    @router.get("/patrol-rounds")
    async def list_patrol_rounds(
        request: Request, principal: Principal = reads, route_id: UUID | None = None, state: view.State | None = None,
        cursor: str | None = None, limit: int = Query(default=20, ge=1, le=100),
    ) -> Response:
        """The last begun first, each with its stops."""
        filter_ = f"patrol-rounds {route_id} {state}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, view.ROUNDS_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.rounds_of(before, limit + 1, route_id, state))
        return json(http.page([_shown(row) for row in rows], limit, filter_, "position"), 200, stale)

    @router.get("/patrol-rounds/{round_id}")
    async def show_patrol_round(round_id: UUID, request: Request, principal: Principal = reads) -> Response:
        stale = await http.caught_up(request, view.ROUNDS_VIEW.name)
        found = await app.database.fetch(principal.community_ids, view.one_round(round_id))
        if not found:
            raise NotFound("patrol_round")
        return json(_shown(found[0]), 200, stale)

    return router


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """`stops`: `met` early, on_time, late, missed, or None while it is open."""
    fields = ("route_id", "name", "starts_at", "state", "stops", "early", "on_time", "late", "missed", "times", "judged_at", "position")
    return {"id": row["round_id"], **{field: row[field] for field in fields}}
