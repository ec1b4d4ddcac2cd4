"""Why did this happen? For an event, or for an opening, an incident, a fire release or a broadcast by its id."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.devices import DoorOrderAttempted, DoorOrderCarriedOut, DoorOrderFailed
from libs.contracts.permissions import EVENTS_EXPLAIN, EVENTS_EXPLAIN_OWN, HOMES_READ
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, json, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.gateway.audience import may_see, persons_of
from services.gateway.chain import asked_for, chain_of, names_in, opener_of
from services.gateway.explaining import Known, as_told, explain, only_about
from services.gateway.freshness import PATIENCE, fresh, passed
from services.gateway.reach import concerns
from services.gateway.sentences import Language
from services.gateway.viewing import seen_by
from services.gateway.views import broadcasts, door_events, stays, stories

USED = (*stories.VIEWS, *broadcasts.VIEWS)


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/events/{event_id}/explanation")
    async def explain_event(
        request: Request, event_id: UUID, language: Annotated[Language | None, Query()] = None,
        principal: Principal = permitted(EVENTS_EXPLAIN, EVENTS_EXPLAIN_OWN),
    ) -> Response:
        """In English or Chinese: as `language` says, else as Accept-Language prefers."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, door_events.VIEWS)
        everything = EVENTS_EXPLAIN in principal.permissions
        asked = await asked_for(app, community_id, event_id, None if everything else partial(is_own, app, principal))
        if asked is None:
            raise Problem(404, "event_not_found")
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await passed(app, USED, asked.row.position)
        known, told = await chain_of(app, asked)
        if not everything:
            who = await seen_by(app, principal, community_id)
            known, told = only_about(who, as_told(who, known)), {}
            if asked.row.event_id not in known:  # what reached them when they asked does so no more
                known = {asked.row.event_id: asked}
        names = await names_in(
            app, community_id, known.values(), homes=not everything or HOMES_READ in principal.permissions)
        said = explain(event_id, asked.row.event_id, known, names, language or preferred(request.headers), told)
        return json(said, headers=stale)

    return found


async def is_own(app: App, principal: Principal, asked: Known) -> bool:
    """Whether it is about the caller, about nobody at their doors, or what a device did for their opening."""
    community_id, event = asked.row.community_id, asked.event
    if concerns(event):
        return may_see(await seen_by(app, principal, community_id), event, asked.row)
    if (session_id := getattr(event, "session_id", None)) is not None:  # first: whose it is may have been found out later
        rows = await app.database.fetch([community_id], stays.person_of(community_id, session_id))
        if rows or not persons_of(event):
            return bool(rows) and rows[0]["person_id"] == principal.id
    if persons_of(event):
        return principal.id in persons_of(event)
    if isinstance(event, DoorOrderAttempted | DoorOrderCarriedOut | DoorOrderFailed):
        return await opener_of(app, community_id, event.order_id) == principal.id
    return may_see(await seen_by(app, principal, community_id), event, asked.row)


def preferred(headers: Mapping[str, str]) -> Language:
    """Chinese where Accept-Language names it first (RFC 9110, 12.5.4, without weights)."""
    return "zh" if headers.get("accept-language", "").strip().lower().startswith("zh") else "en"
