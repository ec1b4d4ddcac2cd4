"""Whoever asks in vain too often waits; whoever uses what is theirs never does."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.eventkit.auth import Unauthorised
from libs.eventkit.problems import Problem
from services.gateway.limits import NO_TOKEN, NOT_FOUND, PROXIES, RENEWING, SIGNING_IN, WINDOW, Budgets, Limits, Policy, address_of

PEOPLE: dict[str, UUID] = {"one": uuid4(), "another": uuid4()}


def verified(token: str, now: object) -> SimpleNamespace:
    if token not in PEOPLE:
        raise Unauthorised("token_malformed")
    return SimpleNamespace(id=PEOPLE[token])


class Gateway:
    """The limits around an application that answers with `status`, or raises it."""

    def __init__(self, status: int = 404, raised: bool = False) -> None:
        self.status, self.raised = status, raised
        self.limits = Limits(SimpleNamespace(verifier=SimpleNamespace(verify=verified)), self._answer)  # type: ignore[arg-type]

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if self.raised:
            raise Problem(self.status, "x")
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, path: str, token: str = "", address: str = "10.0.0.1", method: str = "GET",
                  forwarded: str = "") -> tuple[int, dict[str, str]]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        heads = [(b"authorization", f"Bearer {token}".encode())] if token else []
        heads += [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
        await self.limits({"type": "http", "method": method, "path": path, "headers": heads, "client": (address, 1)}, None, send)  # type: ignore[arg-type]
        return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}


@pytest.mark.parametrize("raised", [False, True])
async def test_whoever_asks_for_ever_other_things_that_are_not_theirs_waits(raised: bool):
    gateway = Gateway(raised=raised)
    for left in range(NOT_FOUND.quota - 1, -1, -1):
        status, headers = await gateway.ask(f"/v1/incidents/{uuid4()}", "one")
        assert status == 404
        assert headers["ratelimit"].startswith(f'"not-found";r={left};t=')
    await gateway.ask(f"/v1/incidents/{uuid4()}", "one")
    status, headers = await gateway.ask("/v1/me", "one")
    assert (status, headers["ratelimit-policy"]) == (429, f'"not-found";q={NOT_FOUND.quota};w={WINDOW}')
    assert 0 < int(headers["retry-after"]) <= WINDOW
    assert (await gateway.ask("/v1/me", "another"))[0] == 404, "nobody else waits, not even from the same address"


async def test_a_door_and_a_call_for_help_are_never_kept_waiting():
    gateway = Gateway()
    for _ in range(NOT_FOUND.quota + 2):
        await gateway.ask(f"/v1/incidents/{uuid4()}", "one")
    assert (await gateway.ask(f"/v1/doors/{uuid4()}/openings", "one", method="POST"))[0] == 404
    assert (await gateway.ask("/v1/sos", "one", method="POST"))[0] == 404


async def test_looking_again_for_the_same_thing_is_no_guessing():
    gateway = Gateway()
    for _ in range(NOT_FOUND.quota * 3):
        assert (await gateway.ask("/v1/incidents/the-same", "one"))[0] == 404


async def test_what_is_there_costs_nothing_and_says_nothing():
    gateway = Gateway(status=200)
    for n in range(NOT_FOUND.quota * 3):
        status, headers = await gateway.ask(f"/v1/incidents/{n}", "one")
        assert (status, headers) == (200, {})


async def test_sign_ins_of_one_address_are_counted_whatever_comes_of_them():
    gateway = Gateway(status=202)
    answers = [await gateway.ask("/v1/sign-ins", method="POST") for _ in range(SIGNING_IN.quota + 1)]
    assert [status for status, _ in answers] == [202] * SIGNING_IN.quota + [429]
    assert (await gateway.ask("/v1/sign-ins/x/tokens", method="POST"))[0] == 429, "the same budget"
    assert (await gateway.ask("/v1/token-renewals", method="POST"))[0] == 202, "who has a session renews it"
    assert (await gateway.ask("/v1/sign-ins", method="POST", address="10.0.0.2"))[0] == 202
    assert (await gateway.ask("/v1/me", "one"))[0] == 202


async def test_tokens_that_are_none_are_counted_by_address_and_good_ones_pass():
    gateway = Gateway(status=401, raised=True)
    for _ in range(NO_TOKEN.quota + 1):
        assert (await gateway.ask("/v1/me", "forged"))[0] == 401
    assert (await gateway.ask("/v1/me", "forged"))[0] == 429
    gateway.raised, gateway.status = False, 200
    assert (await gateway.ask("/v1/me", "one"))[0] == 200


async def test_a_whole_community_behind_one_address_renews_its_sessions():
    gateway = Gateway(status=200)
    for _ in range(RENEWING.quota * 3):
        assert (await gateway.ask("/v1/token-renewals", method="POST")) == (200, {})
    gateway.status = 401
    answers = [(await gateway.ask("/v1/token-renewals", method="POST"))[0] for _ in range(RENEWING.quota + 2)]
    assert answers == [401] * (RENEWING.quota + 1) + [429], "those that were refused count"
    gateway.status = 202
    assert (await gateway.ask("/v1/sign-ins", method="POST"))[0] == 202
    assert (await gateway.ask("/v1/me"))[0] == 202


async def test_junk_tokens_keep_nobody_at_that_address_from_signing_in():
    gateway = Gateway(status=401)
    for _ in range(NO_TOKEN.quota + 2):
        await gateway.ask("/v1/me", "forged")
    assert (await gateway.ask("/v1/me"))[0] == 429
    gateway.status = 202
    for path in ("/v1/sign-ins", "/v1/sign-ins/x/tokens", "/v1/token-renewals"):
        assert (await gateway.ask(path, method="POST"))[0] == 202, path


async def test_behind_a_proxy_each_caller_has_a_budget_of_their_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PROXIES, "1")
    gateway = Gateway(status=202)
    for n in range(SIGNING_IN.quota + 1):
        await gateway.ask("/v1/sign-ins", method="POST", forwarded=f"192.0.2.{n}, 198.51.100.7")
    status, _ = await gateway.ask("/v1/sign-ins", method="POST", forwarded="192.0.2.250, 198.51.100.7")
    assert status == 429, "what a caller writes is no address"
    assert (await gateway.ask("/v1/sign-ins", method="POST", forwarded="198.51.100.8"))[0] == 202


@pytest.mark.parametrize(("client", "forwarded", "proxies", "found"), [
    ("10.0.0.1", "", 0, "10.0.0.1"), ("10.0.0.1", "192.0.2.1", 0, "10.0.0.1"), ("10.0.0.1", "", 1, "10.0.0.1"),
    ("10.0.0.1", "192.0.2.1", 1, "192.0.2.1"), ("10.0.0.1", "192.0.2.9, 192.0.2.1", 1, "192.0.2.1"),
    ("10.0.0.1", "192.0.2.9, 192.0.2.1, 10.9.9.9", 2, "192.0.2.1"), ("10.0.0.1", "192.0.2.1", 2, "10.0.0.1"),
    ("10.0.0.1", "nonsense", 1, "10.0.0.1"), ("10.0.0.1", "192.0.2.1:5000", 1, "192.0.2.1"),
    ("2001:db8::1", "", 0, "2001:db8::/64"), ("10.0.0.1", "2001:db8:0:0:9::9", 1, "2001:db8::/64")])
def test_whose_budget_it_is(client: str, forwarded: str, proxies: int, found: str):
    heads = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert address_of({"client": (client, 1), "headers": heads}, proxies) == found


async def test_health_is_asked_as_often_as_one_likes():
    gateway = Gateway(status=401)
    for _ in range(NO_TOKEN.quota + 5):
        assert (await gateway.ask("/readyz"))[0] == 401


def test_after_the_window_all_of_it_is_back():
    now = [0.0]
    budgets = Budgets(Policy("p", 2), lambda: now[0])
    for what in (b"a", b"b", b"c"):
        budgets.spend("one", what)
    assert budgets.left("one") == (-1, WINDOW)
    now[0] = WINDOW - 1
    assert budgets.left("one") == (-1, 1)
    now[0] = WINDOW
    assert budgets.left("one") == (2, WINDOW)
    budgets.spend("one", b"d")
    assert budgets.left("one") == (1, WINDOW)


def test_no_caller_makes_it_remember_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.gateway.limits.REMEMBERED", 3)
    budgets = Budgets(Policy("p", 2), lambda: 0.0)
    for who in "abcda":
        budgets.spend(who, b"x")
    assert sorted(budgets._spent) == ["a", "c", "d"]
    for n in range(100):
        budgets.spend("e", n.to_bytes(4))
    assert len(budgets._spent["e"][1]) == 3
