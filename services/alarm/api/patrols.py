"""What guards on patrol tell, and how their rounds went."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import Input, Moment, community_of, json, permitted
from libs.eventkit.service import App
from services.alarm.api.patrol_routes import Latitude, Limit, Longitude, Tag
from services.alarm.domain.patrol_scans import SCANS, TAKEN, Means, Reading, TellScan
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


def routes(app: App, book: PatrolBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    reads = permitted(permissions.ALARMS_READ)

    @router.post("/patrol-scans")
    async def tell_patrol_scans(
        body: NewScans, request: Request, principal: Principal = permitted(permissions.ALARMS_GUARD),
    ) -> Response:
        """What a phone has read since it last told it, in any order; what was told before is the same scan. Each is taken or refused by
        itself (`refused`: no_such_point, scan_id_taken, scanned_after_it_was_sent, scanned_too_long_ago; None: taken). `there` false:
        it counts in no round, for the phone was not at the point by its own word, or the scan was not taken."""
        community_id = community_of(principal)
        await book.memory.catch_up()
        book.understood(community_id)
        told, last = [], None
        for scan in body.scans:
            point = book.tagged(community_id, tag_of(app.blind, community_id, scan.tag))
            if point is None:
                told.append({"id": scan.id, "point_id": None, "there": False, "refused": NO_SUCH_POINT})
                continue
            context = http.context(request, principal, community_id)
            reading = Reading(**scan.position.model_dump()) if scan.position is not None else None
            command = TellScan(
                scan.id, point.point_id, principal.id, scan.means, scan.scanned_at, body.sent_at, context.now, point.spot, reading)
            refused, there = None, False
            try:
                done = await app.commands.handle(scan.id, command, context)
                last = done if done.said else last
                scanned, _ = await app.commands.state(SCANS, scan.id, community_id, fresh=False)
                there = scanned.there
            except Refused as no:
                refused = no.code
            except NotFound:  # the same id in another community
                refused = TAKEN
            told.append({"id": scan.id, "point_id": point.point_id, "there": there, "refused": refused})
        headers = http.position_header(app.service.name, app.commands.generation, last) if last is not None else {}
        return json({"items": told}, 200, headers)

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
