"""Signing keys: published first, signed with later, replaced in time."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.eventkit.auth import LIFETIME
from libs.eventkit.decider import Refused
from services.identity.domain.signing_keys import (
    LEAD,
    LIFE,
    RENEW,
    SIGNING_KEYS,
    TOKEN,
    PublishSigningKey,
    SigningKeyPublished,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
FIRST = SigningKeyPublished("k1", "public", NOW, NOW + LIFE)
DUE = NOW + LIFE - RENEW
SECOND_KEY = SigningKeyPublished("k2", "public", DUE + LEAD, DUE + LEAD + LIFE)


def when(command: PublishSigningKey, *events: SigningKeyPublished) -> list[SigningKeyPublished]:
    return SIGNING_KEYS.decide[type(command)](command, SIGNING_KEYS.fold(events))


def publish(kid: str, now: datetime = NOW) -> PublishSigningKey:
    return PublishSigningKey(kid, "public", now)


def signs(now: datetime, *events: SigningKeyPublished) -> str | None:
    return SIGNING_KEYS.fold(events).to_sign_with(now)


def test_the_very_first_key_signs_at_once():
    assert when(publish("k1")) == [FIRST]
    assert signs(NOW, FIRST) == "k1"


def test_while_a_key_is_good_no_other_is_needed():
    assert when(publish("k2"), FIRST) == when(publish("k2", DUE - SECOND), FIRST) == []


def test_a_key_gets_its_successor_a_day_before_it_ends():
    assert when(publish("k2", DUE), FIRST) == [SECOND_KEY]
    assert when(publish("k3", DUE), FIRST, SECOND_KEY) == []
    assert FIRST.expires - DUE == timedelta(days=1)


def test_a_kid_names_one_key():
    with pytest.raises(Refused, match="kid_taken"):
        when(publish("k1", DUE), FIRST)


def test_a_successor_is_known_for_a_minute_before_it_signs():
    assert timedelta(seconds=60) <= LEAD
    assert signs(DUE + LEAD - SECOND, FIRST, SECOND_KEY) == "k1"
    assert signs(DUE + LEAD, FIRST, SECOND_KEY) == "k2"


def test_after_a_long_sleep_nobody_signs_until_the_new_key_is_known():
    woken = NOW + LIFE + timedelta(days=100)
    (late,) = when(publish("k2", woken), FIRST)
    assert late.not_before == woken + LEAD
    assert signs(woken, FIRST, late) is None
    assert signs(woken + LEAD, FIRST, late) == "k2"


def test_a_key_signs_no_token_that_would_outlive_it():
    assert timedelta(seconds=LIFETIME) == TOKEN
    assert signs(NOW + LIFE - TOKEN, FIRST) == "k1"
    assert signs(NOW + LIFE - TOKEN + SECOND, FIRST) is None


def test_a_first_key_of_a_clock_that_was_ahead_keeps_nobody_out_once_it_is_right():
    (ahead,) = when(publish("k1", NOW + 8 * HOUR))
    (mended,) = when(publish("k2"), ahead)
    assert mended.not_before == NOW + LEAD
    assert when(publish("k3", NOW + SECOND), ahead, mended) == [], "one is enough"
    assert signs(NOW + LEAD, ahead, mended) == "k2"


def test_after_a_long_sleep_with_a_clock_ahead_another_key_comes_when_it_is_right():
    woken = NOW + LIFE + timedelta(days=1)
    (ahead,) = when(publish("k2", woken + 8 * HOUR), FIRST)
    (mended,) = when(publish("k3", woken), FIRST, ahead)
    assert signs(woken + LEAD, FIRST, ahead, mended) == "k3"


def test_a_clock_that_jumps_ahead_for_a_while_takes_no_good_key_away():
    (ahead,) = when(publish("k2", NOW + LIFE + timedelta(days=1)), FIRST)
    assert signs(NOW + HOUR, FIRST, ahead) == "k1" and when(publish("k3", NOW + HOUR), FIRST, ahead) == []
    assert when(publish("k3", DUE), FIRST, ahead)[0].not_before == DUE + LEAD, "its successor does not wait for the one that came too early"
