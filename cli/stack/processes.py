"""Processes known by pid and start time, so that a pid which has been given to someone else is never taken for ours."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from cli.place import Place

CLOCK = 2.0
"""Seconds by which the start time of one process may differ between two readings (the clock of the machine is set)."""
MARK = "LIFANG_STATE"
"""In the environment of everything we start: the directory of the stack that it belongs to."""


class Running(Struct):
    pid: int
    started: float
    program: str
    restarts: int = 0

    @classmethod
    def of(cls, pid: int, restarts: int = 0) -> "Running | None":
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            return cls(pid, process.create_time(), process.name(), restarts)
        return None

    def process(self) -> psutil.Process | None:
        """The process, if it is still this one and has not ended."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK and process.name() == self.program
            return process if same and is_running(process) else None
        return None


class Record(Struct):
    """What the supervisor has started. `parts` are keyed by name: postgres, kafka, keeper, simulator, and the services. `state`: the
    directory of the stack that wrote it."""

    supervisor: Running | None = None
    parts: dict[str, Running] = {}
    state: str = ""

    @classmethod
    def read(cls, place: Place) -> "Record":
        """In a copy of a checkout nothing runs, whatever the original's record says."""
        with suppress(OSError, msgspec.DecodeError):
            found = msgspec.json.decode(place.record.read_bytes(), type=cls)
            return found if found.state in ("", str(place.state)) else cls()
        return cls()

    def write(self, place: Place) -> None:
        self.state = str(place.state)
        replace(place.record, msgspec.json.encode(self))


def replace(path: Path, content: bytes) -> None:
    """Writes a file whole: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


class Manner(Struct, frozen=True):
    """How a part is ended: in which turn, with which signal, and after how many seconds by force."""

    turn: int
    signal: int = signal.SIGTERM
    grace: float = 10.0


GATEWAY, SERVICE, SIMULATOR, KEEPER, KAFKA = Manner(0), Manner(1), Manner(2, grace=3.0), Manner(3), Manner(4)
POSTGRES = Manner(5, signal=signal.SIGINT, grace=20.0)
"""SIGTERM would wait for open clients."""


MANNERS = {
    "gateway": GATEWAY, "simulator": SIMULATOR, "cameras": SIMULATOR, "panels": SIMULATOR, "keeper": KEEPER, "kafka": KAFKA,
    "postgres": POSTGRES}


def manner(name: str) -> Manner:
    return MANNERS.get(name, SERVICE)


def orphans(place: Place) -> dict[str, psutil.Process]:
    """What runs for this stack although its supervisor does not: recorded, or started just before it was killed."""
    found: dict[str, psutil.Process] = {}
    for name, running in Record.read(place).parts.items():
        process = running.process()
        if process is not None:
            found[name] = process
    known = {process.pid for process in found.values()} | {os.getpid()}
    for process in psutil.process_iter():
        if process.pid not in known:
            with suppress(psutil.Error):
                environment = process.environ()
                if environment.get(MARK) == str(place.state):
                    name = environment["LIFANG_PART"]
                    found[f"{name} {process.pid}" if name in found else name] = process
    return found


def end(processes: dict[str, psutil.Process]) -> None:
    """Ends them in the order in which a stack stops; returns when they have ended."""
    for turn in sorted({manner(name).turn for name in processes}):
        of_turn = {name: process for name, process in processes.items() if manner(name).turn == turn}
        for name, process in of_turn.items():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(manner(name).signal)
        for process in wait(of_turn.values(), max(manner(name).grace for name in of_turn)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        wait(of_turn.values(), 10)


def wait(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended by then. One whose parent has not asked for its exit code has ended as well."""
    until = time.monotonic() + seconds
    left = list(processes)
    while left := [process for process in left if is_running(process)]:
        if time.monotonic() > until:
            break
        time.sleep(0.02)
    return left


def is_running(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
