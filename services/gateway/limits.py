"""How often one may ask in vain: pure ASGI around every route of the gateway, counted in this process, a minute at a time.

Nobody who uses what is theirs meets a limit. Counted is what guessing cannot do without: sign-ins from one address, renewals that
were refused, tokens that are none, and different things that one person asks for and that do not exist for them. Each budget keeps
from what it is about: junk tokens of one neighbour behind a shared address keep nobody there from signing in.
"""

import hashlib
import ipaddress
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.eventkit import problems
from libs.eventkit.auth import Unauthorised
from libs.eventkit.service import App

log = logging.getLogger(__name__)
WINDOW = 60
REMEMBERED = 10_000
"""Callers; the one that has been quiet for longest is forgotten first."""
SIGN_INS, RENEWALS = "/v1/sign-ins", "/v1/token-renewals"
PROXIES = "LIFANG_PROXIES"
"""How many proxies stand before us, each adding to X-Forwarded-For whom it was asked by. Unset: none, and the header is anybody's word."""
NEVER = ("/sos", "/openings")
"""Whatever somebody has done before: a call for help and a door are not kept waiting."""
LIMITED = Counter("lifang_gateway_limited_total", "Requests refused because a budget was spent", ["policy"])


class Policy(Struct, frozen=True):
    """`quota`: of different things within a minute."""

    name: str
    quota: int


SIGNING_IN, RENEWING = Policy("sign-ins", 120), Policy("renewals", 120)
NO_TOKEN, NOT_FOUND = Policy("unauthorised", 600), Policy("not-found", 120)


class Budgets:
    """What each caller has spent of one policy since their window began."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self.policy, self._clock = policy, clock
        self._spent: dict[str, tuple[float, set[bytes]]] = {}

    def spend(self, who: str, what: bytes) -> None:
        """The same thing again costs nothing."""
        begun, spent = self._spent.pop(who, (self._clock(), set[bytes]()))
        if self._clock() - begun >= WINDOW:
            begun, spent = self._clock(), set[bytes]()
        if len(spent) <= self.policy.quota:
            spent.add(what)
        self._spent[who] = begun, spent
        if len(self._spent) > REMEMBERED:
            del self._spent[next(iter(self._spent))]

    def left(self, who: str) -> tuple[int, int]:
        """How much, and in how many seconds all of it comes back. Nothing is left only once more than the quota was asked for."""
        begun, spent = self._spent.get(who, (self._clock(), set[bytes]()))
        rest = WINDOW - (self._clock() - begun)
        return (self.policy.quota, WINDOW) if rest <= 0 else (self.policy.quota - len(spent), max(1, round(rest)))

    def headers(self, who: str) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them."""
        rest, seconds = self.left(who)
        name, quota = self.policy.name, self.policy.quota
        return {"RateLimit-Policy": f'"{name}";q={quota};w={WINDOW}', "RateLimit": f'"{name}";r={max(0, rest)};t={seconds}'}


class Limits:
    """429 with Retry-After to whoever has spent a budget; the headers say what is left of the one that was touched."""

    def __init__(self, app: App, asgi: ASGIApp) -> None:
        self._app, self._asgi, self._count, self._proxies = app, asgi, 0, int(os.environ.get(PROXIES) or "0")
        self.sign_ins, self.renewals = Budgets(SIGNING_IN), Budgets(RENEWING)
        self.unauthorised, self.not_found = Budgets(NO_TOKEN), Budgets(NOT_FOUND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._asgi(scope, receive, send)
            return
        address, path, person = address_of(scope, self._proxies), scope["path"], self._person(scope)
        touched = list[tuple[Budgets, str]]()
        if signing_in := scope["method"] == "POST" and path.startswith(SIGN_INS):
            self._spend(self.sign_ins, address, touched, self._next())
        by_address = self.sign_ins if signing_in else self.renewals if path == RENEWALS else self.unauthorised
        for budgets, who in ((by_address, address if by_address is not self.unauthorised or not person else ""), (self.not_found, person)):
            if who and budgets.left(who)[0] < 0 and not path.endswith(NEVER):
                await self._refuse(budgets, who)(scope, receive, send)
                return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._look(message["status"], address, person, path, touched)
                for spent, who in touched[-1:]:
                    message.setdefault("headers", []).extend(
                        (name.lower().encode(), value.encode()) for name, value in spent.headers(who).items())
            await send(message)

        try:
            await self._asgi(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            await problems.translate(error)(scope, receive, sending)

    def _look(self, status: int, address: str, person: str, path: str, touched: list[tuple[Budgets, str]]) -> None:
        if status == 401 and not path.startswith(SIGN_INS):
            self._spend(self.renewals if path == RENEWALS else self.unauthorised, address, touched, self._next())
        elif status == 404 and person:
            self._spend(self.not_found, person, touched, hashlib.sha256(path.encode()).digest()[:8])

    def _spend(self, budgets: Budgets, who: str, touched: list[tuple[Budgets, str]], what: bytes) -> None:
        budgets.spend(who, what)
        touched.append((budgets, who))

    def _next(self) -> bytes:
        self._count += 1
        return self._count.to_bytes(8)

    def _person(self, scope: Scope) -> str:
        """By their token, which the verifier remembers; empty for whoever has none that is good."""
        head = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
        try:
            return str(self._app.verifier.verify(head.partition(" ")[2].strip(), datetime.now(UTC)).id)
        except Unauthorised:
            return ""

    def _refuse(self, budgets: Budgets, who: str) -> Any:
        policy = budgets.policy.name
        LIMITED.labels(policy).inc()
        log.warning("the budget %s is spent by %s", policy, who if budgets is self.not_found else "one address")
        return problems.answer(
            429, "too_many_requests", headers={"Retry-After": str(budgets.left(who)[1]), **budgets.headers(who)}, policy=policy)


def address_of(scope: Scope, proxies: int) -> str:
    """Whom the outermost of our proxies was asked by: what stands before that in X-Forwarded-For the caller may have written. All of an
    IPv6 network of 64 bits is one caller, who chooses among its addresses."""
    peer = (scope.get("client") or ("unknown",))[0]
    told = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for").split(",")
    found = told[-proxies].strip() if 0 < proxies <= len(told) else ""
    found = found.partition(":")[0] if found.count(":") == 1 else found  # some add the port
    try:
        address = ipaddress.ip_address(found or peer)
    except ValueError:
        return peer
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
