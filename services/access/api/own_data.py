"""What access keeps about the caller, for the caller alone: the part of an export that is here only. Credentials by kind, no numbers:
whoever finds the file opens nothing with it. Of a duress PIN there is no word."""

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import DATA_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.http import caught_up, json, permitted
from libs.eventkit.service import App
from services.access.views import credentials, notices

MOST = 1000


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/me/data")
    async def read_own_data(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """Part of `GET /v1/me/export` of the gateway."""
        stale = await caught_up(request, credentials.VIEW.name, notices.VIEW.name)
        held = await app.database.fetch(principal.community_ids, credentials.of_person(principal.id, MOST))
        told = await app.database.fetch(principal.community_ids, notices.page_of(principal.id, None, MOST))
        shown = ("notice_id", "kind", "pass_id", "detail", "at")
        return json(
            {"credentials": held, "notices": [{name: row[name] for name in shown} for row in told]}, 200,
            {**stale, "Cache-Control": "no-store"})

    return router
