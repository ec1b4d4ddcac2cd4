"""A process ends when it is told to, not when somebody looks next."""

import asyncio
import os
import signal
from types import SimpleNamespace

import pytest
import uvicorn
import uvloop

from libs.eventkit import http as edge
from libs.eventkit import run
from libs.eventkit.run import _Server
from services.gateway import forwarding
from tests.kit import turns, until


async def nothing(scope, receive, send):
    pass


def server():
    return _Server(uvicorn.Config(nothing, host="127.0.0.1", port=0, log_config=None, lifespan="off", loop="none"))


async def ended_by(number):
    one = server()
    serving = asyncio.create_task(one.serve())
    await until(lambda: one.started)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(serving, 10)


def test_a_signal_ends_it_at_once_and_in_grace():
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        uvloop.run(ended_by(number))
        assert signal.getsignal(number) == before


async def test_a_signal_that_came_while_it_started_ends_it():
    one = server()
    startup = one.startup

    async def told(sockets):
        await startup(sockets)
        os.kill(os.getpid(), signal.SIGTERM)

    one.startup, again = told, []
    before = signal.signal(signal.SIGTERM, lambda *_: again.append(True))  # uvicorn raises it once more at its end
    try:
        await asyncio.wait_for(one.serve(), 10)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert again


async def woken_by():
    """What the loop has to do later, whatever comes, once a server has started."""
    before, one = timers(), server()
    serving = asyncio.create_task(one.serve())
    await until(lambda: one.started)
    await turns(3)
    found = timers() - before
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    return found


def test_while_nobody_asks_nothing_wakes_it():
    """On a loop where nobody else has anything to do."""
    assert asyncio.run(woken_by()) == set()


async def told(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(("second", "date"), [(1_000_000_000, "01:46:40"), (1_000_000_059, "01:47:39")])
async def test_an_answer_says_when_it_was_made(monkeypatch, second, date):
    """RFC 9110, 6.6.1, in the form of 5.6.7, whenever somebody asks."""
    monkeypatch.setattr(edge.time, "time", lambda: second + 0.9)
    asgi, state = edge.Edge(told, "dated", lambda: True), SimpleNamespace(settings=SimpleNamespace(operations_port=0))
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "app": SimpleNamespace(state=SimpleNamespace(app=state))}
    await asgi(scope, None, send)
    assert sent[0]["headers"] == [(b"date", f"Sun, 09 Sep 2001 {date} GMT".encode())]


def timers():
    return {handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()}


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
