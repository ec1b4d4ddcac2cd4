import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.eventkit.auth import LIFETIME, SKEW, Principal, Unauthorised, Verifier
from libs.eventkit.privacy import base64url

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUED = int(NOW.timestamp())
PERSON, HERE = UUID(int=1), UUID(int=2)
SIGNER, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC = SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
PEM = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"}
CLAIMS: dict[str, Any] = {
    "iss": "lifang-identity", "aud": ["gateway", "access"], "sub": str(PERSON), "role": "staff", "cid": [str(HERE)],
    "iat": ISSUED, "exp": ISSUED + LIFETIME, "sid": "s1",
}  # fmt: skip


def permissions_of(role: str) -> frozenset[str]:
    return frozenset({"doors.open"}) if role == "staff" else frozenset()


@pytest.fixture
def verifier() -> Verifier:
    verifier = Verifier("access", permissions_of)
    verifier.learn("k1", PUBLIC, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    return verifier


def signed(header: dict[str, Any] | bytes = HEADER, claims: dict[str, Any] | bytes = CLAIMS, key=SIGNER) -> str:
    """Anything at all, properly signed: what a forger with full freedom over header and payload would send."""
    parts = [base64url(p if isinstance(p, bytes) else json.dumps(p).encode()) for p in (header, claims)]
    return ".".join([*parts, base64url(key.sign(".".join(parts).encode()))])


def hs256(secret: bytes) -> str:
    head, body, _ = signed({**HEADER, "alg": "HS256"}).split(".")
    return f"{head}.{body}.{base64url(hmac.digest(secret, f'{head}.{body}'.encode(), hashlib.sha512))}"


def without(name: str) -> dict[str, Any]:
    return {k: v for k, v in CLAIMS.items() if k != name}


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


GOOD = signed()
HEAD, BODY, SIGNATURE = GOOD.split(".")
OTHER_BODY = signed(claims={**CLAIMS, "role": "operator"}).split(".")[1]

FORGED = {
    "empty": ("", "token_missing"),
    "not a token": ("Bearer", "token_malformed"),
    "alg none, unsigned": (f"{signed({**HEADER, 'alg': 'none'}).rpartition('.')[0]}.", "token_malformed"),
    "alg none, signed": (signed({**HEADER, "alg": "none"}), "token_forged"),
    "alg HS256 with the public key": (hs256(PUBLIC), "token_forged"),
    "alg HS256 with the public PEM": (hs256(PEM), "token_forged"),
    "HS256 signature, EdDSA header": (
        f"{HEAD}.{BODY}.{base64url(hmac.digest(PUBLIC, f'{HEAD}.{BODY}'.encode(), 'sha512'))}", "token_forged"),
    "alg in another case": (signed({**HEADER, "alg": "eddsa"}), "token_forged"),
    "other typ": (signed({**HEADER, "typ": "JWT"}), "token_forged"),
    "no typ": (signed({"alg": "EdDSA", "kid": "k1"}), "token_forged"),
    "no kid": (signed({"alg": "EdDSA", "typ": "at+jwt"}), "token_forged"),
    "jku": (signed({**HEADER, "jku": "https://evil.example/keys"}, key=STRANGER), "token_forged"),
    "x5u": (signed({**HEADER, "x5u": "https://evil.example/chain"}), "token_forged"),
    "jwk": (signed({**HEADER, "jwk": {"kty": "OKP"}}, key=STRANGER), "token_forged"),
    "crit": (signed({**HEADER, "crit": ["exp"]}), "token_forged"),
    "b64 false": (signed({**HEADER, "b64": False}), "token_forged"),
    "header not JSON": (signed(b"\xff\x00"), "token_forged"),
    "unknown kid": (signed({**HEADER, "kid": "k2"}), "key_unknown"),
    "kid as path": (signed({**HEADER, "kid": "../../k1"}), "key_unknown"),
    "other key, known kid": (signed(key=STRANGER), "token_forged"),
    "payload exchanged": (f"{HEAD}.{OTHER_BODY}.{SIGNATURE}", "token_forged"),
    "signature of zeros": (f"{HEAD}.{BODY}.{'A' * 86}", "token_forged"),
    "signature of another spelling": (GOOD[:-1] + chr(ord(GOOD[-1]) + 1), "token_malformed"),
    "truncated": (GOOD[:-10], "token_malformed"),
    "two segments": (f"{HEAD}.{BODY}", "token_malformed"),
    "extra segment": (f"{GOOD}.e30", "token_malformed"),
    "leading space": (f" {GOOD}", "token_malformed"),
    "trailing newline": (f"{GOOD}\n", "token_malformed"),
    "standard alphabet": (f"{HEAD}+.{BODY}.{SIGNATURE}", "token_malformed"),
    "full-width letters": (f"\uff21{GOOD}", "token_malformed"),
    "too long": (signed(claims={**CLAIMS, "pad": "x" * 20_000}), "token_malformed"),
    "payload not JSON": (signed(claims=b"sub=1"), "token_malformed"),
    "payload not UTF-8": (signed(claims=b'{"iss": "\xff"}'), "token_malformed"),
    "payload a list": (signed(claims=b"[]"), "token_malformed"),
    "wrong iss": (signed(claims={**CLAIMS, "iss": "identity.evil.example"}), "token_issuer"),
    "wrong aud": (signed(claims={**CLAIMS, "aud": ["gateway", "access2"]}), "token_audience"),
    "empty aud": (signed(claims={**CLAIMS, "aud": []}), "token_audience"),
    "aud a string": (signed(claims={**CLAIMS, "aud": "access"}), "token_malformed"),
    "expired": (signed(claims={**CLAIMS, "iat": ISSUED - LIFETIME, "exp": ISSUED}), "token_expired"),
    "issued in the future": (
        signed(claims={**CLAIMS, "iat": ISSUED + SKEW + 1, "exp": ISSUED + SKEW + 2}), "token_not_yet"),
    "nbf in the future": (signed(claims={**CLAIMS, "nbf": ISSUED + SKEW + 1}), "token_not_yet"),
    "exp too far": (signed(claims={**CLAIMS, "exp": ISSUED + LIFETIME + 1}), "token_malformed"),
    "exp before iat": (signed(claims={**CLAIMS, "iat": ISSUED + 30, "exp": ISSUED + 10}), "token_malformed"),
    "exp beyond all numbers": (signed(claims={**CLAIMS, "exp": 10**400}), "token_malformed"),
    "exp not a number": (signed(claims=json.dumps({**CLAIMS, "exp": float("inf")}).encode()), "token_malformed"),
    "exp a text": (signed(claims={**CLAIMS, "exp": str(ISSUED + 60)}), "token_malformed"),
    "sub not an id": (signed(claims={**CLAIMS, "sub": "admin"}), "token_malformed"),
    "cid not ids": (signed(claims={**CLAIMS, "cid": ["*"]}), "token_malformed"),
    "cid a string": (signed(claims={**CLAIMS, "cid": str(HERE)}), "token_malformed"),
    **{f"no {name}": (signed(claims=without(name)), "token_malformed")
       for name in ("iss", "aud", "sub", "role", "cid", "iat", "exp")},
}  # fmt: skip


@pytest.mark.parametrize(("token", "code"), FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused(verifier: Verifier, token: str, code: str):
    for _ in range(2):  # a refusal is not remembered as anything else
        with pytest.raises(Unauthorised) as refused:
            verifier.verify(token, NOW)
        assert str(refused.value) == code


def test_a_token_of_another_library_names_its_principal(verifier: Verifier):
    token = jwt.encode(CLAIMS, SIGNER, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "k1"})
    expected = Principal(PERSON, "staff", frozenset({HERE}), frozenset({"doors.open"}), "s1")
    assert verifier.verify(token, NOW) == verifier.verify(token, NOW) == expected


def test_an_unknown_role_may_nothing(verifier: Verifier):
    assert verifier.verify(signed(claims={**CLAIMS, "role": "root"}), NOW).permissions == frozenset()


def test_every_flipped_byte_is_noticed(verifier: Verifier):
    for i, letter in enumerate(GOOD):
        with pytest.raises(Unauthorised):
            verifier.verify(GOOD[:i] + ("A" if letter != "A" else "B") + GOOD[i + 1 :], NOW)


@pytest.mark.parametrize("warm", [False, True], ids=["first seen", "seen before"])
@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (-SKEW - 1, "token_not_yet"),
        (-SKEW, None),
        (LIFETIME - 0.001, None),
        (LIFETIME, "token_expired"),
        (3600, "key_unknown"),
    ],
)
def test_the_clock_decides_whether_seen_before_or_not(verifier: Verifier, warm: bool, moment: float, code: str | None):
    if warm:
        verifier.verify(GOOD, NOW)
    if code is None:
        assert verifier.verify(GOOD, at(moment)).id == PERSON
    else:
        with pytest.raises(Unauthorised) as refused:
            verifier.verify(GOOD, at(moment))
        assert str(refused.value) in (code, "token_expired")


def test_a_key_learnt_anew_takes_the_tokens_of_the_old_one_with_it(verifier: Verifier):
    verifier.verify(GOOD, NOW)
    public = STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    verifier.learn("k1", public, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    with pytest.raises(Unauthorised, match="token_forged"):
        verifier.verify(GOOD, NOW)


def test_rotation_leaves_no_moment_without_a_key(verifier: Verifier):
    public = STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    verifier.learn("k2", public, NOW, NOW + timedelta(hours=2))
    assert verifier.verify(GOOD, NOW) == verifier.verify(signed({**HEADER, "kid": "k2"}, key=STRANGER), NOW)


def test_a_key_does_not_vouch_for_what_was_issued_before_it():
    verifier = Verifier("access", permissions_of)
    verifier.learn("k1", PUBLIC, at(SKEW + 1), NOW + timedelta(hours=1))
    with pytest.raises(Unauthorised, match="key_unknown"):
        verifier.verify(GOOD, NOW)


def test_a_token_dies_with_its_key_though_it_was_seen_before():
    verifier = Verifier("access", permissions_of)
    verifier.learn("k1", PUBLIC, NOW - timedelta(hours=1), at(60))
    verifier.verify(GOOD, at(59))
    with pytest.raises(Unauthorised, match="key_unknown"):
        verifier.verify(GOOD, at(60))


def test_without_a_key_nobody_is_let_in():
    verifier = Verifier("access", permissions_of)
    assert not verifier.ready
    with pytest.raises(Unauthorised, match="key_unknown"):
        verifier.verify(GOOD, NOW)


def test_what_is_no_key_is_not_learnt(verifier: Verifier):
    with pytest.raises(ValueError):
        verifier.learn("k1", PUBLIC[:-1], NOW, NOW + timedelta(hours=1))
    assert verifier.verify(GOOD, NOW).id == PERSON


def test_only_so_many_tokens_are_remembered(verifier: Verifier, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("libs.eventkit.auth._REMEMBERED", 3)
    for n in range(10):
        verifier.verify(signed(claims={**CLAIMS, "sid": str(n)}), NOW)
    assert len(verifier._verified) == 3
