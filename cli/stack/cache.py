"""Where downloads stay: the user's cache directory, or the checkout's own where that cannot be written."""

import os
from functools import cache as once
from pathlib import Path

from cli.place import ROOT


@once
def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or (Path(os.environ["HOME"]) / ".cache" if os.environ.get("HOME") else "")
    for directory in (Path(home) / "lifang" if home else None, ROOT / ".lifang" / "cache"):
        if directory is not None and is_writable(directory):
            return directory
    raise PermissionError(f"neither {home}/lifang nor {ROOT}/.lifang/cache can be written")


def is_writable(directory: Path) -> bool:
    """Tried, not asked: root may write anywhere but on a file system that is mounted read-only."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
