"""S1: what is no token of ours is 401 at every service; a refresh token shown twice ends its family; keys change under load unnoticed."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from libs.eventkit.commands import Context
from libs.eventkit.privacy import base64url
from libs.eventkit.recorded import NOWHERE
from libs.eventkit.service import App, Service
from services.identity import lookups
from services.identity.domain.accounts import OpenAccount, ReplacePhone
from services.identity.domain.communities import FoundCommunity
from services.identity.domain.sessions import EndSession, StartSession
from services.identity.domain.sign_ins import StartSignIn
from services.identity.domain.signing_keys import KEYS, LEAD, LIFE, RENEW, PublishSigningKey
from services.identity.main import SERVICE as IDENTITY
from services.identity.one_time_codes import code_hash
from services.identity.phone_numbers import account_index
from services.identity.tokens import Refresh, Secrets, kid_for_now, secrets_of
from tests.kit import until
from tests.security.asking import ask
from tests.security.conftest import KID, SERVICES, Signed

Served = Callable[[str], Awaitable[FastAPI]]
ROUTE = {
    "access": "/v1/doors", "alarm": "/v1/incidents", "devices": "/v1/devices", "gateway": "/v1/me", "identity": "/v1/homes",
    "neighbors": "/v1/broadcasts", "parking": "/v1/parking/lots"}


def forged(signed: Signed, service: str) -> dict[str, str]:
    """What somebody might send who wants to be staff, by what is wrong with it; the first is right."""
    now, own = int(datetime.now(UTC).timestamp()), signed.own.signing_key(KID)
    header: dict[str, Any] = {"alg": "EdDSA", "typ": "at+jwt", "kid": KID}
    claims: dict[str, Any] = {
        "iss": "lifang-identity", "aud": [service], "sub": str(uuid4()), "role": "staff", "cid": [str(uuid4())], "iat": now,
        "exp": now + 600}

    def token(head: dict[str, Any] = header, body: dict[str, Any] = claims, key: Ed25519PrivateKey = own) -> str:
        said = ".".join(base64url(json.dumps(part).encode()) for part in (head, body))
        return f"{said}.{base64url(key.sign(said.encode()))}"

    def hs256(secret: bytes) -> str:
        said = ".".join(base64url(json.dumps(part).encode()) for part in ({**header, "alg": "HS256"}, claims))
        return f"{said}.{base64url(hmac.digest(secret, said.encode(), hashlib.sha256))}"

    good, stranger = token(), Ed25519PrivateKey.generate()
    head, body, signature = good.split(".")
    raw, pem = own.public_key().public_bytes_raw(), own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    other = base64url(json.dumps({**claims, "cid": [str(uuid4())]}).encode())
    return {
        "right": good,
        "alg none, unsigned": base64url(b'{"alg":"none","typ":"at+jwt"}') + f".{body}.",
        "alg none with its signature": token({**header, "alg": "none"}),
        "alg None in capitals": token({**header, "alg": "NONE"}),
        "HS256 with the public key": hs256(raw),
        "HS256 with the public key as PEM": hs256(pem),
        "HS256 with nothing": hs256(b""),
        "another audience": token(body={**claims, "aud": ["elsewhere"]}),
        "no audience": token(body={**claims, "aud": []}),
        "another issuer": token(body={**claims, "iss": "https://identity.example"}),
        "another type": token({**header, "typ": "JWT"}),
        "no type": token({"alg": "EdDSA", "kid": KID}),
        "expired": token(body={**claims, "iat": now - 700, "exp": now - 100}),
        "of tomorrow": token(body={**claims, "iat": now + 86_400, "exp": now + 86_900}),
        "good for a day": token(body={**claims, "exp": now + 86_400}),
        "good for ever": token(body={k: v for k, v in claims.items() if k != "exp"}),
        "jku": token({**header, "jku": "https://keys.example/set.json"}, key=stranger),
        "jwk inside": token({**header, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}}),
        "x5u": token({**header, "x5u": "https://keys.example/chain.pem"}),
        "crit": token({**header, "crit": ["exp"]}),
        "unknown kid": token({**header, "kid": "unknown"}),
        "kid that is a path": token({**header, "kid": "../../etc/passwd"}),
        "no kid": token({"alg": "EdDSA", "typ": "at+jwt"}),
        "a stranger's key by our kid": token(key=stranger),
        "another community, signature kept": f"{head}.{other}.{signature}",
        "signature cut": good[:-4],
        "signature gone": f"{head}.{body}.",
        "four parts": f"{good}.{signature}",
        "no subject": token(body={k: v for k, v in claims.items() if k != "sub"}),
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_a_forged_token_is_401_everywhere(served: Served, signed: Signed, service: str):
    app, tokens = await served(service), forged(signed, service)
    assert len(tokens) > 20
    answers = {name: await ask(app, "GET", ROUTE[service], token) for name, token in tokens.items()}
    assert answers.pop("right").status == 200, "the others would be refused for another reason"
    assert {name: a.status for name, a in answers.items() if a.status != 401} == {}
    assert all(answer.code.startswith(("token_", "key_unknown")) for answer in answers.values())


async def test_a_token_is_taken_from_its_header_alone(served: Served, signed: Signed):
    app, token = await served("access"), signed.token("staff")
    assert (await ask(app, "GET", f"/v1/doors?access_token={token}&token={token}")).status == 401
    for name in ("cookie", "x-access-token", "x-user-id", "x-community-id", "x-role"):
        assert (await ask(app, "GET", "/v1/doors", headers={name: f"token={token}"})).status == 401
    assert (await ask(app, "GET", "/v1/doors", headers={"authorization": f"Basic {token}"})).status == 401


async def published(app: App, own: Secrets, at: datetime) -> str:
    kid = base64url(uuid4().bytes)
    await app.commands.handle(KEYS, PublishSigningKey(kid, own.public_key(kid), at), Context(community_id=NOWHERE, now=at))
    return kid


@pytest.fixture
async def identity(app_of: Callable[[Service], Awaitable[App]]) -> App:
    return await app_of(IDENTITY)


async def signed_in(app: App) -> tuple[Refresh, UUID]:
    """A session as a sign-in begins it."""
    community, account, person, session, now = uuid4(), uuid4(), uuid4(), uuid4(), datetime.now(UTC)
    asked = Context(community_id=community, now=now)
    await app.commands.handle(account, OpenAccount(account, person, "resident", app.blind.of(community, "phone", "x")), asked)
    await app.commands.handle(session, StartSession(session, account, person, "resident", now), asked)
    return Refresh(community, session, 0), account


async def test_a_refresh_token_shown_twice_ends_its_family(identity: App):
    from libs.eventkit.run import web

    app, own = web(identity), secrets_of(identity)
    await published(identity, own, datetime.now(UTC))
    refresh, _ = await signed_in(identity)
    first = {"refresh_token": own.refresh_token(refresh)}

    answer = await ask(app, "POST", "/v1/token-renewals", body=first)
    assert answer.status == 200
    second = {"refresh_token": json.loads(answer.body)["refresh_token"]}
    assert (await ask(app, "POST", "/v1/token-renewals", body=first)).status == 401, "used before"
    assert (await ask(app, "POST", "/v1/token-renewals", body=second)).status == 401, "thief or owner: both lose the session"


async def test_what_the_old_phone_began_is_over_when_staff_have_replaced_it(identity: App):
    from libs.eventkit.run import web

    app, own, now = web(identity), secrets_of(identity), datetime.now(UTC)
    await published(identity, own, now)
    community, account, old, new = uuid4(), uuid4(), "+8613800138000", "+8613900139000"
    asked, nowhere = Context(community_id=community, now=now), Context(community_id=NOWHERE, now=now)
    await identity.commands.handle(community, FoundCommunity(community, "里坊", "310101", "Asia/Shanghai"), asked)
    opened = OpenAccount(account, uuid4(), "resident", account_index(identity.blind, community, old))
    await identity.commands.handle(account, opened, asked)

    async def code_to(phone: str) -> str:
        sign_in, entries = uuid4(), await lookups.accounts_by_phone(identity, phone)
        await identity.commands.handle(sign_in, StartSignIn(code_hash(identity.blind, sign_in, "123456"), entries, now), nowhere)
        return f"/v1/sign-ins/{sign_in}/tokens"

    async def shows(path: str, body: dict[str, str]) -> tuple[int, str, str]:
        answer = await ask(app, "POST", path, body=body)
        return answer.status, answer.code, json.loads(answer.body).get("refresh_token", "")

    code = {"code": "123456"}
    *_, thief = await shows(await code_to(old), code)
    on_its_way = await code_to(old)
    await identity.commands.handle(account, ReplacePhone(account, account_index(identity.blind, community, new)), asked)
    assert (await shows("/v1/token-renewals", {"refresh_token": thief}))[0] == 401
    assert (await shows(on_its_way, code))[:2] == (409, "phone_replaced")
    status, _, owner = await shows(await code_to(new), code)
    assert status == 200 and (await shows("/v1/token-renewals", {"refresh_token": owner}))[0] == 200


async def test_one_of_many_who_renew_at_once_gets_tokens(identity: App):
    from libs.eventkit.run import web

    app, own = web(identity), secrets_of(identity)
    await published(identity, own, datetime.now(UTC))
    refresh, _ = await signed_in(identity)
    shown = {"refresh_token": own.refresh_token(refresh)}
    answers = await asyncio.gather(*(ask(app, "POST", "/v1/token-renewals", body=shown) for _ in range(20)))
    assert sorted(a.status for a in answers) == [200] + [401] * 19


async def test_whoever_has_renewed_gets_tokens_though_another_ends_the_session_before_the_answer(identity: App, monkeypatch):
    from libs.eventkit.run import web

    app, own, handle = web(identity), secrets_of(identity), identity.commands.handle
    await published(identity, own, datetime.now(UTC))
    refresh, _ = await signed_in(identity)

    async def and_ended(subject_id: UUID, command: Any, context: Context, **more: Any) -> Any:
        done = await handle(subject_id, command, context, **more)
        await handle(subject_id, EndSession(), context)
        return done

    monkeypatch.setattr(identity.commands, "handle", and_ended)
    shown = {"refresh_token": own.refresh_token(refresh)}
    assert [(await ask(app, "POST", "/v1/token-renewals", body=shown)).status for _ in range(2)] == [200, 401]


async def test_a_key_is_changed_under_load_and_nobody_is_refused(identity: App):
    """The first key has less than a day left; its successor is published a moment before it may sign, and signs from then on."""
    from libs.eventkit.run import web

    app, own, now = web(identity), secrets_of(identity), datetime.now(UTC)
    old = await published(identity, own, now - LIFE + RENEW - timedelta(minutes=10))
    await identity.memories[0].catch_up()
    identity.supervisor.start("memory:signing_keys", lambda: identity.memories[0].run(identity.wake))
    identity.supervisor.start("listen", lambda: identity.wake.listen(identity.database))
    used, refused = dict[str, int](), list[str]()

    async def one() -> None:
        kid = await kid_for_now(identity)
        token = own.access_token(kid, uuid4(), "staff", uuid4(), datetime.now(UTC))
        answer = await ask(app, "GET", "/v1/homes", token)
        used[kid] = used.get(kid, 0) + 1
        refused.extend([answer.code] if answer.status != 200 else [])

    async def load() -> None:
        while len(used) < 2 or min(used.values()) < 40:
            await one()

    working = [asyncio.create_task(load()) for _ in range(4)]
    await until(lambda: used.get(old, 0) >= 40)
    new = await published(identity, own, datetime.now(UTC) - LEAD + timedelta(seconds=1))
    await asyncio.wait_for(asyncio.gather(*working), 60)
    assert set(used) == {old, new}
    assert refused == []
