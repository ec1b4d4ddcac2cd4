"""Stays and their bills: what is owed and why, and what staff find out about a vehicle or an exit that nobody saw."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, Moment, community_of, json, permitted
from libs.eventkit.service import App
from services.parking.api.lots import now, utc
from services.parking.api.plates import masked_plates
from services.parking.book import LotBook
from services.parking.domain.billing import Bill
from services.parking.domain.sessions import SESSIONS, CorrectStay, QuarantineSession, SettleSession
from services.parking.domain.stays import Ended, Inside, due, owed
from services.parking.domain.tariffs import Adoption
from services.parking.views import sessions

Limit = Query(default=50, ge=1, le=200)
STATES = Literal["inside", "quarantined", "ended"]


class Settlement(Input):
    """`left_at`: up to when the stay counts; without it nothing is charged."""

    left_at: Moment | None = None
    note: str = Field(default="", max_length=200)


class Question(Input):
    """`reason`: why the car cannot be inside any more."""

    reason: str = Field(min_length=1, max_length=200)


class Correction(Input):
    """`vehicle_class`: in the lot's tariff, without it the one that the camera saw; `spaces`: for small cars, that it takes up;
    `on_duty`: police, fire, ambulance or rescue at work."""

    vehicle_class: str | None = Field(default=None, min_length=1, max_length=60)
    spaces: int = Field(default=1, ge=1, le=20)
    on_duty: bool = False
    note: str = Field(default="", max_length=200)


def routes(app: App, book: LotBook) -> APIRouter:
    router = APIRouter(prefix="/v1/parking")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    async def page(
        request: Request, principal: Principal, cursor: str | None, limit: int, state: str | None, person_id: UUID | None,
        owing: bool = False,
    ) -> Response:
        filter_ = f"sessions {state} {person_id} {owing}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, sessions.VIEW.name)
        query = sessions.page_of(before, limit + 1, state, person_id, owing)
        rows = await app.database.fetch(principal.community_ids, query)
        plates = await masked_plates(app, [row["plate"] for row in rows])
        fields = ("lot_id", "zone", "kind", "state", "entered_at", "exited_at", "total", "paid", "position")
        items = [
            {"id": row["session_id"], "plate": plate, **{f: row[f] for f in fields}}
            for row, plate in zip(rows, plates, strict=True)]
        return json(http.page(items, limit, filter_, "position"), 200, stale)

    @router.get("/sessions")
    async def list_sessions(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
        state: STATES | None = None, owing: bool = False,
    ) -> Response:
        """`owing`: only those that left without paying in full."""
        return await page(request, principal, cursor, limit, state, None, owing)

    @router.get("/me/sessions")
    async def list_own_sessions(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ_OWN), cursor: str | None = None,
        limit: int = Limit,
    ) -> Response:
        """Of the caller's own vehicles and guests."""
        return await page(request, principal, cursor, limit, None, principal.id)

    @router.get("/sessions/{session_id}/bill")
    async def show_bill(
        session_id: UUID, principal: Principal = permitted(permissions.PARKING_READ, permissions.PARKING_READ_OWN),
    ) -> Response:
        """What is owed now, or was at the exit, line by line; computed again from the facts of the stay and its tariff."""
        state = await stay_of(app, session_id, principal)
        adoptions, at = await adoptions_of(app, book, state, community_of(principal)), now()
        if isinstance(state, Ended):
            until = state.said.bill_until
            found = owed(state.inside, adoptions, until) if until is not None else None
            return json(_bill(session_id, found, until, state.inside.paid, max(0, state.owing)))
        if state.quarantined:
            return json({**_bill(session_id, None, None, state.paid, 0), "quarantined": True})
        return json(_bill(session_id, owed(state, adoptions, at), at, state.paid, due(state, adoptions, at)))

    @router.post("/sessions/{session_id}/corrections", status_code=201)
    async def correct_stay(
        session_id: UUID, body: Correction, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        """What a person has seen of the vehicle; the bill says so in a line of its own."""
        community_id, state = community_of(principal), await stay_of(app, session_id, principal)
        adoptions = await adoptions_of(app, book, state, community_id)
        command = CorrectStay(session_id, body.vehicle_class, body.spaces, body.on_duty, body.note, adoptions)
        done = await app.commands.handle(session_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": session_id}, 201, position(done))

    @router.post("/sessions/{session_id}/quarantines", status_code=201)
    async def quarantine_session(
        session_id: UUID, body: Question, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        """Puts an open stay in question whose car has left unseen: it costs nothing, takes no space, and stands among the findings
        as a missing exit until it is settled."""
        await stay_of(app, session_id, principal)
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(session_id, QuarantineSession(session_id, "by_hand", body.reason), context, key=key)
        return json({"id": session_id}, 201, position(done))

    @router.post("/sessions/{session_id}/settlements", status_code=201)
    async def settle_session(
        session_id: UUID, body: Settlement, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        """How a stay ended whose exit nobody saw: only then does it cost anything, and only up to that moment."""
        community_id, state = community_of(principal), await stay_of(app, session_id, principal)
        command = SettleSession(session_id, utc(body.left_at), now(), await adoptions_of(app, book, state, community_id))
        done = await app.commands.handle(session_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": session_id}, 201, position(done))

    return router


async def stay_of(app: App, session_id: UUID, principal: Principal) -> Inside | Ended:
    """Raises NotFound, also for a stay that is none of the caller's."""
    state, _ = await app.commands.state(SESSIONS, session_id, community_of(principal))
    if not isinstance(state, Inside | Ended):
        raise NotFound("session")
    begun = as_it_was(state).begun
    own = begun.under is not None and begun.under.person_id is not None and begun.under.person_id == principal.id
    if permissions.PARKING_READ not in principal.permissions and not own:
        raise NotFound("session")
    return state


def as_it_was(state: Inside | Ended) -> Inside:
    return state.inside if isinstance(state, Ended) else state


async def adoptions_of(app: App, book: LotBook, state: Inside | Ended, community_id: UUID) -> tuple[Adoption, ...]:
    await book.ready(await app.database.pool(), community_id)
    return book.lot(community_id, as_it_was(state).begun.lot_id).adoptions


def _bill(session_id: UUID, found: Bill | None, until: datetime | None, paid: int, owing: int) -> dict[str, Any]:
    lines = [] if found is None else [
        {"code": line.code, "starts": line.starts, "ends": line.ends, "units": line.units, "unit": line.unit_fen,
         "amount": line.amount_fen, "facts": line.facts} for line in found.lines]
    return {
        "session_id": session_id, "tariff": found.tariff if found else None, "version": found.version if found else None,
        "until": until, "total": found.total_fen if found else 0, "paid": paid, "due": owing, "lines": lines}
