"""Webhooks without a server: what may follow from what, where one may point, and what a message is signed with."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.envelope import public_id
from libs.eventkit.sealed import Sealed
from services.gateway.domain import webhooks as rules
from services.gateway.webhooks import address, delivering, signing
from services.gateway.webhooks.address import is_public, place_of
from services.gateway.webhooks.answers import Answer, quiet_for
from services.gateway.webhooks.book import Known, WebhookBook
from services.gateway.webhooks.delivering import pause
from services.gateway.webhooks.sending import Bounds
from tests.kit import recorded

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC)
EVENT, KEY, BY = uuid4(), uuid4(), uuid4()


def box(slot: str) -> Sealed:
    return Sealed(KEY, uuid4(), slot, "box")


REGISTER = rules.RegisterWebhook("police", BY, "https://example.org:443", box("url"), box("secret"), "", "", 7, 9)
REGISTERED = rules.WebhookRegistered("police", BY, "https://example.org:443", REGISTER.url, REGISTER.secret, "", "", 7)
FAILING = rules.WebhookFailing("timeout", EVENT, NOW)
OFF = rules.WebhookSwitchedOff("failing", "timeout", EVENT, NOW, NOW + timedelta(days=3))
REMOVED = rules.WebhookRemoved(BY)
RESENT = rules.WebhookResent(3)
NEXT, LATER = uuid4(), NOW + timedelta(days=6)


def decided(command: Any, *events: Any) -> list[Any]:
    return rules.WEBHOOKS.decide[type(command)](command, rules.WEBHOOKS.fold(events))


@pytest.mark.parametrize(("command", "before", "said"), [
    (REGISTER, (), [REGISTERED]),
    (rules.TellFailing("timeout", EVENT, NOW), (REGISTERED,), [FAILING]),
    (rules.TellFailing("timeout", EVENT, NOW + timedelta(hours=1)), (REGISTERED, FAILING), []),
    (rules.TellFailing("http_500", EVENT, NOW + timedelta(hours=1)), (REGISTERED, FAILING), [replace(FAILING, code="http_500")]),
    (rules.TellFailing("timeout", NEXT, LATER), (REGISTERED, FAILING), [rules.WebhookFailing("timeout", NEXT, LATER)]),
    (rules.TellFailing("http_503", NEXT, LATER), (REGISTERED, FAILING, RESENT), [rules.WebhookFailing("http_503", NEXT, LATER)]),
    (rules.TellFailing("timeout", EVENT, NOW), (REGISTERED, OFF), []),
    (rules.TellFailing("timeout", EVENT, NOW), (), []),
    (rules.TellRecovered(EVENT, NOW), (REGISTERED, FAILING), [rules.WebhookRecovered(EVENT, NOW)]),
    (rules.TellRecovered(EVENT, NOW), (REGISTERED,), []),
    (rules.SwitchOff("failing", "timeout", EVENT, NOW + timedelta(days=3)), (REGISTERED, FAILING), [OFF]),
    (rules.SwitchOff("gone", "http_410", EVENT, NOW), (REGISTERED,),
     [rules.WebhookSwitchedOff("gone", "http_410", EVENT, NOW, NOW)]),
    (rules.SwitchOff("gone", "http_410", NEXT, LATER), (REGISTERED, FAILING),
     [rules.WebhookSwitchedOff("gone", "http_410", NEXT, LATER, LATER)]),
    (rules.SwitchOff("gone", "http_410", EVENT, NOW), (REGISTERED, OFF), []),
    (rules.SwitchOff("gone", "http_410", EVENT, NOW), (REGISTERED, REMOVED), []),
    (rules.ResumeWebhook("police", NOW), (REGISTERED, OFF), [rules.WebhookResumed(NOW)]),
    (rules.ResumeWebhook("police", NOW), (REGISTERED, FAILING), []),
    (rules.ResendFrom("police", 3), (REGISTERED,), [rules.WebhookResent(3)]),
    (rules.ResendFrom("police", 3), (REGISTERED, OFF), [rules.WebhookResent(3)]),
    (rules.RemoveWebhook("police", BY), (REGISTERED, OFF), [REMOVED]),
    (rules.RemoveWebhook("police", BY), (REGISTERED, REMOVED), []),
])
def test_what_is_said_and_when_nothing(command: Any, before: tuple[Any, ...], said: list[Any]) -> None:
    assert decided(command, *before) == said


@pytest.mark.parametrize("before", [(REGISTERED,), (REGISTERED, REMOVED)])
def test_a_key_that_is_used_again_after_its_week_gives_out_no_other_webhook(before: tuple[Any, ...]) -> None:
    with pytest.raises(Refused, match="webhook_already_registered"):
        decided(REGISTER, *before)


def test_a_role_has_ten_at_most() -> None:
    with pytest.raises(Refused, match="too_many_webhooks"):
        decided(replace(REGISTER, others=10))


@pytest.mark.parametrize("command", [
    rules.RotateSecret("grid", box("secret"), NOW), rules.ResumeWebhook("grid", NOW), rules.ResendFrom("grid", 1),
    rules.RemoveWebhook("grid", BY)])
def test_another_authoritys_does_not_exist(command: Any) -> None:
    for before in ((), (REGISTERED,), (REGISTERED, OFF), (REGISTERED, REMOVED)):
        with pytest.raises(NotFound):
            decided(command, *before)


def test_the_secret_before_signs_for_a_day_and_no_other() -> None:
    second, third = box("secret"), box("secret")
    (rotated,) = decided(rules.RotateSecret("police", second, NOW), REGISTERED)
    assert rotated == rules.WebhookSecretRotated(second, NOW + timedelta(hours=24))
    once = rules.WEBHOOKS.fold([REGISTERED, rotated])
    twice = rules.WEBHOOKS.fold([REGISTERED, FAILING, rotated, replace(rotated, secret=third)])
    assert isinstance(once, rules.Delivering) and (once.target.secret, once.target.old_secret) == (second, REGISTER.secret)
    assert isinstance(twice, rules.Failing) and (twice.target.secret, twice.target.old_secret) == (third, second)


def test_what_is_resumed_has_its_place_and_a_resend_another() -> None:
    resumed = rules.WEBHOOKS.fold([REGISTERED, FAILING, OFF, rules.WebhookResumed(NOW)])
    assert resumed == rules.WEBHOOKS.fold([REGISTERED]), "it fails no longer, and stands where it stood"
    resent = rules.WEBHOOKS.fold([REGISTERED, RESENT])
    assert isinstance(resent, rules.Delivering) and (resent.target.after, resent.target.starts) == (3, 2)
    assert rules.WEBHOOKS.fold([REGISTERED, FAILING, RESENT]) == resent, "it stands before what it failed at no longer"
    assert isinstance(rules.WEBHOOKS.fold([REGISTERED, OFF, RESENT]), rules.SwitchedOff)


async def test_only_what_has_failed_for_three_days_itself_switches_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It had stood before another event for six days; the next one fails once."""
    long_ago, said = datetime.now(UTC) - timedelta(days=6), list[Any]()
    before = [REGISTERED, replace(FAILING, since=long_ago)]

    class Commands:
        async def handle(self, webhook_id: Any, command: Any, context: Any) -> None:
            said.extend(rules.WEBHOOKS.decide[type(command)](command, rules.WEBHOOKS.fold([*before, *said])))

    monkeypatch.setattr(delivering, "book_of", lambda app: None)
    app: Any = SimpleNamespace(commands=Commands())
    known = Known(uuid4(), uuid4(), rules.WEBHOOKS.fold(before))  # type: ignore[arg-type]
    delivery = delivering.Delivery(app, known, Bounds(), asyncio.Event(), private=False)
    row = recorded(REGISTERED, known.community_id)
    await delivery._failed(row, "timeout")
    (failing,) = said
    assert isinstance(failing, rules.WebhookFailing) and failing.event_id == public_id(row.event_id, 0) and failing.since > long_ago
    await delivery._failed(row, "timeout")
    assert said == [failing]
    delivery.since = long_ago
    with pytest.raises(delivering.Stopped):
        await delivery._failed(row, "timeout")


def test_the_book_holds_what_there_is() -> None:
    book, community, ids = WebhookBook(), uuid4(), [uuid4(), uuid4()]
    rows = [(REGISTERED, ids[0]), (REGISTERED, ids[1]), (FAILING, ids[1]), (REMOVED, ids[0])]
    for event, webhook_id in rows * 2:
        book._apply(event, recorded(event, community, stream=f"webhook:{webhook_id}"))
    (known,) = book._known.values()
    assert (known.webhook_id, known.community_id) == (ids[1], community) and isinstance(known.webhook, rules.Failing)


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    found = signing.headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


def test_secrets_are_random_and_long_enough() -> None:
    secrets = {signing.new_secret() for _ in range(50)}
    assert len(secrets) == 50 and all(len(base64.b64decode(s.removeprefix("whsec_"), validate=True)) == 32 for s in secrets)


@pytest.mark.parametrize("text", [
    "93.184.216.34", "8.8.8.8", "1.1.1.1", "223.5.5.5", "2606:4700:4700::1111", "2400:3200::1", "172.15.0.1", "172.32.0.1",
    "100.63.255.255", "100.128.0.1"])
def test_public_addresses(text: str) -> None:
    assert is_public(text)


@pytest.mark.parametrize("text", [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "169.254.0.1", "0.0.0.0",
    "0.1.2.3", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "fec0::1", "localhost", "", "8.8.8.8.8", "0x7f000001", "2130706433"])
def test_addresses_to_which_nothing_goes(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(("url", "code"), [
    ("http://example.org/", "not_https"), ("ftp://example.org/", "not_https"), ("file:///etc/passwd", "not_https"),
    ("HTTP://example.org/", "not_https"), ("//example.org/", "not_https"), ("https://a:b@example.org/", "credentials"),
    ("https://a@example.org/", "credentials"), ("https://@example.org/", "credentials"), ("https://example.org/#x", "fragment"),
    ("https://example.org:80/", "port"), ("https://example.org:22/", "port"), ("https://example.org:0/", "port"),
    ("https://example.org:99999/", "malformed"), ("https:///x", "malformed"), ("https://example.org\\@10.0.0.1/", "malformed"),
    ("https://exa mple.org/", "malformed"), ("https://example.org/\r\nhost: x", "malformed"), ("https://例子.org/", "malformed"),
    ("https://[::1", "malformed"), ("https://[fe80::1%25eth0]/", "malformed"), ("https://example.org./", "malformed"),
    ("https://example.org/" + "x" * 2000, "malformed")])
def test_urls_that_are_refused(url: str, code: str) -> None:
    with pytest.raises(address.Refused) as refused:
        place_of(url)
    assert refused.value.code == code


def test_a_place_keeps_its_query_and_its_origin_does_not() -> None:
    place = place_of("https://Example.org:8443/a/b?token=x")
    assert (place.host, place.port, place.path, place.origin) == ("example.org", 8443, "/a/b?token=x", "https://example.org:8443")
    assert place_of("https://example.org").path == "/" and place_of("https://example.org").port == 443
    assert place_of("https://[2606:4700::1]/").origin == "https://[2606:4700::1]:443"
    assert place_of("http://127.0.0.1:5000/x", private=True).port == 5000


async def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(*addresses: str) -> Any:
        return lambda *_, **__: [(2, 1, 6, "", (a, 443)) for a in addresses]

    place = place_of("https://example.org/")
    monkeypatch.setattr(address.socket, "getaddrinfo", resolved("93.184.216.34", "93.184.216.34", "1.1.1.1"))
    assert await address.addresses_of(place, False, 1) == ["93.184.216.34", "1.1.1.1"]
    for addresses, code in (
            (("93.184.216.34", "10.0.0.1"), "address_refused"), (("::ffff:10.0.0.1",), "address_refused"), ((), "name_unknown")):
        monkeypatch.setattr(address.socket, "getaddrinfo", resolved(*addresses))
        with pytest.raises(address.Refused, match=code):
            await address.addresses_of(place, False, 1)


def test_pauses_grow_to_five_minutes_and_differ() -> None:
    for attempt, most in ((0, 1), (1, 2), (5, 32), (8, 256), (9, 300), (10_000, 300)):
        found = {pause(Bounds(), attempt) for _ in range(200)}
        assert most * 0.75 <= min(found) <= max(found) <= most and len(found) > 100


@pytest.mark.parametrize(("said", "seconds"), [
    ("120", 120.0), ("0", 0.0), ("9" * 40, 999_999_999.0), ("", 0.0), ("-1", 0.0), ("1.5", 0.0), ("soon", 0.0), ("²", 0.0),
    ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0), ("Wednesday, 21-Oct-26 07:28:30 GMT", 30.0), ("Wed Oct 21 07:28:30 2026", 30.0),
    ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0), ("Wed, 99 Oct 2026 07:28:30 GMT", 0.0), ("Wed, 21 Oct 99999 07:28:30 GMT", 0.0),
    (f"21 Jan {'9' * 20} 07:28:00", 0.0), ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0)])
def test_a_receiver_may_ask_for_quiet_in_seconds_or_by_a_date(said: str, seconds: float) -> None:
    assert quiet_for(said, datetime(2026, 10, 21, 7, 28, tzinfo=UTC)) == seconds


def test_quiet_that_was_asked_for_is_kept_but_no_longer_than_the_longest_pause() -> None:
    assert pause(Bounds(), 0, 120.0) == 120.0 and pause(Bounds(), 0, 10**9) == 300.0
    assert 225 <= pause(Bounds(), 20, 1.0) <= 300, "it makes no pause shorter"


@pytest.mark.parametrize(("code", "kind"), [
    ("", "taken"), ("http_503", "http_5xx"), ("http_302", "http_3xx"), ("timeout", "timeout"), ("address_refused", "address_refused")])
def test_the_labels_of_attempts_are_few(code: str, kind: str) -> None:
    assert Answer(code).kind == kind
