"""The circles that a resident belongs to, who else does, by display name, and what they are called there themselves."""

import re
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import BROADCASTS_SEND, NEIGHBORS_OWN, NOTICES_POST
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.neighbors import names
from services.neighbors.book import CircleBook
from services.neighbors.domain.display_names import DISPLAY_NAMES, PAUSE, Chosen
from services.neighbors.views import members

Limit = Query(default=50, ge=1, le=200)
SHOWN_ID = re.compile(r"[\w-]{32}", re.ASCII)
"""What members are called in a circle: a `BlindIndex`."""


class NewName(Input):
    display_name: str = Field(min_length=1, max_length=100)


def routes(app: App, book: CircleBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/me/circles")
    async def list_my_circles(request: Request, principal: Principal = permitted(NEIGHBORS_OWN)) -> Response:
        stale = await http.caught_up(request, members.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, members.circles_of(principal.id))
        items = [{**row, "kind": "building" if row["building_id"] else "community"} for row in rows]
        return json({"items": items, "next": None}, 200, stale)

    @router.get("/circles/{circle_id}/members")
    async def list_members(
        circle_id: UUID, request: Request, cursor: str | None = None, limit: int = Limit,
        principal: Principal = permitted(NEIGHBORS_OWN, NOTICES_POST, BROADCASTS_SEND),
    ) -> Response:
        """For its members: display names, in no order that says anything; none of who is erased. Staff and guards: how many."""
        community_id = community_of(principal)
        stale = await ready_for(request)
        building_id, found = book.building_of(community_id, circle_id), book.members(community_id, circle_id)
        if NEIGHBORS_OWN not in principal.permissions:
            chosen = sum(book.chosen_name(community_id, resident_id) is not None for resident_id in found)
            counted = {"id": circle_id, "building_id": building_id, "members": len(found), "with_chosen_name": chosen}
            return json(counted, 200, stale)
        if principal.id not in found:
            raise NotFound("circle")
        after = http.cursor(cursor, f"members of {circle_id}")
        if after and not SHOWN_ID.fullmatch(after[0]):
            raise Problem(400, "cursor_malformed")
        page = sorted((shown, i) for i, shown in found.items() if after is None or shown > after[0])[:limit + 1]
        called = await names.names_of(app, book, community_id, [i for _, i in page])
        items = [
            {"id": shown, "display_name": None if book.is_erased(community_id, i) else name, "me": i == principal.id,
             "erased": book.is_erased(community_id, i)}
            for (shown, i), name in zip(page, called, strict=True)]
        return json(http.page(items, limit, f"members of {circle_id}", "id"), 200, stale)

    @router.get("/me/display-name")
    async def show_display_name(request: Request, principal: Principal = permitted(NEIGHBORS_OWN)) -> Response:
        """What neighbours see; `again_at`: from when on it may be changed, where that is not now."""
        stale = await ready_for(request)
        return json(await shown_to(principal), 200, stale)

    @router.put("/me/display-name")
    async def choose_display_name(
        body: NewName, request: Request, key: IdempotencyKey, principal: Principal = permitted(NEIGHBORS_OWN),
    ) -> Response:
        """409 with the rule that it breaks, `display_name_taken`, or `display_name_changed_recently`."""
        community_id = community_of(principal)
        context = http.context(request, principal, community_id)
        done = await names.choose(app, book, principal.id, body.display_name, context, key)
        await book.ready(done.outcome.position)
        return json(
            await shown_to(principal), 200, http.position_header(app.service.name, app.commands.generation, done))

    async def ready_for(request: Request) -> dict[str, str]:
        """The book has what the caller has done, here or at a service that is heard; where that is not there yet, the header says so."""
        at, last = await http.stands_at(request), await app.log.last()
        stale = await http.caught_up(request) if at is None else {"Lifang-Stale": "true"} if at > last else {}
        await book.ready(min(await http.stands_at(request) or 0, last))
        return stale

    async def shown_to(principal: Principal) -> dict[str, object]:
        community_id = community_of(principal)
        given = book.given_name(community_id, principal.id)
        if not given:
            raise NotFound("neighbor")
        state, _ = await app.commands.state(DISPLAY_NAMES, principal.id, community_id)
        [name] = await names.names_of(app, book, community_id, [principal.id])
        again_at = state.at + PAUSE if isinstance(state, Chosen) else None
        return {"display_name": name, "chosen": name != given, "again_at": again_at}

    return router
