"""Accounts: staff open and close residents', operators those of the people who work here."""

from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import ACCOUNTS_MANAGE, RESIDENTS_MANAGE
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import (
    IdempotencyKey,
    Input,
    caught_up,
    community_of,
    context,
    cursor_id,
    json,
    page,
    permitted,
    position_header,
)
from libs.eventkit.log import Key
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.accounts import ACCOUNTS, ROLES, CloseAccount, NoAccount, OpenAccount, ReplacePhone, SignOutEverywhere
from services.identity.phone_numbers import account_index, e164
from services.identity.views import accounts as accounts_view

Phone = Annotated[str, Field(min_length=1, max_length=40)]


class NewAccount(Input):
    """`person_id`: the resident's; for others it may be left out, and a new person is meant."""

    role: Literal["resident", "staff", "guard", "grid", "police", "operator"]
    phone: Phone
    person_id: UUID | None = None


class NewPhone(Input):
    phone: Phone


def roles_in_reach(principal: Principal) -> frozenset[str]:
    """Whose accounts the caller looks after."""
    residents = frozenset({"resident"})
    found: frozenset[str] = residents if RESIDENTS_MANAGE in principal.permissions else frozenset()
    return found | (ROLES - residents) if ACCOUNTS_MANAGE in principal.permissions else found


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["accounts"])

    async def in_reach(account_id: UUID, principal: Principal) -> UUID:
        """The community. Raises NotFound for an account that the caller does not look after."""
        community_id = community_of(principal)
        account, _ = await app.commands.state(ACCOUNTS, account_id, community_id)
        if isinstance(account, NoAccount) or account.role not in roles_in_reach(principal):
            raise NotFound("account")
        return community_id

    async def asked(command: CloseAccount | SignOutEverywhere, request: Request, key: Key | None, principal: Principal) -> Response:
        community_id = await in_reach(command.account_id, principal)
        done = await app.commands.handle(command.account_id, command, context(request, principal, community_id), key=key)
        return Response(status_code=204, headers=position_header(app.service.name, app.commands.generation, done))

    @router.post("/v1/accounts", status_code=201)
    async def open_account(
        body: NewAccount, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
    ) -> Response:
        community_id = community_of(principal)
        if body.role not in roles_in_reach(principal):
            raise Problem(403, "not_permitted", needs=RESIDENTS_MANAGE if body.role == "resident" else ACCOUNTS_MANAGE)
        if body.role == "resident":
            if body.person_id is None:
                raise Problem(422, "person_missing")
            await lookups.resident(app, body.person_id, community_id)
        account_id = lookups.id_for(key, community_id)
        person_id = body.person_id or uuid5(account_id, "person")
        index = account_index(app.blind, community_id, e164(body.phone))
        command = OpenAccount(account_id, person_id, body.role, index)
        try:
            done = await app.commands.handle(account_id, command, context(request, principal, community_id), key=key)
        except Refused as refused:
            # of two claims the log does not say which one was taken
            holder = await lookups.account_of_person(app, person_id, body.role)
            if refused.code == "phone_taken" and holder and holder.community_id == community_id:
                raise Refused("account_already_opened") from refused
            raise
        headers = position_header(app.service.name, app.commands.generation, done)
        return json({"id": done.outcome.id, "person_id": person_id}, 201, headers)

    @router.put("/v1/accounts/{account_id}/phone")
    async def replace_phone(
        account_id: UUID, body: NewPhone, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
    ) -> Response:
        """The sessions of the old one end when they would be renewed; a code that was sent to it signs nobody in."""
        community_id = await in_reach(account_id, principal)
        index = account_index(app.blind, community_id, e164(body.phone))
        done = await app.commands.handle(
            account_id, ReplacePhone(account_id, index), context(request, principal, community_id), key=key)
        return json({"id": account_id}, 200, position_header(app.service.name, app.commands.generation, done))

    @router.delete("/v1/accounts/{account_id}", status_code=204)
    async def close_account(
        account_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
    ) -> Response:
        """Nobody signs in with it any more; its sessions end when they would be renewed."""
        return await asked(CloseAccount(account_id), request, key, principal)

    @router.delete("/v1/accounts/{account_id}/sessions", status_code=204)
    async def end_sessions(
        account_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
    ) -> Response:
        """All of them, for who cannot do it themselves: their phone is lost. They end when they would be renewed."""
        return await asked(SignOutEverywhere(account_id), request, key, principal)

    @router.get("/v1/accounts")
    async def list_accounts(
        request: Request, after: Annotated[str | None, Query(alias="cursor")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        principal: Principal = permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)
    ) -> Response:
        start = cursor_id(after, "accounts")
        headers = await caught_up(request, accounts_view.VIEW.name)
        query = accounts_view.page_of(roles_in_reach(principal), start, limit + 1)
        rows = await app.database.fetch(principal.community_ids, query)
        return json(page(rows, limit, "accounts", "id"), 200, headers)

    return router
