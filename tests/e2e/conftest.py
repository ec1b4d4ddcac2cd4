"""The whole stack, as `lifang up` starts it: one for the session, shared; tests bring data of their own."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec import Struct

from cli import scenario, status, tokens
from cli.contracts.openapi import GATEWAY
from cli.place import Place
from cli.stack import secrets
from cli.stack.demo import Demo
from cli.stack.kafka_rules import ADMIN
from libs.eventkit.settings import scram
from tests.documented import PLACES
from tests.e2e.gate import Gate
from tests.kit import until

CAPTURES = Path(__file__).parents[3] / "shared" / "real-input" / "hikvision"


class Stack(Struct, frozen=True):
    place: Place
    status: dict[str, Any]
    demo: Demo

    @property
    def gateway(self) -> str:
        return str(self.status["gateway"])

    def url(self, service: str) -> str:
        return str(self.status["services"][service]["url"])

    def bearer(self, role: str, person: str | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {tokens.token(self.place, role, person)}"}

    @property
    def broker(self) -> dict[str, str]:
        """As the stack's administrator."""
        found = {"bootstrap_servers": str(self.status["kafka"]["bootstrap"])}
        return found | scram(ADMIN, secrets.read(self.place, f"kafka-{ADMIN}"))

    @property
    def push(self) -> tuple[str, dict[str, str]]:
        terminal = self.demo.terminals[0]
        return terminal.push.url, dict(terminal.push.headers)


@pytest.fixture(scope="session")
async def stack(servers: object) -> Stack:
    if "LIFANG_TEST_STATE" not in os.environ:
        pytest.skip("the services run on a stack of their own only: lifang test, without --containers")
    place = Place(Path(os.environ["LIFANG_TEST_STATE"]))
    found = await until(lambda: (s := status.look(place))["ready"] and s, timeout=120)
    demo = Demo.read(place)
    assert demo is not None
    PLACES.update({urlsplit(service["url"]).netloc: name for name, service in found["services"].items()})
    PLACES[urlsplit(found["gateway"]).netloc] = GATEWAY
    return Stack(place, found, demo)


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=15, trust_env=False) as client:
        yield client


@pytest.fixture
def control(stack: Stack) -> Callable[[int], str]:
    import json

    terminals = json.loads(stack.place.terminals.read_text())["terminals"]
    return lambda n: f"http://{terminals[n]['control']}"


@pytest.fixture
async def gate(stack: Stack, http: httpx.AsyncClient) -> Gate:
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    who = {role: tokens.token(stack.place, role, None) for role in ("resident", "guard", "staff")}
    found = Gate(context, stack.demo, **who)
    me = (await found.get("/v1/me", found.resident))["person_id"]
    found.other = stack.bearer("resident", next(card["person_id"] for card in stack.demo.cards if card["person_id"] != me))
    return found
