"""Services that their supervisor must not start while somebody works on their database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cli.place import Place
from cli.stack.processes import replace


class Held(RuntimeError):
    """The service waits for the command that holds it."""


def path(place: Place, service: str) -> Path:
    return place.run / f"held.{service}"


@contextmanager
def held(place: Place, service: str) -> Iterator[None]:
    """Until the block ends, or this process does, however that happens."""
    replace(path(place, service), f"{os.getpid()} {psutil.Process().create_time()}".encode())
    try:
        yield
    finally:
        path(place, service).unlink(missing_ok=True)


def refuse_while_held(place: Place, service: str) -> None:
    """Raises Held. A note that a killed command left behind holds nothing."""
    try:
        pid, began = path(place, service).read_text().split()
        if abs(psutil.Process(int(pid)).create_time() - float(began)) < 2.0:
            raise Held(f"{service} is held by process {pid}")
    except (OSError, ValueError, psutil.Error):
        return
