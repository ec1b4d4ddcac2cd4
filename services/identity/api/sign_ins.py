"""Signing in with a one-time code, and staying signed in."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.eventkit.auth import LIFETIME
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import Input, context, json, open_to_all, position_header
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE, uuid7
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.accounts import ACCOUNTS, Open
from services.identity.domain.phones import CountCode
from services.identity.domain.sessions import SESSIONS, Active, RenewSession, SessionRenewed, StartSession
from services.identity.domain.sign_ins import LIFETIME as CODE_LIFETIME
from services.identity.domain.sign_ins import SIGN_INS, Passed, StartSignIn, TryCode
from services.identity.one_time_codes import code_hash, new_code
from services.identity.phone_numbers import e164, stream_id
from services.identity.senders import sender_for
from services.identity.tokens import Refresh, kid_for_now, secrets_of


class AskForCode(Input):
    phone: Annotated[str, Field(max_length=40)]


class ShowCode(Input):
    """`community_id` is needed only where the phone has accounts in several communities."""

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    community_id: UUID | None = None


class ShowRefreshToken(Input):
    refresh_token: Annotated[str, Field(max_length=200)]


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["sign-ins"])
    own, sender = secrets_of(app), sender_for(app.settings)

    async def open_account(account_id: UUID, community_id: UUID) -> Open | None:
        account = await lookups.state_now(app, ACCOUNTS, account_id, community_id)
        return account if isinstance(account, Open) else None

    def tokens(kid: str, person_id: UUID, role: str, refresh: Refresh) -> dict[str, Any]:
        access_token = own.access_token(
            kid, person_id, role, refresh.community_id, datetime.now(UTC), refresh.session_id)
        return {"access_token": access_token, "refresh_token": own.refresh_token(refresh), "expires_in": LIFETIME}

    @router.post("/v1/sign-ins", status_code=202, dependencies=[open_to_all])
    async def start_sign_in(body: AskForCode, request: Request) -> Response:
        """A code goes to the phone, if it has an account; the answer does not tell."""
        if sender is None:
            raise Problem(503, "not_ready", "nothing here delivers one-time codes")
        phone, asked = e164(body.phone), context(request, None)
        try:
            await app.commands.handle(stream_id(app.blind, phone), CountCode(asked.now), asked)
        except Refused as refused:
            wait = str(refused.facts["retry_after_seconds"])
            raise Problem(429, refused.code, headers={"Retry-After": wait}) from refused
        entries = await lookups.accounts_by_phone(app, phone)
        sign_in_id, code = uuid7(), new_code()
        command = StartSignIn(code_hash(app.blind, sign_in_id, code), entries, asked.now)
        done = await app.commands.handle(sign_in_id, command, asked)
        if entries:
            sender.hand_over(sign_in_id, phone, code)
        return json(
            {"sign_in_id": sign_in_id, "expires_at": asked.now + CODE_LIFETIME}, 202,
            position_header(app.service.name, app.commands.generation, done))

    @router.post("/v1/sign-ins/{sign_in_id}/tokens", dependencies=[open_to_all])
    async def finish_sign_in(sign_in_id: UUID, body: ShowCode, request: Request) -> Response:
        """The code, for tokens. 409: code_wrong, code_expired, code_used, tries_used_up, community_unclear, phone_replaced (since
        the code was sent, by staff)."""
        asked, session_id, kid = context(request, None), uuid7(), await kid_for_now(app)
        command = TryCode(code_hash(app.blind, sign_in_id, body.code), session_id, asked.now, body.community_id)
        await app.commands.handle(sign_in_id, command, asked)
        sign_in, _ = await app.commands.state(SIGN_INS, sign_in_id, NOWHERE)
        # by its session, so that a wrong code does not pass because a right one just did
        if not isinstance(sign_in, Passed) or sign_in.session_id != session_id:
            raise Refused("code_wrong")
        entry = sign_in.entry
        account = await open_account(entry.account_id, entry.community_id)
        if account is None:
            raise Refused("account_closed")
        done = await app.commands.handle(
            session_id, StartSession(
                session_id, entry.account_id, account.person_id, account.role, asked.now, account.phones, entry.phones,
                account.sign_outs),
            context(request, None, entry.community_id))
        refresh = Refresh(entry.community_id, session_id, 0)
        return json(
            tokens(kid, account.person_id, account.role, refresh), 200,
            position_header(app.service.name, app.commands.generation, done))

    @router.post("/v1/token-renewals", dependencies=[open_to_all])
    async def renew_tokens(body: ShowRefreshToken, request: Request) -> Response:
        """A new pair for the latest refresh token. An earlier one ends the session; 401 says to sign in again."""
        shown, kid = own.read_refresh_token(body.refresh_token), await kid_for_now(app)
        asked = context(request, None, shown.community_id)
        session = await lookups.state_now(app, SESSIONS, shown.session_id, shown.community_id)
        try:
            account = await open_account(session.account_id, shown.community_id) if isinstance(session, Active) else None
            signed_out = account is not None and isinstance(session, Active) and not account.lets(shown.session_id, session.sign_outs)
            command = RenewSession(shown.count, account is not None, asked.now, account.phones if account else 0, signed_out)
            done = await app.commands.handle(shown.session_id, command, asked)
        except (Refused, NotFound) as refused:
            raise Problem(401, "refresh_token_unusable") from refused
        renewed = any(isinstance(event, SessionRenewed) for event in await app.commands.said(done))
        if not renewed or not isinstance(session, Active):  # what this request did, whatever another has done since
            raise Problem(401, "refresh_token_unusable")
        refresh = Refresh(shown.community_id, shown.session_id, shown.count + 1)
        return json(
            tokens(kid, session.person_id, session.role, refresh), 200,
            position_header(app.service.name, app.commands.generation, done))

    return router
