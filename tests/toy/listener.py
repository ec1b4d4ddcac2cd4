"""Echo's hearing alone as a process that can be stopped, one of several members of its group."""

import asyncio
import multiprocessing
import os
import signal
import threading
from multiprocessing import connection
from pathlib import Path

from libs.eventkit.settings import Settings
from tests.kit import until

_forks = multiprocessing.get_context("forkserver")
READY = "listening\n"


def serve(settings: Settings, member: str, twin: str, log: str) -> None:
    from tests.toy import twins

    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if twin:
        twins.TWINS[twin]()
    asyncio.run(listen(settings.model_copy(update={"member": member}), log))


async def listen(settings: Settings, log: str) -> None:
    from libs.eventkit import obs
    from libs.eventkit.service import App
    from tests.toy.main import ECHO

    obs.configure("echo")
    app = App(ECHO, settings)
    await app.open()
    assert app.hearing is not None
    app.supervisor.start("hear", app.hearing.run)
    Path(f"{log}.ready").write_text(READY)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await app.close()


class Listener:
    def __init__(self, settings: Settings, member: str, directory: Path, twin: str = "") -> None:
        self.log = directory / f"listener.{member}"
        arguments = (settings, member, twin, str(self.log))
        self.process = _forks.Process(target=serve, args=arguments, daemon=True)

    async def start(self) -> None:
        ready = Path(f"{self.log}.ready")
        ready.unlink(missing_ok=True)
        self.process.start()
        await until(ready.exists, 30)

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process.pid is not None and self.process.exitcode is None:
            self.send(signal.SIGCONT)
            self.send(number)
            await until(lambda: self.process.exitcode is not None, 30)
