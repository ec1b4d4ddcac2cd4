"""A deadline that passes at any moment of a request costs that request and no other: a client whose connections are counted (one for each
webhook, 200 for all devices) has them all back. httpcore gives them back to anyio's cancellation alone (encode/httpcore, issue 1093)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from services.devices.adapters.isapi_client import Terminal, open_door
from services.gateway.webhooks.address import Place, place_of
from services.gateway.webhooks.answers import Answer
from services.gateway.webhooks.sending import Bounds, Sender
from tests.integration.receiver import Receiver
from tests.stalled import Stalled

SERVICES = Path(__file__).parents[2] / "services"
WITHIN = 0.04
MOST, TRIES = 60, 40
"""More steps than a request has; more requests than a busy machine lets run out of time in a row."""
Ask = Callable[[], Coroutine[Any, Any, bool]]
"""Whether it was taken."""
Asks = Callable[[Receiver], AbstractAsyncContextManager[Ask]]
Before = Literal["nothing", "kept", "closed"]
"""What there is of an earlier request: nothing, its connection, or one that the other side has closed."""


class ByAsyncio(Sender):
    async def send(self, place: Place, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            async with asyncio.timeout(WITHIN):
                return await self._asked(place, await self._address(place), body, headers)
        except (TimeoutError, httpx.TimeoutException):
            return Answer("timeout")


@asynccontextmanager
async def webhook(receiver: Receiver, kind: type[Sender] = Sender) -> AsyncIterator[Ask]:
    async with kind(Bounds(connect=WITHIN, whole=WITHIN), True) as sender:
        async def ask() -> bool:
            return not (await sender.send(place_of(receiver.url, True), b"{}", {})).code

        yield ask


@asynccontextmanager
async def door(receiver: Receiver) -> AsyncIterator[Ask]:
    terminal = Terminal(f"http://127.0.0.1:{receiver.port}", "admin", "made-up", WITHIN)
    receiver.answer = lambda got: 404
    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=1)) as client:
        async def ask() -> bool:
            return (await open_door(client, terminal, 1)).code == "http_404"

        yield ask


async def is_taken(ask: Ask) -> bool:
    for _ in range(TRIES):
        if await ask():
            return True
    return False


async def stuck_after(asks: Asks, before: Before) -> list[int]:
    """At which steps of a request a loop that stands still until its deadline has passed leaves a client with which nothing is sent."""
    found = list[int]()
    for at in range(1, MOST):
        async with Receiver() as receiver, asks(receiver) as ask:
            if before != "nothing":
                assert await is_taken(ask)
            if before == "closed":
                await receiver.hangs_up()
            request = Stalled(ask(), at, WITHIN + 0.01)
            await request
            if not await is_taken(ask):
                found.append(at)
        if request.steps < at:
            return found
    raise AssertionError(f"more than {MOST} steps")


@pytest.mark.parametrize("before", ["nothing", "kept", "closed"])
@pytest.mark.parametrize("asks", [webhook, door])
async def test_a_deadline_in_the_middle_of_a_request_costs_no_other(asks: Asks, before: Before) -> None:
    assert await stuck_after(asks, before) == []


@pytest.mark.parametrize("before", ["nothing", "closed"])
async def test_a_deadline_of_asyncio_is_caught(before: Before) -> None:
    assert await stuck_after(lambda receiver: webhook(receiver, ByAsyncio), before)


def test_no_request_has_a_deadline_of_asyncio() -> None:
    asking = [path for path in SERVICES.rglob("*.py") if "import httpx" in path.read_text()]
    assert len(asking) > 4
    for path in asking:
        text = path.read_text()
        assert "asyncio.timeout" not in text and "within(" not in text, path
