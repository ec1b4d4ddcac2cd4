"""Stays and their bills: what is owed and why, payment, and what staff find out about a stay whose exit nobody saw."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, open_to_all, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.api.lots import now
from services.parking.api.plates import masked_plates
from services.parking.book import LotBook
from services.parking.domain.billing import Bill
from services.parking.domain.sessions import SESSIONS, AskPayment, ReceivePayment, SettleSession
from services.parking.domain.stays import Ended, Inside, due, owed
from services.parking.payments import LocalProvider, Notification, Provider
from services.parking.views import sessions

Limit = Query(default=50, ge=1, le=200)
STATES = Literal["inside", "quarantined", "ended"]


class Settlement(Input):
    """`left_at`: up to when the stay counts; without it nothing is charged."""

    left_at: datetime | None = None
    note: str = Field(default="", max_length=200)


def routes(app: App, book: LotBook) -> APIRouter:
    router, provider = APIRouter(prefix="/v1/parking"), LocalProvider(app.settings)

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    async def stay_of(session_id: UUID, principal: Principal) -> Inside | Ended:
        """Raises NotFound, also for a stay that is none of the caller's."""
        state, _ = await app.commands.state(SESSIONS, session_id, community_of(principal))
        if not isinstance(state, Inside | Ended):
            raise NotFound("session")
        begun = (state.inside if isinstance(state, Ended) else state).begun
        own = begun.under is not None and begun.under.person_id == principal.id
        if permissions.PARKING_READ not in principal.permissions and not own:
            raise NotFound("session")
        return state

    async def adoptions_of(state: Inside | Ended, community_id: UUID) -> Any:
        await book.ready(await app.database.pool(), community_id)
        return book.lot(community_id, (state.inside if isinstance(state, Ended) else state).begun.lot_id).adoptions

    def behind(session_id: UUID) -> tuple[UUID, ...]:
        """The event with which the stay began."""
        stay = book.stay(session_id)
        return (stay.because,) if stay is not None else ()

    async def page(
        request: Request, principal: Principal, cursor: str | None, limit: int, state: str | None, person_id: UUID | None,
    ) -> Response:
        filter_ = f"sessions {state} {person_id}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, sessions.VIEW.name)
        query = sessions.page_of(before, limit + 1, state, person_id)
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
        state: STATES | None = None,
    ) -> Response:
        return await page(request, principal, cursor, limit, state, None)

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
        state = await stay_of(session_id, principal)
        adoptions, at = await adoptions_of(state, community_of(principal)), now()
        if isinstance(state, Ended):
            ended = state.said
            found = owed(state.inside.begun, adoptions, ended.bill_until) if ended.bill_until is not None else None
            return json(_bill(session_id, found, ended.bill_until, state.inside.paid, 0))
        if state.quarantined:
            return json({**_bill(session_id, None, None, state.paid, 0), "quarantined": True})
        return json(_bill(session_id, owed(state.begun, adoptions, at), at, state.paid, due(state, adoptions, at)))

    @router.post("/sessions/{session_id}/payments", status_code=201)
    async def ask_payment(
        session_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD, permissions.PARKING_READ_OWN),
    ) -> Response:
        """What to pay and where. It is paid when the provider says so."""
        community_id, state = community_of(principal), await stay_of(session_id, principal)
        adoptions = await adoptions_of(state, community_id)
        payment_id = uuid5(session_id, key.key) if key is not None else uuid7()
        command = AskPayment(session_id, payment_id, adoptions, now())
        context = http.context(request, principal, community_id, caused_by=behind(session_id))
        done = await app.commands.handle(session_id, command, context, key=key)
        after, _ = await app.commands.state(SESSIONS, session_id, community_id)
        asked = next(a for a in (after.inside if isinstance(after, Ended) else after).asked if a.payment_id == payment_id)
        return json(
            {"id": payment_id, "amount": asked.amount, "until": asked.until, "pay_at": provider.begin(payment_id, asked.amount)},
            201, position(done))

    @router.post("/payment-notifications/{name}", dependencies=[open_to_all])
    async def take_notification(name: str, request: Request) -> Response:
        """Called by the provider, signed; the same as often as it likes."""
        if name != provider.name or not app.settings.demo:
            raise NotFound("provider")
        return await received(provider, await request.body(), request.headers.get("payment-signature", ""))

    async def received(provider: Provider, body: bytes, signature: str) -> Response:
        said = provider.read(body, signature)
        context = Context(
            community_id=said.community_id, now=now(), principal=f"provider:{provider.name}", caused_by=behind(said.session_id))
        done = await app.commands.handle(
            said.session_id, ReceivePayment(said.session_id, said.payment_id, said.amount, said.transaction), context)
        return json({"id": said.payment_id}, 200, position(done))

    if app.settings.demo:

        @router.post("/demo-payments/{session_id}/{payment_id}")
        async def pay_as_demo(
            session_id: UUID, payment_id: UUID, principal: Principal = permitted(permissions.PARKING_GUARD, permissions.PARKING_READ_OWN),
        ) -> Response:
            """Plays the payer at the local provider, which then tells us, signed."""
            state = await stay_of(session_id, principal)
            asked = [a for a in (state.inside if isinstance(state, Ended) else state).asked if a.payment_id == payment_id]
            if not asked:
                raise NotFound("payment")
            said = Notification(community_of(principal), session_id, payment_id, asked[0].amount, f"demo-{payment_id}")
            body = msgspec.json.encode(said)
            return await received(provider, body, provider.sign(body))

    @router.post("/sessions/{session_id}/settlements", status_code=201)
    async def settle_session(
        session_id: UUID, body: Settlement, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        """How a stay ended whose exit nobody saw: only then does it cost anything, and only up to that moment."""
        community_id, state = community_of(principal), await stay_of(session_id, principal)
        if body.left_at is not None and body.left_at.utcoffset() is None:
            raise Problem(422, "time_without_zone")
        command = SettleSession(session_id, body.left_at, await adoptions_of(state, community_id))
        done = await app.commands.handle(session_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": session_id}, 201, position(done))

    return router


def _bill(session_id: UUID, found: Bill | None, until: datetime | None, paid: int, owing: int) -> dict[str, Any]:
    lines = [] if found is None else [
        {"code": line.code, "starts": line.starts, "ends": line.ends, "units": line.units, "unit": line.unit_fen,
         "amount": line.amount_fen, "facts": line.facts} for line in found.lines]
    return {
        "session_id": session_id, "tariff": found.tariff if found else None, "version": found.version if found else None,
        "until": until, "total": found.total_fen if found else 0, "paid": paid, "due": owing, "lines": lines}
