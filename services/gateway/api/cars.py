"""What concerns the caller at the gate: their visitors, cars, permits, stays and bills. Their own, and nobody else's."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import PARKING_READ_OWN, VEHICLES_DECLARE_OWN, VISITOR_PASSES_ISSUE_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.api.unsealing import masked_plates, opened
from services.gateway.freshness import fresh
from services.gateway.views import cars, permits, stays, visitors


def router(app: App) -> APIRouter:
    found = APIRouter()

    async def shown(row: dict[str, Any], *sealed: str) -> dict[str, Any]:
        """With what is sealed opened for its owner; what cannot be opened reads null, and its state says why."""
        values = {}
        for name in sealed:
            values[name], values[f"{name}_state"] = await opened(app.keyring, row[name])
        return {**row, **values}

    @found.get("/v1/me/visitors")
    async def list_my_visitors(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(VISITOR_PASSES_ISSUE_OWN),
    ) -> Response:
        community_id, filter_ = community_of(principal), f"my-visitors {principal.id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, visitors.VIEWS)
        rows = await app.database.fetch([community_id], visitors.of_host(community_id, principal.id, position, limit))
        return json(page([await shown(row, "plate", "visitor_name") for row in rows], limit, filter_, "position"), headers=stale)

    @found.get("/v1/me/cars")
    async def list_my_cars(request: Request, principal: Principal = permitted(VEHICLES_DECLARE_OWN)) -> Response:
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, cars.VIEWS)
        rows = await app.database.fetch([community_id], cars.of_keeper(community_id, principal.id))
        return json({"items": [await shown(row, "plate") for row in rows], "next": None}, headers=stale)

    @found.get("/v1/me/parking-sessions")
    async def list_my_parking_sessions(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(PARKING_READ_OWN),
    ) -> Response:
        """Of the caller's own vehicles and guests, each with its latest bill line by line; money in fen. `owed`: what is left to
        pay after the exit, null before it."""
        community_id, filter_ = community_of(principal), f"my-parking-sessions {principal.id}"
        position = cursor_position(cursor, filter_)
        stale = await fresh(app, request, community_id, stays.VIEWS)
        rows = await app.database.fetch([community_id], stays.of_person(community_id, principal.id, position, limit))
        return json(page([_stay(row) for row in rows], limit, filter_, "position"), headers=stale)

    @found.get("/v1/me/parking-sessions/{session_id}")
    async def read_my_parking_session(
        request: Request, session_id: UUID, principal: Principal = permitted(PARKING_READ_OWN),
    ) -> Response:
        """One stay of the caller's own, with its latest bill line by line."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, stays.VIEWS)
        rows = await app.database.fetch([community_id], stays.one_of_person(community_id, principal.id, session_id))
        if not rows:
            raise NotFound("session")
        return json(_stay(rows[0]), headers=stale)

    @found.get("/v1/me/permits")
    async def list_my_permits(request: Request, principal: Principal = permitted(PARKING_READ_OWN)) -> Response:
        """`monthly`: what a month costs in fen, null: nothing. The plate of a vehicle that somebody else keeps is masked."""
        community_id, now = community_of(principal), datetime.now(UTC)
        stale = await fresh(app, request, community_id, permits.USED)
        rows = await app.database.fetch([community_id], permits.of_person(community_id, principal.id))
        return json({"items": [await permit(row, principal.id, now) for row in rows], "next": None}, headers=stale)

    async def permit(row: dict[str, Any], person_id: UUID, now: datetime) -> dict[str, Any]:
        if row["keeper_id"] == person_id:
            plate, state = await opened(app.keyring, row["plate"])
        else:
            ((plate, state),) = await masked_plates(app.keyring, [row["plate"]])
        kept = {name: row[name] for name in row if name not in ("keeper_id", "ended")}
        return {**kept, "state": permits.state(row, now), "plate": plate, "plate_state": state}

    return found


def _stay(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "owed": stays.owed(row)}
