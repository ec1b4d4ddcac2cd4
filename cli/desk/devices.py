"""The simulated devices of the desk: one process a kind, each told by a file, all of them to be told what to do on loopback."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cli.stack import simulated
from cli.stack.demo import CAMERAS, PANELS, TERMINALS, Demo

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
CONTROLS = {"terminals": (8200, TERMINALS), "cameras": (8220, CAMERAS), "panels": (8230, PANELS)}
"""First port, and how many."""


@dataclass(frozen=True)
class Places:
    """`files`: by the simulator's module. `controls`: the control address of each device, by its id."""

    files: dict[str, Path]
    controls: dict[str, str]


def controls_of(kind: str) -> list[str]:
    first, many = CONTROLS[kind]
    return [f"{LOOPBACK}:{first + n}" for n in range(many)]


def configurations(demo: Demo, secrets: Path, directory: Path) -> Places:
    """Devices that are called listen on every address, under the port that they are known by."""
    told: dict[str, dict[str, Any]] = {
        "hikvision_terminal": simulated.terminals(demo.terminals, controls_of("terminals"), secrets, directory / "terminals"),
        "vzenith_camera": simulated.cameras(demo.cameras, controls_of("cameras"), secrets),
        "dc09_panel": simulated.panels(demo.panels, controls_of("panels"), secrets)}
    files, controls = dict[str, Path](), dict[str, str]()
    for module, what in told.items():
        ((kind, devices),) = ((kind, devices) for kind, devices in what.items() if kind in CONTROLS)
        for one in devices:
            controls[one["device_id"]] = f"http://{one['control']}"
            if kind != "panels":
                one["listen"] = f"{EVERYWHERE}:{one['listen'].rpartition(':')[2]}"
        files[module] = directory / f"{module}.json"
        files[module].write_bytes(msgspec.json.encode(what))
    return Places(files, controls)
