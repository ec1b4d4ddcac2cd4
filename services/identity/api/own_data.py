"""Everything that identity keeps about the caller, in the clear, for the caller alone: the part of an export that is here only.

Nobody else is in it: of consents not who else gave them, of homes not who else lives there.
"""

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import DATA_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.http import caught_up, community_of, json, permitted
from libs.eventkit.service import App
from services.identity import contacts
from services.identity.api.consents import consents_of
from services.identity.plates import own_plates
from services.identity.views import accounts, consents, residences, residents, sessions, vehicles

MOST = 1000
"""Of one kind: sign-ins of years."""
USED = (residents.VIEW, residences.VIEW, vehicles.VIEW, accounts.VIEW, sessions.VIEW, *consents.VIEWS)


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["residents"])

    @router.get("/v1/me/data")
    async def read_own_data(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """Part of `GET /v1/me/export` of the gateway."""
        community_id, me = community_of(principal), principal.id
        stale = await caught_up(request, *(view.name for view in USED))
        shown = await contacts.in_full(app, me, community_id, id_number=True)
        rows = await app.database.fetch(principal.community_ids, residents.one(me))
        kept = ("registered_at", "phone_findings", "findings", "population", "population_sources")
        return json({
            "resident": {**shown, **{name: rows[0][name] for name in kept if rows}},
            "residences": await app.database.fetch(principal.community_ids, residences.page_of(None, me, None, MOST)),
            "vehicles": await own_plates(app, await app.database.fetch(principal.community_ids, vehicles.kept_by(me, MOST))),
            "accounts": await app.database.fetch(principal.community_ids, accounts.of_person(me, MOST)),
            "sessions": await app.database.fetch(principal.community_ids, sessions.of_person(me, MOST)),
            "consents": await consents_of(app, principal, [me]),
        }, 200, {**stale, "Cache-Control": "no-store"})

    return router
