"""Compose files as an engine understands them: anchors resolved, variables by their defaults, one file over another."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BASE, DEMO, OBSERVED = "docker-compose.yml", "deploy/demo/compose.yml", "deploy/observability/compose.yml"
Compose = dict[str, Any]
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?-([^}]*))?\}")


def load(*files: str) -> Compose:
    found: Compose = {}
    for file in files:
        found = over(found, by_default(yaml.safe_load((ROOT / file).read_text())))
    return {name: part for name, part in found.items() if not name.startswith("x-")}


def by_default(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: by_default(part) for name, part in value.items()}
    if isinstance(value, list):
        return [by_default(part) for part in value]
    return _VARIABLE.sub(lambda match: match[2] or "", value) if isinstance(value, str) else value


def over(below: Any, above: Any) -> Any:
    """Maps are joined, lists too but for what a container runs; all else is replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        joined = {name: over(below[name], part) if name in below else part for name, part in above.items()}
        return below | {name: above[name] if name in ("command", "entrypoint", "test") else part for name, part in joined.items()}
    return [*below, *above] if isinstance(below, list) and isinstance(above, list) else above


def variables(file: str) -> dict[str, str]:
    """Those that may be said from outside, with their defaults."""
    return {match[1]: match[2] or "" for match in _VARIABLE.finditer((ROOT / file).read_text())}
