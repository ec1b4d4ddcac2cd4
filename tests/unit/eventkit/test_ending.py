"""A process ends when it is told to, not when somebody looks next."""

import asyncio
import os
import signal

import uvicorn
import uvloop

from libs.eventkit import run, tail
from libs.eventkit.run import _Server


async def nothing(scope, receive, send):
    pass


async def ended_by(number, monkeypatch):
    """Serves until the signal comes; nobody ever looks by himself."""
    waiting = asyncio.Event()

    async def until_told(event, seconds):
        waiting.set()
        await event.wait()

    monkeypatch.setattr(run.tail, "set_within", until_told)
    server = _Server(uvicorn.Config(nothing, host="127.0.0.1", port=0, log_config=None, lifespan="off", loop="none"))
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(waiting.wait(), 10)
    assert b"date" in dict(server.server_state.default_headers)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(serving, 10)


def test_a_signal_ends_it_at_once_and_in_grace(monkeypatch):
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        uvloop.run(ended_by(number, monkeypatch))
        assert signal.getsignal(number) == before


async def test_it_looks_by_itself_whether_it_should_end(monkeypatch):
    looks = []

    async def at_once(event, seconds):
        looks.append(seconds)
        server.should_exit = len(looks) == 3

    monkeypatch.setattr(tail, "set_within", at_once)
    server = _Server(uvicorn.Config(nothing, host="127.0.0.1", port=0, log_config=None, lifespan="off", loop="none"))
    await asyncio.wait_for(server.serve(), 10)
    assert looks == [1.0] * 3
