"""The first community and its operator: from an empty log to somebody who signs in and opens accounts, without any demonstration."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from cli.founding import founded, signed_in
from cli.operate import operate
from libs.eventkit.commands import Context
from libs.eventkit.decider import Refused
from libs.eventkit.recorded import NOWHERE
from libs.eventkit.run import web
from libs.eventkit.service import App
from services.access.main import SERVICE as ACCESS
from services.identity.domain.accounts import AccountOpened, CloseAccount, OpenAccount
from services.identity.domain.communities import CommunityFounded
from services.identity.domain.signing_keys import KEYS, PublishSigningKey
from services.identity.founding import Founding, found
from services.identity.main import SERVICE
from services.identity.tokens import secrets_of
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
PHONE = "138 0013 8000"
WORDS = ["和平里", "--division", "110101", "--phone", PHONE, "--by", "operator:root"]


async def events(app: App) -> list[Any]:
    return [app.catalogue.read(row) for row in await everything(await app.database.pool())]


async def asked(app: App, path: str, body: Any, token: str = "", method: str = "POST") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web(app)), base_url="http://identity") as client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await client.request(method, path, json=body, headers=headers)


@pytest.fixture
async def identity(app_of: AppOf) -> App:
    """Without a demonstration, and so without anything that delivers codes."""
    app = await app_of(SERVICE)
    assert not app.settings.demo
    return app


@pytest.fixture
async def signing(identity: App) -> App:
    """One that has a key to sign with and has heard of it."""
    now, kid = datetime.now(UTC), "a"
    await identity.commands.handle(
        KEYS, PublishSigningKey(kid, secrets_of(identity).public_key(kid), now), Context(community_id=NOWHERE, now=now))
    identity.start_api()
    await until(lambda: identity.verifier.ready)
    return identity


def code_of(there: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return f"/v1/sign-ins/{there['sign_in']['id']}/tokens", {"code": there["sign_in"]["code"]}


async def test_a_community_and_its_operator_and_nobody_else(identity: App):
    there = await founded(identity, WORDS)
    community, operator, begun = await events(identity)
    assert community == CommunityFounded(there["community_id"], "和平里", "110101", "Asia/Shanghai")
    assert operator == AccountOpened(there["account_id"], there["person_id"], "operator") and there["founded"]
    assert [str(each.account_id) for each in begun.entries] == [str(there["account_id"])]
    rows = await everything(await identity.database.pool())
    assert [row.community_id for row in rows] == [there["community_id"], there["community_id"], NOWHERE]
    assert {row.meta.principal for row in rows} == {"operator:root"}
    assert not [row for row in rows if there["sign_in"]["code"] in row.data or "13800138000" in row.data], "neither code nor telephone"


async def test_said_again_it_does_nothing_and_shows_no_code(identity: App):
    first = await founded(identity, WORDS)
    before = await events(identity)
    again = await founded(identity, [*WORDS[:4], "+86-138-0013-8000", "--by", "operator:root"])
    assert again == {k: v for k, v in first.items() if k != "sign_in"} | {"founded": False}
    assert await events(identity) == before


REFUSED = [
    (["太平里", *WORDS[1:]], "another community was founded"),
    (["和平里", "--division", "310104", "--phone", PHONE], "another community was founded"),
    ([*WORDS, "--zone", "Asia/Urumqi"], "founded otherwise"),
    (["和平里", "--division", "110101", "--phone", "13900139000"], "operator with another telephone"),
    (["太平里", "--division", "990001", "--phone", PHONE], "--division"),
    (["太平里", "--division", "110101", "--phone", PHONE, "--zone", "Asia/Nowhere"], "--zone"),
    (["太平里", "--division", "110101", "--phone", "7"], "--phone"),
]


async def test_otherwise_it_is_refused_and_nothing_is_said(identity: App):
    await founded(identity, WORDS)
    before = await events(identity)
    for words, why in REFUSED:
        with pytest.raises(SystemExit, match=why) as refused:
            await founded(identity, words)
        assert await events(identity) == before and "138" not in str(refused.value), words


async def test_of_two_that_found_at_once_one_is_refused(identity: App, app_of: AppOf):
    other = await app_of(SERVICE, beside=identity)
    one, two = (Founding(name, "110101", "Asia/Shanghai", PHONE) for name in ("和平里", "太平里"))
    done = await asyncio.gather(found(identity, one, "root"), found(other, two, "root"), return_exceptions=True)
    assert [each.code for each in done if isinstance(each, Refused)] == ["other_community_founded"]
    assert len([event for event in await events(identity) if isinstance(event, CommunityFounded)]) == 1


async def test_a_further_one_is_founded_where_it_is_said_so(identity: App):
    first = await founded(identity, WORDS)
    other = await founded(identity, ["太平里", *WORDS[1:], "--further"])
    assert other["founded"] and other["community_id"] != first["community_id"]
    again = await founded(identity, ["太平里", *WORDS[1:]])
    assert not again["founded"], "the same again is no other one"


async def test_what_a_crash_left_out_comes_with_the_next_call(identity: App, monkeypatch: pytest.MonkeyPatch):
    real = identity.commands.handle

    async def handle(subject: UUID, command: Any, *rest: Any, **more: Any) -> Any:
        if type(command).__name__ == "OpenAccount":
            raise ConnectionError
        return await real(subject, command, *rest, **more)

    monkeypatch.setattr(identity.commands, "handle", handle)
    with pytest.raises(ConnectionError):
        await founded(identity, WORDS)
    monkeypatch.undo()
    there = await founded(identity, WORDS)
    assert there["founded"] and there["sign_in"]
    assert [type(event) for event in await events(identity)][:2] == [CommunityFounded, AccountOpened]


async def test_the_operator_signs_in_once_and_opens_the_account_of_a_colleague(signing: App):
    there = await founded(signing, WORDS)
    path, code = code_of(there)
    assert (await asked(signing, "/v1/accounts", {"role": "staff", "phone": "13900139000"})).status_code == 401
    wrong = await asked(signing, path, {"code": f"{(int(code['code']) + 1) % 1_000_000:06}"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "code_wrong")
    tokens = (await asked(signing, path, code)).json()
    assert (await asked(signing, path, code)).json()["code"] == "code_used"
    principal = signing.verifier.verify(tokens["access_token"], datetime.now(UTC))
    assert (principal.role, principal.id, principal.community_ids) == (
        "operator", there["person_id"], frozenset({there["community_id"]}))
    opened = await asked(signing, "/v1/accounts", {"role": "staff", "phone": "13900139000"}, tokens["access_token"])
    assert opened.status_code == 201
    resident = {"role": "resident", "phone": "13700137000", "person_id": str(UUID(int=1))}
    assert (await asked(signing, "/v1/accounts", resident, tokens["access_token"])).status_code == 403
    nobody_sends = await asked(signing, "/v1/sign-ins", {"phone": "13900139000"})
    assert (nobody_sends.status_code, nobody_sends.json()["code"]) == (503, "not_ready")
    handed = await signed_in(signing, [opened.json()["id"]])
    path, code = code_of(handed)
    staff = (await asked(signing, path, code)).json()
    assert handed["role"] == "staff"
    assert signing.verifier.verify(staff["access_token"], datetime.now(UTC)).role == "staff"


async def test_a_code_is_handed_out_for_open_accounts_of_those_who_work_here(signing: App):
    there = await founded(signing, WORDS)
    now, here = datetime.now(UTC), there["community_id"]
    asking = Context(community_id=here, now=now)
    await signing.commands.handle(UUID(int=5), OpenAccount(UUID(int=5), UUID(int=6), "resident", "index"), asking)
    before = await events(signing)
    with pytest.raises(SystemExit, match="resident"):
        await signed_in(signing, [str(UUID(int=5))])
    with pytest.raises(SystemExit, match="no such account"):
        await signed_in(signing, [str(UUID(int=7))])
    assert await events(signing) == before
    await signing.commands.handle(there["account_id"], CloseAccount(there["account_id"]), asking)
    with pytest.raises(SystemExit, match="closed"):
        await signed_in(signing, [str(there["account_id"])])
    with pytest.raises(SystemExit, match="for good"):
        await founded(signing, WORDS)


async def test_it_is_asked_of_identity_alone(app_of: AppOf):
    with pytest.raises(SystemExit, match="asked of identity"):
        await operate(await app_of(ACCESS), "found", WORDS)
