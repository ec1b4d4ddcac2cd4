"""Starts the services of a stack, and later their keeper, out of one interpreter that has imported what they share.

Imports cost two seconds of a processor, and memory; here they cost them once, not once a process. Everything else is as if each had
been started on its own, which is how it comes back when it dies. Linux only: the supervisor takes over the processes.
"""

import asyncio
import ctypes
import gc
import importlib
import os
import runpy
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec import Struct

SHARED = ("cli.migrate", "libs.eventkit.run", "libs.contracts.topics", "httpx", "uvloop")
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: whoever loses its parent below this process becomes its child."""


class Birth(Struct):
    """`module`: run as a program, with these arguments. `migrated`: the file that says of its database that it has been made ready;
    empty for who has none."""

    name: str
    log: str
    environment: dict[str, str]
    module: str
    arguments: list[str] = []
    migrated: str = ""


class Forked:
    """A process whose parent has ended and that is ours since."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self._handle, number)

    async def wait(self) -> int:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._handle)
        os.close(self._handle)
        with suppress(ChildProcessError):
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])  # noqa: ASYNC222  it has ended
        return 0


def take_orphans() -> bool:
    """Makes this process the one that orphans below it come to; False where that cannot be."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0) == 0)


async def bear(nursery: asyncio.subprocess.Process | None, births: list[Birth]) -> dict[str, Forked]:
    """Their processes by name; none where there is no nursery, or it failed, which its log explains."""
    if nursery is None or nursery.stdin is None or nursery.stdout is None:
        return {}
    with suppress(msgspec.DecodeError, OSError):
        nursery.stdin.write(msgspec.json.encode(births) + b"\n")
        await nursery.stdin.drain()
        answer = await nursery.stdout.readline()
        return {name: Forked(pid) for name, pid in msgspec.json.decode(answer, type=dict[str, int]).items()}
    return {}


async def closed(nursery: asyncio.subprocess.Process) -> None:
    """Nobody else is to be born."""
    if nursery.stdin is not None:
        nursery.stdin.close()
    await nursery.wait()


def become(birth: Birth) -> NoReturn:
    """What a new process of that name would be. A service's database is made ready first, by its parent's imports, at the cost of one look;
    where that fails it ends, and whoever starts the next one has to migrate."""
    os.setsid()
    descriptor = os.open(birth.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, descriptor), (2, descriptor)):
        os.dup2(source, number)
    os.closerange(3, 64)
    os.environ.update(birth.environment)
    sys.argv = [birth.module, *birth.arguments]
    code: object = 1
    try:
        gc.enable()
        if birth.migrated:
            importlib.import_module("cli.migrate").migrate(birth.name)
            Path(birth.migrated).touch()
        runpy.run_module(birth.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def orphaned(birth: Birth) -> int:
    """The pid of its process, whose parent has ended."""
    reading, writing = os.pipe()
    if (between := os.fork()) == 0:
        if (pid := os.fork()) == 0:
            become(birth)
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.waitpid(between, 0)
    os.close(writing)
    with open(reading) as told:
        return int(told.read())


def main() -> None:
    """Until its standard input ends: a line with those who are to be born, a line with their pids."""
    gc.disable()
    for name in SHARED:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin.buffer:
        born = {birth.name: orphaned(birth) for birth in msgspec.json.decode(line, type=list[Birth])}
        print(msgspec.json.encode(born).decode(), flush=True)


if __name__ == "__main__":
    main()
