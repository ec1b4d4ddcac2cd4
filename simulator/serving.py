"""What every simulated device needs to be a process of its own: one server on many addresses, ended by a signal."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

EVERYWHERE = "0.0.0.0"
"""Every address of this machine."""
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Server(uvicorn.Server):
    """Wakes for requests only, and leaves signals to us: uvicorn would look ten times a second and raise them again."""

    def __init__(self, app: App, ready: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                log_level="warning",
                lifespan="off",
                date_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.stopping = asyncio.Event()
        self._ready = ready

    async def main_loop(self) -> None:
        await self.on_tick(0)
        print(f'{{"level": "info", "message": "{self._ready}"}}', flush=True)
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ByAddress:
    """One server, many sockets: the address that was called tells who answers."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self._apps: dict[tuple[str, int], App] = {}

    def add(self, address: str, app: App) -> None:
        listener = socket.create_server(host_port(address), backlog=128)
        # asyncio sets this only on sockets whose proto is named; accepted ones inherit it. Without: 40 ms an answer.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(listener)
        self._apps[listener.getsockname()[:2]] = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host, port = scope["server"]
            await (self._apps.get((host, port)) or self._apps[EVERYWHERE, port])(scope, receive, send)


async def until_stopped(addresses: ByAddress, ready: str, stop: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT; says `ready` on standard output when it can be called, and calls `stop` at the end."""
    server = Server(addresses, ready)

    def end() -> None:
        server.stopping.set()
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await server.serve(sockets=addresses.sockets)


def host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def loopback(address: str) -> str:
    """The address itself. Raises SystemExit where others than this machine could reach it."""
    if not ipaddress.ip_address(host_port(address)[0]).is_loopback:
        raise SystemExit(f"{address}: the control port is for this machine only")
    return address


def password(file: str) -> str:
    return Path(file).read_text().strip()


def answer(value: Any, status: int = 200) -> Response:
    """JSON, as a control port gives it."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def _unprocessable(_: Request, problem: Exception) -> Response:
    return answer({"problem": str(problem)}, 422)


UNREADABLE: Mapping[Any, Any] = {msgspec.MsgspecError: _unprocessable}
"""What a control port does with a body that is not what it takes."""
