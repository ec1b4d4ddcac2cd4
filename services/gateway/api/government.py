"""The government's face: incidents, population, parking and patrols of a community in figures. No name, no home, no unit, nobody's id."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import GOVERNMENT_READ
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, json, page, permitted
from libs.eventkit.service import App
from libs.eventkit.views import View
from services.gateway import figures
from services.gateway.api.incidents import queue_after
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.views import incident_lists, installed, lanes, my_home, patrols, population, stays

DAYS = 30
"""How far back moves and incidents that are over are counted."""
READER = permitted(GOVERNMENT_READ)
_STANDS = "select coalesce(min(position), 0) from checkpoints where name = any($1::text[])"


def router(app: App) -> APIRouter:
    found = APIRouter()

    async def answer(request: Request, community_id: UUID, views: Sequence[View], figures_of: Any) -> Response:
        """With the division code, the community's name, and up to where the log stands behind it."""
        used = (installed.COMMUNITIES, *views)
        stale = await fresh(app, request, community_id, used)
        named = await app.database.fetch([community_id], installed.community(community_id))
        if not named:
            raise NotFound("community")
        position = await (await app.database.pool()).fetchval(_STANDS, [view.name for view in used])
        now = datetime.now(UTC)
        return json({
            "community": named[0]["name"], "division_code": named[0]["division_code"], "as_of": {"position": position, "moment": now},
            **await figures_of(now)}, headers=stale)

    @found.get("/v1/government/incidents")
    async def list_government_incidents(
        request: Request, limit: Limit = 100, cursor: Annotated[Cursor, Query()] = None, principal: Principal = READER,
    ) -> Response:
        """Open ones and those raised in the last 30 days: figures by state and kind, then each with its deadlines, met or missed."""
        community_id = community_of(principal)
        after = queue_after(cursor, "government-incidents")

        async def of(now: datetime) -> dict[str, Any]:
            since = now - timedelta(days=DAYS)
            rows = await app.database.fetch([community_id], incident_lists.of_late(community_id, since, after, limit))
            counted = await app.database.fetch([community_id], incident_lists.counted(community_id, since))
            listed = page(rows, limit, "government-incidents", "queue", "id")
            return {
                "days": DAYS, "by_state": _summed(counted, "state"), "by_kind": _summed(counted, "kind"),
                "items": [figures.incident(row, now) for row in listed["items"]], "next": listed["next"]}

        return await answer(request, community_id, (incident_lists.USED[0], my_home.PLACES), of)

    @found.get("/v1/government/population")
    async def read_government_population(request: Request, principal: Principal = READER) -> Response:
        """Everybody who has a home here, once: by kind (实有人口) and by building; and how many came and left in 30 days."""
        community_id = community_of(principal)

        async def of(now: datetime) -> dict[str, Any]:
            kinds = await app.database.fetch([community_id], population.by_kind(community_id))
            buildings = await app.database.fetch([community_id], population.by_building(community_id))
            arrived, left = population.moved(community_id, (now - timedelta(days=DAYS)).date())
            moves = [(await app.database.fetch([community_id], query))[0]["people"] for query in (arrived, left)]
            houses = {str(row["building_id"]): row["people"] for row in buildings}
            named = await app.database.fetch([community_id], my_home.places_named(
                community_id, [row["building_id"] for row in buildings])) if buildings else []
            names = {str(row["id"]): row["name"] for row in named}
            return {
                **figures.people(sum(row["people"] for row in kinds)),
                "by_kind": figures.folded({row["kind"] or "undeclared": row["people"] for row in kinds}),
                "by_building": [
                    {"building_id": i, "building": names.get(i), "people": n} if i != figures.OTHER else {"building": i, "people": n}
                    for i, n in figures.folded(houses).items()],
                "moves": {"days": DAYS, "in": figures.people(moves[0]), "out": figures.people(moves[1])}}

        return await answer(request, community_id, (*population.USED, my_home.PLACES), of)

    @found.get("/v1/government/parking")
    async def list_government_parking(request: Request, principal: Principal = READER) -> Response:
        """Of each zone of each car park: spaces, vehicles inside, and stays whose exit was missed; percent rounded down."""
        community_id = community_of(principal)

        async def of(now: datetime) -> dict[str, Any]:
            counted = await app.database.fetch([community_id], stays.inside_by_zone(community_id))
            by_zone = {(row["lot_id"], row["zone"], row["state"]): row["stays"] for row in counted}
            rows = await app.database.fetch([community_id], lanes.all_lots(community_id))
            return {"items": [figures.lot(row, by_zone) for row in rows], "next": None}

        return await answer(request, community_id, (lanes.LOTS, stays.STAYS), of)

    @found.get("/v1/government/patrols")
    async def list_government_patrols(request: Request, principal: Principal = READER) -> Response:
        """Of each patrol route the rounds that began in the last 30 days and are judged: how many, in how many nothing was missed, and how
        many stops were met early, on time, late, or missed."""
        community_id = community_of(principal)

        async def of(now: datetime) -> dict[str, Any]:
            rows = await app.database.fetch([community_id], patrols.by_route(community_id, now - timedelta(days=DAYS)))
            return {"days": DAYS, "items": [figures.patrol(row) for row in rows], "next": None}

        return await answer(request, community_id, (patrols.ROUNDS,), of)

    return found


def _summed(counted: list[dict[str, Any]], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in counted:
        found[row[name]] = found.get(row[name], 0) + row["incidents"]
    return found
