"""A resident's ID number: recorded, confirmed by whoever has seen the card, and withdrawn where it is somebody else's."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.contracts.permissions import RESIDENTS_MANAGE
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, json, permitted, position_header
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import contacts, lookups
from services.identity.domain.id_numbers import ConfirmIdNumber, WithdrawIdNumber
from services.identity.national.resident_ids import read_resident_id
from services.identity.national.text import Unacceptable


class Number(Input):
    number: Annotated[str, Field(max_length=60)]


def routes(app: App) -> APIRouter:
    router = APIRouter(prefix="/v1/residents/{resident_id}/id-number", tags=["residents"])

    @router.put("")
    async def record_id_number(
        resident_id: UUID, body: Number, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """A number that is doubtful is taken, and the answer says what was found; one that nobody can have is refused
        (422 id_number_invalid with the reason). 409 id_number_taken: it is recorded of `held_by`."""
        community_id = community_of(principal)
        await lookups.resident(app, resident_id, community_id)
        try:
            number = read_resident_id(body.number, await lookups.today(app, community_id))
        except Unacceptable as refused:
            raise Problem(422, "id_number_invalid", reason=refused.reason) from refused
        done = await contacts.record_id_number(
            app, resident_id, number.value, number.findings, context(request, principal, community_id), key)
        headers = position_header(app.service.name, app.commands.generation, done)
        return json({"id": resident_id, "findings": number.findings}, 200, headers)

    @router.delete("", status_code=204)
    async def withdraw_id_number(
        resident_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """It was recorded of the wrong resident. Whose it is may have it now, and this one may get another."""
        community_id = community_of(principal)
        await lookups.resident(app, resident_id, community_id)
        done = await app.commands.handle(
            resident_id, WithdrawIdNumber(resident_id, principal.id), context(request, principal, community_id), key=key)
        return Response(status_code=204, headers=position_header(app.service.name, app.commands.generation, done))

    @router.post("/confirmation")
    async def confirm_id_number(
        resident_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """The caller has seen the card: what was found is settled."""
        community_id = community_of(principal)
        done = await app.commands.handle(
            resident_id, ConfirmIdNumber(resident_id, principal.id), context(request, principal, community_id), key=key)
        headers = position_header(app.service.name, app.commands.generation, done)
        return json({"id": resident_id, "findings": []}, 200, headers)

    return router
