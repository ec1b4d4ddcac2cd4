"""Erasing a resident: by themselves, or by staff whom they have asked. It cannot be taken back."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import DATA_OWN, ERASURES_MANAGE
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, json, permitted, position_header
from libs.eventkit.log import Key
from libs.eventkit.service import App
from services.identity.domain.residents import EraseResident, Wish


class OwnWish(Input):
    confirm: Literal["erase"]


class StaffsWord(OwnWish):
    reason: Literal["on_request", "retention"]


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["residents"])

    async def erase(resident_id: UUID, reason: Wish, request: Request, key: Key | None, principal: Principal) -> Response:
        community_id = community_of(principal)
        command = EraseResident(resident_id, principal.id, reason)
        done = await app.commands.handle(resident_id, command, context(request, principal, community_id), key=key)
        return json({"id": resident_id}, 202, position_header(app.service.name, app.commands.generation, done))

    @router.post("/v1/me/erasure", status_code=202)
    async def erase_me(
        body: OwnWish, request: Request, key: IdempotencyKey, principal: Principal = permitted(DATA_OWN)
    ) -> Response:
        """Account, vehicles and whatever is kept of the caller go, here and in every service, each of which confirms it."""
        return await erase(principal.id, "own_wish", request, key, principal)

    @router.post("/v1/residents/{resident_id}/erasures", status_code=202)
    async def erase_resident(
        resident_id: UUID, body: StaffsWord, request: Request, key: IdempotencyKey, principal: Principal = permitted(ERASURES_MANAGE)
    ) -> Response:
        """For a resident who has asked for it, or because their time is over. 409 not_their_own_wish: nobody says that of another."""
        return await erase(resident_id, body.reason, request, key, principal)

    return router
