"""What identity gives out is what everybody verifies."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.permissions import PERMISSIONS, permissions_of
from libs.eventkit.auth import Principal, Unauthorised, Verifier
from libs.eventkit.privacy import unbase64url
from libs.eventkit.problems import Problem
from services.identity.tokens import AUDIENCE, Refresh, Secrets

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ANN, HERE, SESSION = (UUID(int=n) for n in range(1, 4))
SECRETS = Secrets(os.urandom(32))
REFRESH = Refresh(HERE, SESSION, 7)


@pytest.mark.parametrize("role", PERMISSIONS)
def test_a_token_is_good_where_its_role_gives_commands(role: str):
    token = SECRETS.access_token("k1", ANN, role, HERE, NOW, SESSION)
    for audience in AUDIENCE[role]:
        verifier = Verifier(audience, permissions_of)
        verifier.learn("k1", unbase64url(SECRETS.public_key("k1")), NOW, NOW + timedelta(days=1))
        expected = Principal(ANN, role, frozenset({HERE}), permissions_of(role), str(SESSION))
        assert verifier.verify(token, NOW) == expected


@pytest.mark.parametrize(("service", "roles"), [
    ("gateway", {"resident", "staff", "guard", "grid", "police", "operator", "service"}),
    ("identity", {"resident", "staff", "guard", "grid", "police", "operator"}),
    ("access", {"resident", "staff", "guard", "operator", "device", "service"}),
    ("parking", {"resident", "staff", "guard"}),
    ("devices", {"staff", "guard", "operator", "device"}),
    ("alarm", {"resident", "staff", "guard"}),
    ("neighbors", {"resident", "staff", "guard"}),
])
def test_a_service_takes_the_tokens_of_those_alone_who_have_something_to_ask_of_it(service: str, roles: set[str]):
    verifier = Verifier(service, permissions_of)
    verifier.learn("k1", unbase64url(SECRETS.public_key("k1")), NOW, NOW + timedelta(days=1))
    for role in PERMISSIONS:
        token = SECRETS.access_token("k1", ANN, role, HERE, NOW, SESSION)
        if role in roles:
            assert verifier.verify(token, NOW).role == role
        else:
            with pytest.raises(Unauthorised, match="token_audience"):
                verifier.verify(token, NOW)


def test_a_token_is_good_for_ten_minutes():
    verifier, token = Verifier("gateway", permissions_of), SECRETS.access_token("k1", ANN, "staff", HERE, NOW)
    verifier.learn("k1", unbase64url(SECRETS.public_key("k1")), NOW, NOW + timedelta(days=1))
    assert verifier.verify(token, NOW + timedelta(seconds=599)).id == ANN
    with pytest.raises(Unauthorised, match="token_expired"):
        verifier.verify(token, NOW + timedelta(seconds=600))


def test_every_process_derives_the_same_key_and_every_kid_another():
    seed = os.urandom(32)
    assert Secrets(seed).public_key("k1") == Secrets(seed).public_key("k1")
    assert len({Secrets(seed).public_key("k1"), Secrets(seed).public_key("k2"), SECRETS.public_key("k1")}) == 3


def test_a_refresh_token_says_what_it_was_made_for():
    assert SECRETS.read_refresh_token(SECRETS.refresh_token(REFRESH)) == REFRESH


def test_a_refresh_token_cannot_be_made_up():
    token = SECRETS.refresh_token(REFRESH)
    altered = [token[:i] + ("A" if c != "A" else "B") + token[i + 1 :] for i, c in enumerate(token[:-1])]
    for forged in (*altered, token[:-4], "", "=", "中文", "A" * 112, Secrets(os.urandom(32)).refresh_token(REFRESH)):
        with pytest.raises(Problem, match="refresh_token_unusable"):
            SECRETS.read_refresh_token(forged)
