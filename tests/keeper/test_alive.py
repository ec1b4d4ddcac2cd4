"""The keeper has no port: whoever watches over it looks at a file."""

import asyncio
import subprocess
import sys
from pathlib import Path

from cli.keeper.__main__ import say_alive
from tests.kit import until

HEALTHY = Path(__file__).parents[2] / "deploy" / "image" / "healthy.py"


def healthy(*words: str) -> int:
    return subprocess.run([sys.executable, HEALTHY, *words], capture_output=True, check=False).returncode


async def test_it_touches_its_file_again_and_again_and_a_probe_sees_when_it_does_not(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("cli.keeper.__main__.PACE", 0.01)
    file = tmp_path / "alive"
    assert healthy(str(file), "30") == 1, "nothing there"
    saying = asyncio.create_task(say_alive(file))
    await until(file.exists)
    first = file.stat().st_mtime_ns
    await until(lambda: file.stat().st_mtime_ns > first)
    saying.cancel()
    assert healthy(str(file), "30") == 0
    assert healthy(str(file), "0") == 1, "too long ago"
