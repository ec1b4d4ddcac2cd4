"""Ports of one stack: each begins at a well-known number, moves on while that is busy, and is kept."""

import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from cli.place import FOR_TESTS, HERE, Place
from cli.stack.processes import replace

HOST = "127.0.0.1"
FIRST = {
    "gateway": 8080, "identity": 8081, "access": 8082, "devices": 8083, "parking": 8084, "alarm": 8085, "neighbors": 8086,
    "postgres": 5433, "kafka": 9092,
    "controller": 9093, "terminal": 8100, "control": 8200, "gate": 8120, "camera": 8220, "dc09": 8130, "panel": 8230,
}
OTHERS = 8087
FAR = 10_000
"""The tests' stack stays out of the way of the one that people use."""


class Kept(Struct):
    """What must be the same at the next start. `data`: where PostgreSQL's files are. `state`: the directory of the stack that wrote it."""

    ports: dict[str, int] = {}
    data: str = ""
    state: str = ""

    @classmethod
    def read(cls, place: Place) -> "Kept":
        """In a copy of a checkout, or one that was moved, the ports are those of another stack, and so are files of its database that do
        not lie below; those that do came along."""
        with suppress(OSError, msgspec.DecodeError):
            found = msgspec.json.decode(place.ports.read_bytes(), type=cls)
            if found.state in ("", str(place.state)):
                return found
            beside = Path(found.data).is_relative_to(found.state) if found.data else False
            return cls(data=str(place.state / Path(found.data).relative_to(found.state)) if beside else "")
        return cls()

    def write(self, place: Place) -> None:
        self.state = str(place.state)
        replace(place.ports, msgspec.json.encode(self))

    @property
    def data_directory(self) -> Path:
        return Path(self.data)


class Ports:
    """Reserves ports for as long as this process lives, also while nobody listens on them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.kept = Kept.read(place)
        self._reserved: dict[int, socket.socket | None] = {}

    def choose(self, names: Iterable[str]) -> dict[str, int]:
        """A port for each name, `terminal-3` beginning where `terminal` does. Raises OSError when none is free."""
        for name in names:
            kept = self.kept.ports.get(name)
            if kept in self._reserved:
                continue
            self.kept.ports[name] = kept if kept and self._reserve(kept) else self._next(name)
        self.kept.write(self.place)
        return self.kept.ports

    def _next(self, name: str) -> int:
        first = FIRST.get(name.partition("-")[0], OTHERS) + (FAR if self.place == FOR_TESTS else 0)
        others = set(self.kept.ports.values())
        for port in range(first, first + 1000):
            if port not in others and self._reserve(port):
                return port
        raise OSError(f"no free port for {name} from {first} on")

    def _reserve(self, port: int) -> bool:
        """A stack of another checkout that is just starting does not listen yet: a name in the abstract namespace of
        Unix sockets, which vanishes with its process, says that the port is taken."""
        name: socket.socket | None = None
        if sys.platform == "linux":
            name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                name.bind(f"\0lifang-port-{port}")
            except OSError:
                name.close()
                return False
        if not is_free(port):
            if name is not None:
                name.close()
            return False
        self._reserved[port] = name
        return True


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def place_at(state: Path) -> Place:
    return next((place for place in (HERE, FOR_TESTS) if place.state == state), Place(state))
