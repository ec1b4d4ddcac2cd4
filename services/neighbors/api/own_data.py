"""What neighbors keeps about the caller, for the caller alone: the part of an export that is here only."""

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import DATA_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.http import caught_up, community_of, json, permitted
from libs.eventkit.service import App
from services.neighbors import names
from services.neighbors.book import CircleBook
from services.neighbors.views import members


def routes(app: App, book: CircleBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/me/data")
    async def read_own_data(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """Part of `GET /v1/me/export` of the gateway. `display_name`: null for somebody who has never lived here."""
        community_id = community_of(principal)
        stale = await caught_up(request, members.VIEW.name)
        await book.ready()
        given = book.given_name(community_id, principal.id)
        [name] = await names.names_of(app, book, community_id, [principal.id])
        rows = await app.database.fetch(principal.community_ids, members.circles_of(principal.id))
        circles = [{"id": row["id"], "building_id": row["building_id"], "joined_at": row["joined_at"]} for row in rows]
        return json(
            {"display_name": name or None, "chosen": bool(name) and name != given, "circles": circles}, 200,
            {**stale, "Cache-Control": "no-store"})

    return router
