"""Care for who lives alone, as they have it, and as their neighbours who help."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import CARE_OWN, DATA_OWN
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import IdempotencyKey, Input, Moment, community_of, json, permitted
from libs.eventkit.service import App
from services.alarm.api.care import NewTerms, edition_of, shown, terms_of
from services.alarm.book import AlarmBook
from services.alarm.care_book import CareBook
from services.alarm.domain.care import CARE, AnswerAsHelper, ArrangeCare, EndCare, SetAbsence
from services.alarm.domain.care_history import Cared
from services.alarm.processes.care import KEPT, signs_since


class OwnTerms(NewTerms):
    """`helpers`: those of the neighbours named by staff who may stay; None: all."""

    helpers: set[UUID] | None = None


class Absence(Input):
    """None: back at home."""

    until: Moment | None


class Helping(Input):
    agrees: bool


def routes(app: App, alarms: AlarmBook, book: CareBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    own = permitted(CARE_OWN)

    async def at_home(home_id: UUID, request: Request, principal: Principal, living: bool = False) -> Context:
        """Raises NotFound for who does not live there; or, but for `living`, is not one of those for whom it was arranged."""
        context = http.context(request, principal, community_of(principal))
        await book.memory.catch_up()
        book.understood(context.community_id)
        there = book.living if living else book.at_home
        if principal.id not in there(context.community_id, home_id):
            raise NotFound("care")
        return context

    def headers(done: Done) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.get("/me/care")
    async def read_own_care(principal: Principal = own) -> Response:
        """`homes`: where the caller is cared for. `helping`: homes as whose neighbour the caller was named, whether they agreed (None: to
        be answered), and a check in which they are asked now."""
        here = community_of(principal)
        await book.memory.catch_up()
        await alarms.memory.catch_up()
        homes = [{"home_id": i, **shown(state)} for i in book.homes_of(here, principal.id) if (state := await care_at(i, here))]
        helping = []
        for home_id in book.helped_by(here, principal.id):
            if (state := await care_at(home_id, here)) is not None:
                place = alarms.home(here, home_id).place
                where = {"label": place.name, "building_id": place.building_id, "unit": place.unit}
                helping.append({"home_id": home_id, **where, **_helping(state, principal.id)})
        return json({"homes": homes, "helping": helping}, 200, {"Cache-Control": "no-store"})

    async def care_at(home_id: UUID, community_id: UUID) -> Cared | None:
        state, _ = await app.commands.state(CARE, home_id, community_id)
        return state if isinstance(state, Cared) else None

    @router.put("/me/care/{home_id}")
    async def arrange_own_care(
        home_id: UUID, body: OwnTerms, request: Request, key: IdempotencyKey, principal: Principal = own,
    ) -> Response:
        """For all who live there. Neighbours are named by staff, and may be left out here. 409 helper_not_named, hours_out_of_order."""
        context = await at_home(home_id, request, principal, living=True)
        await alarms.memory.catch_up()
        known = await care_at(home_id, context.community_id)
        named = known.said.terms.helpers if known is not None else ()
        helpers = body.helpers if body.helpers is not None else set(named)
        if not helpers <= set(named):
            raise Refused("helper_not_named")
        command = ArrangeCare(
            home_id, book.living(context.community_id, home_id), terms_of(body, tuple(sorted(helpers))),
            alarms.clock(context.community_id), "self", principal.id, context.now, http.if_match(request))
        done = await app.commands.handle(home_id, command, context, key=key)
        return json({"home_id": home_id}, 200, {**headers(done), "ETag": await edition_of(app, done, home_id, context.community_id)})

    @router.delete("/me/care/{home_id}", status_code=204)
    async def end_own_care(home_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = own) -> Response:
        """At once: nobody is asked any more, and what is under way is called off."""
        context = await at_home(home_id, request, principal)
        done = await app.commands.handle(home_id, EndCare("resident", context.now, principal.id), context, key=key)
        return Response(status_code=204, headers=headers(done))

    @router.put("/me/care/{home_id}/absence")
    async def set_absence(home_id: UUID, body: Absence, request: Request, key: IdempotencyKey, principal: Principal = own) -> Response:
        """They are away until then, at most 180 days: silence says nothing. 409 absence_too_long, absence_is_over."""
        context = await at_home(home_id, request, principal)
        done = await app.commands.handle(home_id, SetAbsence(body.until, principal.id, context.now), context, key=key)
        return json({"home_id": home_id}, 200, headers(done))

    @router.put("/me/helping/{home_id}")
    async def answer_as_helper(home_id: UUID, body: Helping, request: Request, key: IdempotencyKey, principal: Principal = own) -> Response:
        """Whether the caller, who was named as a neighbour of that home, may be asked. They change their mind at any time."""
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(home_id, AnswerAsHelper(principal.id, body.agrees), context, key=key)
        return json({"home_id": home_id}, 200, headers(done))

    @router.get("/me/data")
    async def read_own_data(principal: Principal = permitted(DATA_OWN)) -> Response:
        """Part of `GET /v1/me/export` of the gateway: care at the caller's homes with its signs of life, and homes they help;
        of others no more than how many help (`helpers`)."""
        here, now = community_of(principal), datetime.now(UTC)
        await book.memory.catch_up()
        homes: list[dict[str, Any]] = []
        for home_id in book.homes_of(here, principal.id):
            if (state := await care_at(home_id, here)) is not None:
                signs = await signs_since(app, here, home_id, now - KEPT, now)
                mine = {name: said for name, said in shown(state).items() if name != "residents"}
                homes.append({"home_id": home_id, **mine, "helpers": len(state.helpers), "signs_of_life": signs})
        return json({"homes": homes, "helping": book.helped_by(here, principal.id)}, 200, {"Cache-Control": "no-store"})

    return router


def _helping(state: Cared, person_id: UUID) -> dict[str, Any]:
    check = state.check
    told = None
    if check is not None and person_id in check.said.asked:
        told = {"id": check.said.check_id, "silent_since": check.said.silent_since, "answer_by": check.said.answer_by}
    return {"agreed": state.answers.get(person_id), "check": told}
