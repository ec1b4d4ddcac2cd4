"""A process ends when it is told to, not when somebody looks next."""

import asyncio
import os
import signal
from types import SimpleNamespace

import pytest
import uvicorn
import uvloop

from libs.eventkit import run, tail
from libs.eventkit.run import _Server
from services.gateway import forwarding


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


class Enough(Exception):
    pass


async def test_a_connection_is_kept_for_longer_than_the_gateway_keeps_it(monkeypatch):
    """The other way round a request is sent now and then on a connection that is just being closed, and nobody knows what came of it."""
    kept, limits = [], []

    def config(app, **options):
        kept.append(options["timeout_keep_alive"])
        raise Enough

    monkeypatch.setattr(run.uvicorn, "Config", config)
    monkeypatch.setattr(run, "web", lambda app: None)
    with pytest.raises(Enough):
        await run.serve(SimpleNamespace(settings=SimpleNamespace(host="127.0.0.1", port=0, operations_port=0)), "api")
    monkeypatch.setattr(forwarding.httpx, "AsyncClient", lambda **options: limits.append(options["limits"]))
    forwarding.Upstream(None)
    assert 2 * limits[0].keepalive_expiry < kept[0]
    assert kept[0] > 60, "what stands before a cluster keeps one for a minute"
