"""Paying for a stay, and what providers tell of payments: nothing is paid by a client's word."""

from typing import Any
from uuid import UUID, uuid5

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, community_of, json, open_to_all, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.api.lots import now
from services.parking.api.sessions import adoptions_of, as_it_was, stay_of
from services.parking.book import LotBook
from services.parking.domain.plate_rights import PLATE_RIGHTS, Held, ReceiveRenewal
from services.parking.domain.sessions import AskPayment, ReceivePayment
from services.parking.payments import LocalProvider, Notification

PAYERS = (permissions.PARKING_GUARD, permissions.PARKING_READ_OWN)


def routes(app: App, book: LotBook, provider: LocalProvider) -> APIRouter:
    router = APIRouter(prefix="/v1/parking")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    def behind(session_id: UUID) -> tuple[UUID, ...]:
        """The event with which the stay began."""
        stay = book.stay(session_id)
        return (stay.because,) if stay is not None else ()

    @router.post("/sessions/{session_id}/payments", status_code=201)
    async def ask_payment(
        session_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(*PAYERS),
    ) -> Response:
        """What to pay and where, also after the exit. It is paid when the provider says so."""
        community_id, state = community_of(principal), await stay_of(app, session_id, principal)
        payment_id = uuid5(session_id, key.key) if key is not None else uuid7()
        command = AskPayment(session_id, payment_id, await adoptions_of(app, book, state, community_id), now())
        context = http.context(request, principal, community_id, caused_by=behind(session_id))
        done = await app.commands.handle(session_id, command, context, key=key)
        stay = as_it_was(await stay_of(app, session_id, principal))
        asked = next(a for a in stay.asked if a.payment_id == payment_id)
        return json(
            {"id": payment_id, "amount": asked.amount, "until": asked.until, "pay_at": provider.begin(payment_id, asked.amount)},
            201, position(done))

    @router.post("/payment-notifications/{name}", dependencies=[open_to_all])
    async def take_notification(name: str, request: Request) -> Response:
        """Called by the provider, signed; the same as often as it likes."""
        if name != provider.name or not app.settings.demo:
            raise NotFound("provider")
        return await received(await request.body(), request.headers.get("payment-signature", ""))

    async def received(body: bytes, signature: str) -> Response:
        said = provider.read(body, signature)
        context = Context(
            community_id=said.community_id, now=now(), principal=f"provider:{provider.name}", caused_by=behind(said.subject_id))
        kind = ReceivePayment if said.of == "session" else ReceiveRenewal
        command: Struct = kind(said.subject_id, said.payment_id, said.amount, said.transaction)
        done = await app.commands.handle(said.subject_id, command, context)
        return json({"id": said.payment_id}, 200, position(done))

    if app.settings.demo:

        async def asked(subject_id: UUID, payment_id: UUID, principal: Principal) -> Notification:
            """Raises NotFound, also for what is none of the caller's."""
            community_id = community_of(principal)
            said = Notification(community_id, "session", subject_id, payment_id, 0, f"demo-{payment_id}")
            right, _ = await app.commands.state(PLATE_RIGHTS, subject_id, community_id)
            if isinstance(right, Held) and (right.granted.person_id == principal.id or permissions.PARKING_READ in principal.permissions):
                amounts, said = {a.payment_id: a.amount for a in right.asked}, msgspec.structs.replace(said, of="permit")
            else:
                stay = as_it_was(await stay_of(app, subject_id, principal))
                amounts = {a.payment_id: a.amount for a in stay.asked}
            if payment_id not in amounts:
                raise NotFound("payment")
            return msgspec.structs.replace(said, amount=amounts[payment_id])

        @router.post("/demo-payments/{subject_id}/{payment_id}")
        async def pay_as_demo(subject_id: UUID, payment_id: UUID, principal: Principal = permitted(*PAYERS)) -> Response:
            """Plays the payer at the local provider, which then tells us, signed."""
            body = msgspec.json.encode(await asked(subject_id, payment_id, principal))
            return await received(body, provider.sign(body))

    return router


