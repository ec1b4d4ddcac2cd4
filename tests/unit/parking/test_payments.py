import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from libs.eventkit.problems import Problem
from libs.eventkit.settings import Settings
from services.parking.payments import LocalProvider, Notification
from tests.unit.parking.samples import PAYMENT, SESSION

SAID = Notification(UUID(int=50), "session", SESSION, PAYMENT, 400, "t1")
BODY = msgspec.json.encode(SAID)


@pytest.fixture
def provider(tmp_path: Any) -> LocalProvider:
    (tmp_path / "payment-local").write_text("made-up-for-these-tests")
    return LocalProvider(Settings(service="parking", database_url="postgresql://nowhere/x", secrets=tmp_path))


def test_what_the_provider_signed_is_read_however_often_it_tells(provider: LocalProvider) -> None:
    assert provider.read(BODY, provider.sign(BODY)) == provider.read(BODY, provider.sign(BODY)) == SAID


@pytest.mark.parametrize("signature", ["", "0" * 64, "\u00e9", "\u5047"])
def test_a_wrong_signature_is_turned_away_before_anything_is_read(provider: LocalProvider, signature: str) -> None:
    for body in (BODY, b"nonsense"):
        with pytest.raises(Problem) as refused:
            provider.read(body, signature)
        assert (refused.value.status, refused.value.code) == (401, "payment_signature_wrong")


def test_a_signature_counts_for_its_own_body_alone(provider: LocalProvider) -> None:
    with pytest.raises(Problem, match="payment_signature_wrong"):
        provider.read(BODY.replace(b"400", b"1"), provider.sign(BODY))


@pytest.mark.parametrize("change", [{"amount": "400"}, {"amount": 4.5}, {"subject_id": "x"}, {"transaction": None}])
def test_what_is_no_notification_is_refused(provider: LocalProvider, change: dict[str, Any]) -> None:
    for body in (json.dumps(json.loads(BODY) | change).encode(), b"", b"\xff", b"[]"):
        with pytest.raises(Problem) as refused:
            provider.read(body, provider.sign(body))
        assert (refused.value.status, refused.value.code) == (422, "payment_notification_unreadable")


def test_a_payment_is_begun_at_one_place(provider: LocalProvider) -> None:
    assert provider.begin(PAYMENT, 400) == provider.begin(PAYMENT, 400) != provider.begin(SESSION, 400)
