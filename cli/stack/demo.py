"""The demo community: seeded once through the services' own interfaces, and its simulated terminals."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from cli.call import call
from cli.place import PYTHON, ROOT, Place
from cli.stack import secrets, services
from cli.stack.part import Part
from cli.stack.ports import HOST
from cli.stack.processes import replace

TERMINALS = 4
"""How many ports are kept for simulated terminals."""


class Push(Struct):
    url: str
    headers: dict[str, str] = {}


class Terminal(Struct):
    device_id: str
    name: str
    serial: str
    push: Push
    listen: str = ""
    doors: int = 1


class Demo(Struct):
    community_id: str
    terminals: list[Terminal] = []
    sign_ins: list[dict[str, Any]] = []
    """What identity suggests to sign in with."""
    doors: list[dict[str, Any]] = []
    cards: list[dict[str, str]] = []
    """Made-up numbers, and whose they are."""

    @classmethod
    def read(cls, place: Place) -> "Demo | None":
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(place.demo.read_bytes(), type=cls)
        return None


class NotSeeded(Exception):
    """A service refused to seed."""


def ports_of_terminals() -> list[str]:
    return [f"{kind}-{n}" for n in range(TERMINALS) for kind in ("terminal", "control")]


def addresses(ports: Mapping[str, int]) -> list[str]:
    return [f"{HOST}:{ports[f'terminal-{n}']}" for n in range(TERMINALS)]


def seed(place: Place, ports: Mapping[str, int]) -> Demo:
    """Answers quickly when it has been done before, and tells devices where the terminals are now.

    Raises NotSeeded or Away.
    """
    token = secrets.read(place, "demo")

    def ask(name: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"}
        status, answer = call("POST", f"{services.url(name, ports)}/v1/demo-seed", body, headers, timeout=60)
        if status >= 300:
            raise NotSeeded(f"{name} answered {status}: {answer}")
        return dict(answer or {})

    identity = ask("identity", {})
    community = {"community_id": identity["community_id"]}
    devices = ask("devices", {**community, "listen": addresses(ports)})
    access = ask("access", {
        **community, "buildings": [building["id"] for building in identity["buildings"]],
        "residents": [resident["id"] for resident in identity["residents"]],
        "homes": [{"id": resident["home_id"], "label": resident["home"]} for resident in identity["residents"]],
        "devices": [terminal["device_id"] for terminal in devices["terminals"]]})
    demo = msgspec.convert({**identity, **devices, **access}, type=Demo)
    for terminal, address in zip(demo.terminals, addresses(ports), strict=False):
        terminal.listen = address
        relays = [*access["doors"], *access["lifts"]]
        terminal.doors = max((d["door_no"] for d in relays if d["device_id"] == terminal.device_id), default=1)
    replace(place.demo, msgspec.json.encode(demo))
    return demo


def simulator(place: Place, ports: Mapping[str, int], demo: Demo) -> Part:
    config = {
        "terminals": [
            {**msgspec.to_builtins(terminal), "control": f"{HOST}:{ports[f'control-{n}']}",
             "password_file": str(place.secrets / "device-password")}
            for n, terminal in enumerate(demo.terminals)],
        "state_dir": str(place.state / "terminals"),
    }
    replace(place.terminals, msgspec.json.encode(config))
    return Part("simulator", [str(PYTHON), "-m", "simulator.hikvision_terminal", "--config", str(place.terminals)])


def has_simulator() -> bool:
    return (ROOT / "simulator" / "hikvision_terminal.py").exists()
