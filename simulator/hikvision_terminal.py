"""Simulated Hikvision door terminals, all in one process: `python -m simulator.hikvision_terminal --config FILE`.

The file: `{"terminals": [{"device_id", "name", "listen", "control", "password_file", "push": {"url", "headers"},
"serial", "doors", "user", "open_seconds"}], "state_dir"}`. With `state_dir` serial numbers survive a restart.
SIGTERM and SIGINT end it with 0.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from simulator.hikvision_control import control
from simulator.hikvision_device import Terminal, TerminalConfig
from simulator.hikvision_isapi import isapi

App = Callable[[Scope, Receive, Send], Awaitable[None]]
PUSH_TIMEOUT = 10.0


class Config(Struct, frozen=True):
    terminals: list[TerminalConfig]
    state_dir: str | None = None


class _Server(uvicorn.Server):
    """Wakes for requests only, and leaves signals to us: uvicorn would look ten times a second and raise them again."""

    def __init__(self, app: App) -> None:
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

    async def main_loop(self) -> None:
        await self.on_tick(0)
        print('{"level": "info", "message": "simulated terminals are ready"}', flush=True)
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ByAddress:
    """One server, many sockets: the address that was called tells who answers."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self._apps: dict[tuple[str, int], App] = {}

    def add(self, address: str, app: App) -> None:
        listener = socket.create_server(_host_port(address), backlog=128)
        # asyncio sets this only on sockets whose proto is named; accepted ones inherit it. Without: 40 ms an answer.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(listener)
        self._apps[listener.getsockname()[:2]] = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._apps[tuple(scope["server"])](scope, receive, send)


async def serve(config: Config) -> None:
    """All terminals of the configuration, until SIGTERM or SIGINT."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
    async with httpx.AsyncClient(timeout=PUSH_TIMEOUT, limits=limits, trust_env=False) as client:
        terminals = [Terminal(each, client, _memory(config, each)) for each in config.terminals]
        addresses = _ByAddress()
        for terminal in terminals:
            addresses.add(terminal.config.listen, isapi(terminal, _password(terminal.config)))
            addresses.add(_loopback(terminal.config.control), control(terminal))
        server = _Server(addresses)

        def stop() -> None:
            server.stopping.set()
            for terminal in terminals:
                terminal.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        await server.serve(sockets=addresses.sockets)


def _memory(config: Config, terminal: TerminalConfig) -> Path | None:
    if config.state_dir is None:
        return None
    Path(config.state_dir).mkdir(parents=True, exist_ok=True)
    return Path(config.state_dir) / f"{terminal.device_id}.serial"


def _password(terminal: TerminalConfig) -> str:
    return Path(terminal.password_file).read_text().strip()


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def _loopback(address: str) -> str:
    if not ipaddress.ip_address(_host_port(address)[0]).is_loopback:
        raise SystemExit(f"{address}: the control port is for this machine only")
    return address


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator.hikvision_terminal", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True)
    config = msgspec.json.decode(parser.parse_args().config.read_bytes(), type=Config)
    asyncio.run(serve(config))


if __name__ == "__main__":
    main()
