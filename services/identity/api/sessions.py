"""Where somebody is signed in, and how they end that from elsewhere: a phone that is lost, or a computer that is not theirs."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import ME_READ
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import (
    IdempotencyKey,
    caught_up,
    community_of,
    context,
    cursor_id,
    json,
    page,
    permitted,
    position_header,
)
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.accounts import SignOutEverywhere
from services.identity.domain.sessions import SESSIONS, Active, Ended, EndSession
from services.identity.views import sessions as view


def routes(app: App) -> APIRouter:
    router, me = APIRouter(tags=["sign-ins"]), permitted(ME_READ)

    def gone(done: Done) -> Response:
        return Response(status_code=204, headers=position_header(app.service.name, app.commands.generation, done))

    async def own_account(principal: Principal) -> UUID:
        """Raises NotFound for who has none, such as a demonstration's people."""
        entry = await lookups.account_of_person(app, principal.id, principal.role)
        if entry is None or entry.community_id != community_of(principal):
            raise NotFound("account")
        return entry.account_id

    @router.delete("/v1/sessions/current", status_code=204)
    async def sign_out(request: Request, principal: Principal = me) -> Response:
        """The session's refresh tokens are worth nothing any more; its access token runs out by itself."""
        if principal.session is None:
            return Response(status_code=204)
        asked = context(request, principal, community_of(principal))
        return gone(await app.commands.handle(UUID(principal.session), EndSession(), asked))

    @router.get("/v1/me/sessions")
    async def list_sessions(
        request: Request, after: Annotated[str | None, Query(alias="cursor")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50, principal: Principal = me,
    ) -> Response:
        """Where this account is signed in, the latest first; `current`: the one that asks. What has ended is not among them."""
        filter_ = f"sessions of {principal.id}"
        before, headers = cursor_id(after, filter_), await caught_up(request, view.VIEW.name)
        entry = await lookups.account_of_person(app, principal.id, principal.role)
        query = view.open_of(entry.account_id, datetime.now(UTC), before, limit + 1) if entry else None
        rows = await app.database.fetch(principal.community_ids, query) if query is not None else []
        found = [{**row, "current": str(row["id"]) == principal.session} for row in rows]
        return json(page(found, limit, filter_, "id"), 200, headers)

    @router.delete("/v1/me/sessions/{session_id}", status_code=204)
    async def end_session(session_id: UUID, request: Request, principal: Principal = me) -> Response:
        """One of this account's: nobody renews it any more; its access token runs out within ten minutes."""
        account_id, asked = await own_account(principal), context(request, principal, community_of(principal))
        session, _ = await app.commands.state(SESSIONS, session_id, asked.community_id)
        if not isinstance(session, Active | Ended) or session.account_id != account_id:
            raise NotFound("session")
        return gone(await app.commands.handle(session_id, EndSession(), asked))

    @router.delete("/v1/me/sessions", status_code=204)
    async def sign_out_everywhere(request: Request, key: IdempotencyKey, principal: Principal = me) -> Response:
        """Everywhere else: the session that asks goes on, all others of this account end. 409 session_ended: the one that asks has."""
        account_id, asked = await own_account(principal), context(request, principal, community_of(principal))
        command = SignOutEverywhere(account_id)
        if principal.session is not None:
            session = await lookups.state_now(app, SESSIONS, UUID(principal.session), asked.community_id)
            if not isinstance(session, Active) or session.account_id != account_id:
                raise Refused("session_ended")
            command = SignOutEverywhere(account_id, UUID(principal.session), session.sign_outs)
        return gone(await app.commands.handle(account_id, command, asked, key=key))

    return router
