"""What a scenario is made of: steps, timed one by one, that wait for what they are about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

from cli.scenario import Context, Step

PATIENCE = 10.0
"""Seconds that a step waits for what it is about."""


class Failed(Exception):
    """What a step was about did not come."""


def since(begun: float) -> float:
    """Milliseconds."""
    return round((time.monotonic() - begun) * 1000, 1)


class Story:
    """The first step that fails ends the story. `tokens`: by the name under which `who` has the headers."""

    def __init__(self, context: Context, **tokens: str) -> None:
        self.client, self.controls = context.client, context.controls
        self.who = {name: {"authorization": f"Bearer {token}"} for name, token in tokens.items()}
        self.steps: list[Step] = []

    async def step(self, name: str, work: Callable[[], Awaitable[tuple[str, list[str]]]]) -> None:
        begun = time.monotonic()
        try:
            detail, events = await work()
        except (Failed, httpx.HTTPError, KeyError, TimeoutError) as error:
            self.steps.append(Step(name, False, since(begun), f"{type(error).__name__}: {error}"))
            raise Failed(name) from error
        self.steps.append(Step(name, True, since(begun), detail, events))

    async def get(self, path: str, who: dict[str, str], **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(path, headers=who, params=parameters)
        if answer.status_code != 200:
            raise Failed(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        return dict(answer.json())

    async def listed(self, path: str, who: dict[str, str], name: str = "items") -> list[dict[str, Any]]:
        """Once there is anything: an installation that has just begun hears a moment later how it did. Raises Failed."""

        async def look() -> Any:
            return (await self.get(path, who))[name]

        return list(await self.until(look))

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """The first answer that is not empty. Raises Failed."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := await look():
                return found
            await asyncio.sleep(0.02)
        raise Failed("it did not come in time")

    async def post(self, path: str, who: dict[str, str], body: dict[str, Any], *expected: int) -> httpx.Response:
        """Raises Failed for any other status than those expected (by default 201)."""
        answer = await self.client.post(path, headers={**who, "idempotency-key": str(uuid4())}, json=body)
        if answer.status_code not in (expected or (201,)):
            raise Failed(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        return answer
