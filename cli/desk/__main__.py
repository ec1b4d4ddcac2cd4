"""The demo desk of an installation: `python -m cli.desk`, for demonstrations and tests alone.

Seeds the demo community, keeps its simulated devices, and is where `lifang scenario … --gateway` finds what only the inside has
(`counter.py`). Environment: LIFANG_URL_<SERVICE> of six, LIFANG_DESK (by which name devices find it), LIFANG_PANELS (host:port where
panels call), LIFANG_PORT, LIFANG_SECRETS with `demo`, `device-password` and `dc09-key`. Ends when one of its devices does.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import uvicorn

from cli.call import Away
from cli.desk.counter import Open, counter
from cli.desk.devices import configurations
from cli.stack.demo import SEEDED, Demo, NotSeeded, Site, seed_at

TERMINALS, GATES = (8100, 8101), (8120, 8121)
"""Ports on which simulated terminals and barriers take orders."""
PATIENCE = 30.0
PAUSE = 0.5
"""Seconds between two attempts to seed."""


@dataclass(frozen=True)
class Told:
    """By the environment. Raises KeyError naming what is missing."""

    name: str
    panels: str
    port: int
    secrets: Path
    urls: Mapping[str, str]

    @classmethod
    def by(cls, environment: Mapping[str, str]) -> "Told":
        urls = {service: environment[f"LIFANG_URL_{service.upper()}"] for service in SEEDED}
        return cls(
            environment["LIFANG_DESK"], environment["LIFANG_PANELS"], int(environment["LIFANG_PORT"]), Path(environment["LIFANG_SECRETS"]),
            urls)

    @property
    def site(self) -> Site:
        return Site(self.urls, [f"{self.name}:{port}" for port in TERMINALS], [f"{self.name}:{port}" for port in GATES], self.panels)

    @property
    def key(self) -> str:
        return (self.secrets / "demo").read_text().strip()


class Server(uvicorn.Server):
    """Leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def from_inside(url: str, devices: str) -> str:
    """What a device is told to report to is an address for those outside; the simulated ones are not."""
    return urlunsplit(urlsplit(devices)._replace(path=urlsplit(url).path))


async def seeded(told: Told) -> Demo:
    said = ""
    while True:
        try:
            demo = await asyncio.to_thread(seed_at, told.site, told.key)
            break
        except (Away, NotSeeded) as error:
            if str(error) != said:
                print(f"not seeded yet: {error}", flush=True)
            said = str(error)
        await asyncio.sleep(PAUSE)
    for device in (*demo.terminals, *demo.cameras):
        device.push.url = from_inside(device.push.url, told.urls["devices"])
    return demo


async def serve(told: Told) -> int:
    """What the process ends with: 0 when it was told to end, 1 when a device has ended."""
    opened, stop, loop = Open(told.key, told.urls), asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
    server = Server(uvicorn.Config(counter(opened, client), host="0.0.0.0", port=told.port, log_level="warning", lifespan="off"))
    serving, ended = asyncio.create_task(server.serve()), asyncio.create_task(stop.wait())
    devices: list[asyncio.subprocess.Process] = []
    try:
        seeding = asyncio.create_task(seeded(told))
        await asyncio.wait((seeding, ended, serving), return_when=asyncio.FIRST_COMPLETED)
        if not seeding.done():
            seeding.cancel()
            return 0
        demo = seeding.result()
        places = configurations(demo, told.secrets, Path(tempfile.mkdtemp()))
        for module, file in places.files.items():
            devices.append(await asyncio.create_subprocess_exec(sys.executable, "-m", f"simulator.{module}", "--config", str(file)))
        opened.demo, opened.controls = demo, places.controls
        print(f"the demo community {demo.community_id} is seeded, its devices run", flush=True)
        ends = [asyncio.create_task(device.wait()) for device in devices]
        await asyncio.wait((ended, serving, *ends), return_when=asyncio.FIRST_COMPLETED)
        return 0 if ended.done() else 1
    finally:
        for device in devices:
            if device.returncode is None:
                device.terminate()
        server.should_exit = True
        await asyncio.gather(serving, *(device.wait() for device in devices), return_exceptions=True)


def main() -> None:
    sys.exit(asyncio.run(serve(Told.by(os.environ))))


if __name__ == "__main__":
    main()
