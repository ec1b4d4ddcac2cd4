"""What a container runs is imported with what its image has, and nothing else of this machine."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from cli.place import ROOT

LOCK = ROOT / "deploy" / "image" / "requirements.lock"
SAID = (ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*.y*ml"))
IMPORTED = """import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"no module named {{name}} in the image", name=name)
sys.meta_path.insert(0, Absent())
import {module}
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def modules() -> list[str]:
    """Those that compose files and manifests name as what a container runs."""
    named = {found for path in SAID for found in re.findall(r"\bcli(?:\.[a-z_]+)+\b", path.read_text())} - {"cli.manifests"}
    return sorted(f"{name}.__main__" if (ROOT / name.replace(".", "/") / "__main__.py").exists() else name for name in named)


def absent() -> set[str]:
    """What is installed here for tests and the local stack alone."""
    has = {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE)}
    return {top for top, owners in packages_distributions().items() if not {plain(owner) for owner in owners} & has}


def imported(module: str) -> subprocess.CompletedProcess[str]:
    code = IMPORTED.format(absent=absent(), module=module)
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_they_are_found() -> None:
    assert {"cli.providing.cluster", "cli.providing.databases", "cli.migrate", "cli.keeper.__main__", "cli.operate"} <= set(modules())
    assert {"yaml", "pytest"} <= absent() and not {"asyncpg", "fastapi", "msgspec"} & absent()


@pytest.mark.parametrize("module", modules())
def test_it_needs_nothing_else(module: str) -> None:
    assert imported(module).stderr == ""


def test_what_is_not_in_the_image_is_noticed() -> None:
    assert "no module named yaml" in imported("cli.manifests.plain").stderr
