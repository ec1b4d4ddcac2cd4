"""The demo community: seeded once through the services' own interfaces, and its simulated devices."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from cli.call import call
from cli.place import PYTHON, ROOT, Place
from cli.stack import secrets, services, simulated
from cli.stack.part import Part
from cli.stack.ports import HOST
from cli.stack.processes import replace
from cli.stack.simulated import Panel, Terminal

TERMINALS, CAMERAS, PANELS = 4, 2, 2
"""How many ports are kept for simulated terminals, plate cameras and alarm panels."""
SEEDED = frozenset({"identity", "devices", "access", "parking", "alarm", "neighbors"})


class Demo(Struct):
    community_id: str
    terminals: list[Terminal] = []
    sign_ins: list[dict[str, Any]] = []
    """What identity suggests to sign in with."""
    doors: list[dict[str, Any]] = []
    cards: list[dict[str, str]] = []
    """Made-up numbers, and whose they are."""
    residents: list[dict[str, str]] = []
    cameras: list[Terminal] = []
    lots: list[dict[str, Any]] = []
    lanes: list[dict[str, Any]] = []
    lifts: list[dict[str, Any]] = []
    panels: list[Panel] = []
    sensors: list[dict[str, Any]] = []
    patrol_points: list[dict[str, str]] = []
    """With what is read of their tags."""
    pins: list[dict[str, Any]] = []
    """Made-up numbers to open a door with, one of them under duress."""

    def addresses(self) -> list[str]:
        """Where something of its devices must answer."""
        return [*(one.listen for one in (*self.terminals, *self.cameras)), *(panel.listen for panel in self.panels)]

    @classmethod
    def read(cls, place: Place) -> "Demo | None":
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(place.demo.read_bytes(), type=cls)
        return None

    def is_at(self, ports: Mapping[str, int]) -> bool:
        """Whether its devices, all of them, are where these ports are."""
        terminals, cameras = {one.listen for one in self.terminals}, {one.listen for one in self.cameras}
        here = terminals <= set(addresses(ports)) and cameras <= set(gates(ports))
        return here and bool(self.panels) and {panel.listen for panel in self.panels} == {receiver(ports)}


class NotSeeded(Exception):
    """A service refused to seed."""


class Site(Struct, frozen=True):
    """Where the services answer, by name; and, as host:port, where they find simulated devices and where panels call."""

    services: Mapping[str, str]
    terminals: list[str]
    gates: list[str]
    receiver: str


def ports_of_devices() -> list[str]:
    terminals = [f"{kind}-{n}" for n in range(TERMINALS) for kind in ("terminal", "control")]
    cameras = [f"{kind}-{n}" for n in range(CAMERAS) for kind in ("gate", "camera")]
    return [*terminals, *cameras, "dc09", *(f"panel-{n}" for n in range(PANELS))]


def addresses(ports: Mapping[str, int]) -> list[str]:
    return [f"{HOST}:{ports[f'terminal-{n}']}" for n in range(TERMINALS)]


def gates(ports: Mapping[str, int]) -> list[str]:
    """Where the barriers of the plate cameras take orders."""
    return [f"{HOST}:{ports[f'gate-{n}']}" for n in range(CAMERAS)]


def receiver(ports: Mapping[str, int]) -> str:
    """Where alarm panels connect."""
    return f"{HOST}:{ports['dc09']}"


def site(ports: Mapping[str, int]) -> Site:
    """This machine's."""
    return Site({name: services.url(name, ports) for name in SEEDED}, addresses(ports), gates(ports), receiver(ports))


def seed(place: Place, ports: Mapping[str, int]) -> Demo:
    """As `seed_at`, and remembers it."""
    demo = seed_at(site(ports), secrets.read(place, "demo"))
    replace(place.demo, msgspec.json.encode(demo))
    return demo


def seed_at(here: Site, token: str) -> Demo:
    """Answers quickly when it has been done before, and tells devices where the terminals are now.

    Raises NotSeeded or Away.
    """

    def ask(name: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"}
        status, answer = call("POST", f"{here.services[name]}/v1/demo-seed", body, headers, timeout=60)
        if status >= 300:
            raise NotSeeded(f"{name} answered {status}: {answer}")
        return dict(answer or {})

    identity = ask("identity", {})
    community = {"community_id": identity["community_id"]}
    devices = ask("devices", {**community, "listen": here.terminals, "gates": here.gates})
    access = ask("access", {
        **community, "buildings": [building["id"] for building in identity["buildings"]],
        "residents": [resident["id"] for resident in identity["residents"]],
        "homes": [{"id": resident["home_id"], "label": resident["home"]} for resident in identity["residents"]],
        "devices": [terminal["device_id"] for terminal in devices["terminals"]]})
    parking = ask("parking", {**community, "cameras": [camera["device_id"] for camera in devices["cameras"]]})
    buildings = [building["id"] for building in identity["buildings"]]
    alarm = ask("alarm", {
        **community, "buildings": buildings, "panels": [{k: p[k] for k in ("device_id", "name")} for p in devices["panels"]],
        "homes": [{"id": resident["home_id"], "label": resident["home"]} for resident in identity["residents"]],
        "residents": [{"id": resident["id"], "home_id": resident["home_id"]} for resident in identity["residents"]]})
    ask("neighbors", {**community, "buildings": buildings})
    demo = msgspec.convert({**identity, **devices, **access, **parking, **alarm}, type=Demo)
    for panel in demo.panels:
        panel.listen = here.receiver
    for camera, address in zip(demo.cameras, here.gates, strict=False):
        camera.listen = address
    for terminal, address in zip(demo.terminals, here.terminals, strict=False):
        terminal.listen = address
        relays = [*access["doors"], *access["lifts"]]
        terminal.doors = max((d["door_no"] for d in relays if d["device_id"] == terminal.device_id), default=1)
    return demo


def simulator(place: Place, ports: Mapping[str, int], demo: Demo) -> Part:
    controls = [f"{HOST}:{ports[f'control-{n}']}" for n in range(TERMINALS)]
    told = simulated.terminals(demo.terminals, controls, place.secrets, place.state / "terminals")
    return simulated_part("simulator", "hikvision_terminal", place.terminals, told)


def cameras(place: Place, ports: Mapping[str, int], demo: Demo) -> Part:
    controls = [f"{HOST}:{ports[f'camera-{n}']}" for n in range(CAMERAS)]
    return simulated_part("cameras", "vzenith_camera", place.cameras, simulated.cameras(demo.cameras, controls, place.secrets))


def panels(place: Place, ports: Mapping[str, int], demo: Demo) -> Part:
    controls = [f"{HOST}:{ports[f'panel-{n}']}" for n in range(PANELS)]
    return simulated_part("panels", "dc09_panel", place.panels, simulated.panels(demo.panels, controls, place.secrets))


def simulated_part(name: str, module: str, file: Path, told: dict[str, Any]) -> Part:
    replace(file, msgspec.json.encode(told))
    return Part(name, [str(PYTHON), "-m", f"simulator.{module}", "--config", str(file)])


def has_simulator() -> bool:
    return (ROOT / "simulator" / "hikvision_terminal.py").exists()
