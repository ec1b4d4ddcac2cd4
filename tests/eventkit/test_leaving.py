"""A process that is told to end while others are led elsewhere: it serves on for a while, and whoever keeps a connection lets it go."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from libs.eventkit.run import _Server
from tests.kit import until

CALLERS = 12


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[_Server, str, asyncio.Task[None]]]:
    server = _Server(uvicorn.Config(answer, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield server, f"http://127.0.0.1:{port}/", task
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await task


async def asks_until_told(url: str, failed: list[str]) -> None:
    """As one who is led elsewhere for every new connection: it goes on for as long as it may keep the one it has."""
    async with httpx.AsyncClient() as client:
        try:
            while (await client.get(url)).headers.get("connection") != "close":
                pass
        except httpx.TransportError as error:
            failed.append(type(error).__name__)


async def test_whoever_keeps_a_connection_is_told_and_nobody_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIFANG_LEAVES", "3")
    async with serving() as (server, url, task):
        failed = list[str]()
        callers = [asyncio.create_task(asks_until_told(url, failed)) for _ in range(CALLERS)]
        await until(lambda: server.server_state.total_requests > CALLERS * 5)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*callers), 3)
        assert not failed and not task.done()
        async with httpx.AsyncClient() as late:
            assert (await late.get(url)).status_code == 200, "who has not heard of it yet is served"
        await asyncio.wait_for(task, 10)


async def test_without_a_time_to_leave_it_ends_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LIFANG_LEAVES", raising=False)
    async with serving() as (_, _, task):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 2)
