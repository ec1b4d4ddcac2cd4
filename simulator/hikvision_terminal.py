"""Simulated Hikvision door terminals, all in one process: `python -m simulator.hikvision_terminal --config FILE`.

The file: `{"terminals": [{"device_id", "name", "listen", "control", "password_file", "push": {"url", "headers"},
"serial", "doors", "user", "open_seconds"}], "state_dir"}`. With `state_dir` serial numbers survive a restart.
SIGTERM and SIGINT end it with 0.
"""

import argparse
import asyncio
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from simulator.hikvision_control import control
from simulator.hikvision_device import Terminal, TerminalConfig
from simulator.hikvision_isapi import isapi
from simulator.serving import ByAddress, loopback, password, until_stopped

PUSH_TIMEOUT = 10.0


class Config(Struct, frozen=True):
    terminals: list[TerminalConfig]
    state_dir: str | None = None


async def serve(config: Config) -> None:
    """All terminals of the configuration, until SIGTERM or SIGINT."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
    async with httpx.AsyncClient(timeout=PUSH_TIMEOUT, limits=limits, trust_env=False) as client:
        terminals = [Terminal(each, client, _memory(config, each)) for each in config.terminals]
        addresses = ByAddress()
        for terminal in terminals:
            addresses.add(terminal.config.listen, isapi(terminal, password(terminal.config.password_file)))
            addresses.add(loopback(terminal.config.control), control(terminal))

        def stop() -> None:
            for terminal in terminals:
                terminal.stop()

        await until_stopped(addresses, "simulated terminals are ready", stop)


def _memory(config: Config, terminal: TerminalConfig) -> Path | None:
    if config.state_dir is None:
        return None
    Path(config.state_dir).mkdir(parents=True, exist_ok=True)
    return Path(config.state_dir) / f"{terminal.device_id}.serial"


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator.hikvision_terminal", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True)
    config = msgspec.json.decode(parser.parse_args().config.read_bytes(), type=Config)
    asyncio.run(serve(config))


if __name__ == "__main__":
    main()
