"""Whoever signs out everywhere keeps the session that asks and no other, also against who holds a token of an ended one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from msgspec import Struct, json

from libs.eventkit.commands import Context
from libs.eventkit.recorded import NOWHERE
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.views import follow_views
from services.identity import lookups
from services.identity.domain.accounts import OpenAccount
from services.identity.domain.communities import FoundCommunity
from services.identity.domain.sign_ins import StartSignIn
from services.identity.main import SERVICE
from services.identity.one_time_codes import code_hash
from services.identity.phone_numbers import account_index
from services.identity.tokens import secrets_of
from services.identity.views import sessions
from tests.kit import caught_up
from tests.security.asking import Answer, ask
from tests.security.test_tokens import published

ANN, BEN = "+8613800138000", "+8613900139000"
MINE = "/v1/me/sessions"


class Session(Struct):
    """What a phone holds that has signed in."""

    access: str
    refresh: str


class Desk(Struct):
    app: App
    web: FastAPI
    community: UUID
    accounts: dict[str, UUID]

    async def asked(self, method: str, path: str, who: Session, status: int = 200, **headers: str) -> Any:
        answer = await ask(self.web, method, path, who.access, headers=headers)
        assert answer.status == status, answer
        return json.decode(answer.body) if answer.body else None

    async def code(self, phone: str) -> str:
        sign_in, entries, now = uuid4(), await lookups.accounts_by_phone(self.app, phone), datetime.now(UTC)
        begun = StartSignIn(code_hash(self.app.blind, sign_in, "123456"), entries, now)
        await self.app.commands.handle(sign_in, begun, Context(community_id=NOWHERE, now=now))
        return f"/v1/sign-ins/{sign_in}/tokens"

    async def signs_in(self, phone: str, path: str = "") -> Session:
        answer = await ask(self.web, "POST", path or await self.code(phone), body={"code": "123456"})
        return self._held(answer)

    async def renews(self, held: Session) -> bool:
        """Whether the latest refresh token was good; then what is held is the next pair."""
        answer = await ask(self.web, "POST", "/v1/token-renewals", body={"refresh_token": held.refresh})
        if answer.status == 401:
            return False
        new = self._held(answer)
        held.access, held.refresh = new.access, new.refresh
        return True

    async def listed(self, who: Session) -> list[bool]:
        """Of each that is shown whether it is the one that asks."""
        await self.folded()
        return [one["current"] for one in (await self.asked("GET", MINE, who))["items"]]

    async def folded(self) -> None:
        await caught_up(await self.app.database.pool(), sessions.VIEW.name)

    @staticmethod
    def _held(answer: Answer) -> Session:
        assert answer.status == 200, answer
        found = json.decode(answer.body)
        return Session(found["access_token"], found["refresh_token"])


@pytest.fixture
async def desk(app_of: Callable[[Service], Awaitable[App]]) -> Desk:
    app, community, now = await app_of(SERVICE), uuid4(), datetime.now(UTC)
    await published(app, secrets_of(app), now)
    asked = Context(community_id=community, now=now)
    await app.commands.handle(community, FoundCommunity(community, "里坊", "310101", "Asia/Shanghai"), asked)
    accounts = {phone: uuid4() for phone in (ANN, BEN)}
    for phone, account_id in accounts.items():
        opened = OpenAccount(account_id, uuid4(), "resident", account_index(app.blind, community, phone))
        await app.commands.handle(account_id, opened, asked)
    await app.memories[0].catch_up()
    app.supervisor.start("listen", lambda: app.wake.listen(app.database))
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, (sessions.VIEW,)))
    return Desk(app, web(app), community, accounts)


async def test_everywhere_else_is_everywhere_else(desk: Desk) -> None:
    lost, computer, other = [await desk.signs_in(ANN) for _ in range(2)] + [await desk.signs_in(BEN)]
    assert await desk.listed(computer) == [True, False] and await desk.listed(lost) == [False, True]
    await desk.asked("DELETE", MINE, computer, 204)
    assert not await desk.renews(lost) and await desk.renews(computer) and await desk.renews(other)
    assert await desk.listed(computer) == [True] and await desk.listed(other) == [True]


async def test_a_session_that_was_ended_ends_no_other_with_what_its_token_is_still_good_for(desk: Desk) -> None:
    thief, owner = await desk.signs_in(ANN), await desk.signs_in(ANN)
    await desk.asked("DELETE", MINE, owner, 204)
    assert (await desk.asked("DELETE", MINE, thief, 409))["code"] == "session_ended"
    await desk.asked("DELETE", "/v1/sessions/current", thief, 204)
    assert (await desk.asked("DELETE", MINE, thief, 409))["code"] == "session_ended", "nor signed out"
    assert await desk.renews(owner)


async def test_who_signs_in_afterwards_is_signed_in_also_with_a_code_of_before(desk: Desk) -> None:
    owner, on_its_way = await desk.signs_in(ANN), await desk.code(ANN)
    await desk.asked("DELETE", MINE, owner, 204)
    assert await desk.renews(await desk.signs_in(ANN, on_its_way)) and await desk.renews(owner)


async def test_a_repetition_with_its_key_ends_nothing_that_has_begun_since(desk: Desk) -> None:
    owner, key = await desk.signs_in(ANN), {"idempotency-key": "once"}
    await desk.asked("DELETE", MINE, owner, 204, **key)
    new = await desk.signs_in(ANN)
    await desk.asked("DELETE", MINE, owner, 204, **key)
    assert await desk.renews(new)


async def test_one_session_is_ended_by_its_account_alone(desk: Desk) -> None:
    lost, owner, other = [await desk.signs_in(ANN) for _ in range(2)] + [await desk.signs_in(BEN)]
    await desk.folded()
    ids = [one["id"] for one in (await desk.asked("GET", MINE, owner))["items"] if not one["current"]]
    (lost_id,) = ids
    for path in (f"{MINE}/{lost_id}", f"{MINE}/{uuid4()}"):
        assert (await desk.asked("DELETE", path, other, 404))["code"] == "session_not_found"
    for _ in range(2):
        await desk.asked("DELETE", f"{MINE}/{lost_id}", owner, 204)
    assert not await desk.renews(lost) and await desk.renews(owner)
    assert await desk.listed(owner) == [True]
