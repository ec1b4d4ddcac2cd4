"""Starts and ends the supervisor of a stack, and finds what a killed one left behind."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from cli.place import PYTHON, ROOT, Place
from cli.stack import postgres, secrets
from cli.stack.kafka import Kafka
from cli.stack.ports import Kept
from cli.stack.processes import MARK, Record, end, orphans, wait

PATIENCE = 60.0
"""Seconds that a stack may take to end: longer than all times of grace together."""


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """One `up`, `down` or `reset` at a time for a stack."""
    place.state.mkdir(parents=True, exist_ok=True)
    lock = os.open(place.state, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def supervisor(place: Place) -> psutil.Process | None:
    running = Record.read(place).supervisor
    return running.process() if running else None


def start(place: Place, progress: Callable[[str], None], bare: bool = False) -> psutil.Process:
    """Makes ready what a stack needs and starts its supervisor; the one that runs already, if there is one.

    Raises OSError, RuntimeError or what the parts raise; then nothing runs.
    """
    with alone(place):
        running = supervisor(place)
        if running is not None:
            return running
        sweep(place, progress)
        place.make()
        secrets.ensure(place)
        Kafka.ensure(progress)
        if not Kept.read(place).data:
            progress("Making the database's files …")
        postgres.initialise(place)
        return spawn(place, bare)


def spawn(place: Place, bare: bool) -> psutil.Process:
    command = [str(PYTHON), "-m", "cli.stack.supervisor", "--state", str(place.state), *(["--bare"] if bare else [])]
    with open(place.log / "supervisor.log", "ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True,
            env=os.environ | {MARK: str(place.state), "LIFANG_PART": "supervisor"})
    # Its end is seen by looking at it, as for every other command that did not start it.
    process.returncode = 0
    return psutil.Process(process.pid)


def stop(place: Place, progress: Callable[[str], None]) -> bool:
    """Ends exactly what was started; returns when it has ended. False when nothing ran."""
    with alone(place):
        running = supervisor(place)
        if running is not None:
            progress("Stopping …")
            running.send_signal(signal.SIGTERM)
            if wait([running], PATIENCE):
                running.kill()
        return sweep(place, progress) or running is not None


def sweep(place: Place, progress: Callable[[str], None]) -> bool:
    """Ends what runs without a supervisor."""
    left = orphans(place)
    data = Kept.read(place).data
    server = postgres.server(Path(data)) if data else None
    if server is not None:
        left["postgres"] = server
    if left:
        progress(f"Ending what was left without its supervisor: {', '.join(sorted(left))} …")
        end(left)
    place.record.unlink(missing_ok=True)
    return bool(left)


def forget(place: Place) -> None:
    """Removes the data, the ports and the secrets; what was downloaded stays."""
    data = Kept.read(place).data
    if data:
        shutil.rmtree(data, ignore_errors=True)
        with suppress(OSError):
            Path(data).parent.rmdir()
    for directory in (place.run, place.log, place.secrets, place.seals, place.kafka, place.state / "pg", place.state / "terminals"):
        shutil.rmtree(directory, ignore_errors=True)
    place.ports.unlink(missing_ok=True)
