"""The two services as one process that can be killed, forked from a server that has imported everything."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Mapping
from multiprocessing import connection
from pathlib import Path

import httpx
import uvloop

from libs.eventkit.settings import Settings
from tests.kit import until

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.toy.process", "tests.toy.main", "tests.toy.twins", "libs.eventkit.run"])


def serve(environment: Mapping[str, str], twin: str, log: str) -> None:
    """`python -m … all` of toy, with echo's worker beside it, ended when the test's own process ends."""
    from libs.eventkit import failpoints
    from tests.toy import twins

    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)
    failpoints._chosen, failpoints._armed = (
        environment.get(name, "") for name in ("LIFANG_FAILPOINT", "LIFANG_FAILPOINT_ARMED"))
    for name in filter(None, twin.split("+")):
        twins.TWINS[name]()
    part = environment.get("TOY_PART", "")
    uvloop.run(one(part) if part else both())


async def one(part: str) -> None:
    """A process of its own for `api`, `worker` or `relay` of toy, or for `echo`'s worker."""
    from libs.eventkit import obs
    from libs.eventkit.run import serve as serving
    from libs.eventkit.service import App
    from libs.eventkit.settings import settings_for
    from tests.toy.main import ECHO, TOY

    service, mode = (ECHO, "worker") if part == "echo" else (TOY, part)
    obs.configure(service.name)
    await serving(App(service, settings_for(service.name)), mode)


async def both() -> None:
    from libs.eventkit import obs
    from libs.eventkit.run import serve as serving
    from libs.eventkit.service import App
    from libs.eventkit.settings import settings_for
    from tests.toy.main import ECHO, TOY

    obs.configure("toy")
    echo = App(ECHO, settings_for("echo"))
    await echo.open()
    echo.start_worker()
    echo.supervisor.start("listen", lambda: echo.wake.listen(echo.database))
    await serving(App(TOY, settings_for("toy")), "all")
    await echo.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Toy:
    """`directory` keeps its log, the device's memory and the file that arms the failpoint. `part`: only this of it, as `one` says."""

    def __init__(self, settings: Settings, echo: Settings, directory: Path, twin: str = "", part: str = "") -> None:
        self.settings, self.echo, self.directory, self.twin, self.part = settings, echo, directory, twin, part
        self.port = free_port()
        self.armed = directory / "armed"
        self.device = directory / "device"
        self.process: multiprocessing.context.ForkServerProcess | None = None
        limits = httpx.Limits(max_keepalive_connections=0 if part else 20)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=5, trust_env=False, limits=limits)

    async def start(self, failpoint: str = "") -> None:
        """Returns when it answers and has its database."""
        s = self.settings
        environment = {
            "DATABASE_URL_TOY": s.database_url, "DATABASE_URL_ECHO": self.echo.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": s.kafka, "LIFANG_TOPIC_PREFIX": s.topic_prefix,
            "LIFANG_SECRETS": str(s.secrets), "LIFANG_KAFKA_USER": s.kafka_user, "LIFANG_PORT": str(self.port),
            "LIFANG_OPERATIONS_PORT": str(s.operations_port),
            "TOY_DEVICE": str(self.device), "TOY_PART": self.part, "LIFANG_FAILPOINT": failpoint,
            "LIFANG_FAILPOINT_ARMED": str(self.armed) if failpoint else ""}
        self.process = _forks.Process(target=serve, args=(environment, self.twin, str(self.directory / "log")), daemon=True)
        self.process.start()
        await until(self.started, 20)

    async def started(self) -> bool:
        assert self.process is not None and self.process.exitcode is None, (self.directory / "log").read_text()[-2000:]
        try:
            return (await self.http.get("/startupz")).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None and self.process.pid is not None
        return self.process.pid

    def is_over(self) -> bool:
        return self.process is not None and self.process.exitcode is not None

    async def ended(self, timeout: float = 15) -> int:
        process = self.process
        assert process is not None
        await until(lambda: process.exitcode is not None, timeout)
        assert process.exitcode is not None
        return process.exitcode

    async def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None and self.process.exitcode is None:
            os.kill(self.pid, number)
            await self.ended()

    async def close(self) -> None:
        await self.stop()
        await self.http.aclose()

    def rung(self) -> list[tuple[str, str, float]]:
        """What the device remembers: bell, order, when."""
        if not self.device.exists():
            return []
        return [(bell, ring, float(at)) for bell, ring, at in (line.split() for line in self.device.read_text().splitlines())]
