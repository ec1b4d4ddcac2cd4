"""What simulated devices are told: who they are, where they listen and report to, and where each takes what it is to do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

LINK_TEST = 15
"""Seconds between two link tests of a panel."""
PASSWORD, PANEL_KEY = "device-password", "dc09-key"


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


class Panel(Struct):
    """An alarm panel that connects to `listen`, under an account of its own."""

    device_id: str
    name: str
    account: str
    encrypted: bool
    listen: str = ""


def terminals(devices: Sequence[Terminal], controls: Sequence[str], secrets: Path, state: Path) -> dict[str, Any]:
    return {
        "terminals": [
            {**msgspec.to_builtins(one), "control": control, "password_file": str(secrets / PASSWORD)}
            for one, control in zip(devices, controls, strict=False)],
        "state_dir": str(state),
    }


def cameras(devices: Sequence[Terminal], controls: Sequence[str], secrets: Path) -> dict[str, Any]:
    return {"cameras": [
        {"device_id": one.device_id, "name": one.name, "serial": one.serial, "listen": one.listen,
         "push": msgspec.to_builtins(one.push), "control": control, "password_file": str(secrets / PASSWORD)}
        for one, control in zip(devices, controls, strict=False)]}


def panels(devices: Sequence[Panel], controls: Sequence[str], secrets: Path) -> dict[str, Any]:
    return {"panels": [
        {**msgspec.to_builtins(one), "control": control, "every": LINK_TEST,
         **({"key_file": str(secrets / PANEL_KEY)} if one.encrypted else {})}
        for one, control in zip(devices, controls, strict=False)]}
