"""What people were told: a resident's notices, and for staff every notice, whom a broadcast reached, and what a fire release holds."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import ALARMS_READ, BROADCASTS_SEND, NEIGHBORS_OWN, NOTICES_POST
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, cursor_id, cursor_position, json, page, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.views import broadcasts, doors, fire_releases, installed, my_home, my_notices, notices

RELEASES = (fire_releases.FIRE_RELEASES, doors.DOORS, installed.LIFTS, my_home.PLACES)
HIDDEN = ("rank", "position", "asked")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/me/notices")
    async def list_my_notices(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(NEIGHBORS_OWN),
    ) -> Response:
        """Emergencies that last, then what is unread, then the rest; the newest first."""
        community_id, filter_ = community_of(principal), f"my-notices {principal.id}"
        after = rank_after(cursor, filter_)
        stale = await fresh(app, request, community_id, my_notices.USED)
        asked = after[2] if after is not None else datetime.now(UTC)
        rows = await app.database.fetch(
            [community_id], my_notices.of_resident(community_id, principal.id, after and after[:2], asked, limit))
        found = page([{**row, "asked": (asked - EPOCH) // timedelta(microseconds=1)} for row in rows], limit, filter_, *HIDDEN)
        items = [{**{k: v for k, v in row.items() if k not in HIDDEN}, "read": row["read_at"] is not None} for row in found["items"]]
        return json({**found, "items": items}, headers=stale)

    @found.get("/v1/notices")
    async def list_notices(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(NOTICES_POST),
    ) -> Response:
        """Newest first, each with how many of how many have read it; withdrawn ones too."""
        community_id = community_of(principal)
        position = cursor_position(cursor, "notices")
        stale = await fresh(app, request, community_id, notices.VIEWS)
        rows = await app.database.fetch([community_id], notices.all_notices(community_id, position, limit))
        return json(page(rows, limit, "notices", "position"), headers=stale)

    @found.get("/v1/broadcasts/{broadcast_id}")
    async def read_broadcast(
        request: Request, broadcast_id: UUID, limit: Limit = 200, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(BROADCASTS_SEND),
    ) -> Response:
        """Whom it reached, by which channel, whom not and why, who has read it: in figures and, page by page, everybody."""
        community_id, filter_ = community_of(principal), f"broadcast {broadcast_id}"
        after = cursor_id(cursor, filter_)
        stale = await fresh(app, request, community_id, (*broadcasts.VIEWS, notices.RECEIPTS, my_home.PLACES))
        rows = await app.database.fetch([community_id], broadcasts.broadcast(community_id, broadcast_id))
        if not rows:
            raise NotFound("broadcast")
        counted = await app.database.fetch([community_id], broadcasts.counted(community_id, [broadcast_id]))
        read = await app.database.fetch([community_id], broadcasts.reads_of(community_id, broadcast_id))
        people = await app.database.fetch([community_id], broadcasts.residents_told(community_id, broadcast_id, after, limit))
        residents = page(people, limit, filter_, "resident_id")
        return json({
            **rows[0], "told": sum(row["residents"] for row in counted if row["reason"] is None),
            "not_told": {row["reason"]: row["residents"] for row in counted if row["reason"] is not None},
            "read": read[0]["read"], "residents": residents["items"], "next": residents["next"]}, headers=stale)

    @found.get("/v1/fire-releases")
    async def list_fire_releases(
        request: Request, open_only: bool = False, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(ALARMS_READ),
    ) -> Response:
        """Newest first; of each door and lift whether its relay is held, set back, or not yet either."""
        community_id, filter_ = community_of(principal), f"fire-releases {open_only}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, RELEASES)
        rows = await app.database.fetch([community_id], fire_releases.releases_of(community_id, open_only, position, limit))
        names = await names_of(app, community_id, rows)
        return json(page([release(row, names) for row in rows], limit, filter_, "position"), headers=stale)

    return found


def release(row: Row, names: dict[str, str]) -> Row:
    kept = {name: value for name, value in row.items() if name not in ("community_id", "release_id", "relays")}
    return {
        "id": row["release_id"], **kept, "building": names.get(str(row["building_id"])),
        "relays": [{**relay, "name": names.get(relay["id"])} for relay in row["relays"]],
        "held": sum(relay["state"] == "held" for relay in row["relays"]),
        "not_yet": sum(relay["state"] == "not_yet" for relay in row["relays"]),
        "set_back": sum(relay["state"] == "set_back" for relay in row["relays"])}


async def names_of(app: App, community_id: UUID, rows: list[Row]) -> dict[str, str]:
    """Of the doors, lifts and buildings, by id as JSON has it."""
    ids = {UUID(relay["id"]) for row in rows for relay in row["relays"]}
    found: list[Row] = []
    for wanted, query in (
        (ids, doors.doors_named), (ids, installed.lifts_named), ({row["building_id"] for row in rows}, my_home.places_named),
    ):
        found += await app.database.fetch([community_id], query(community_id, wanted)) if wanted else []
    return {str(row["id"]): row["name"] for row in found}


def rank_after(cursor: str | None, filter_: str) -> tuple[int, int, datetime] | None:
    """With the moment of the first page, which the cursor has in microseconds. Raises Problem 400."""
    values = http.cursor(cursor, filter_, 3)
    if not values:
        return None
    if not all(value.isascii() and value.isdigit() and len(value) <= 18 for value in values) or len(values[2]) > 16:
        raise Problem(400, "cursor_malformed")
    return int(values[0]), int(values[1]), EPOCH + timedelta(microseconds=int(values[2]))
