"""Processes that are born out of one interpreter: what becomes of them is known, and nobody waits for one that died."""

import subprocess
from pathlib import Path

from cli.place import PYTHON, ROOT

PROGRAM = """
import asyncio, subprocess, sys
from cli.stack.nursery import Birth, bear, closed, take_orphans

LOG = sys.argv[1]

async def main():
    assert take_orphans()
    nursery = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.stack.nursery", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for name, module, arguments in (("first", "calendar", ["2026"]), ("later", "nonsense", [])):
        born = await bear(nursery, [Birth(name, f"{LOG}/{name}", {}, module, arguments)])
        print(list(born), await born[name].wait())
    END
    print(await bear(nursery, [Birth("none", f"{LOG}/none", {}, "calendar")]), await bear(None, []))

asyncio.run(main())
"""


def said(directory: Path, end: str) -> list[str]:
    program = PROGRAM.replace("END", end)
    done = subprocess.run([PYTHON, "-c", program, directory], cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_whoever_is_born_earlier_or_later_is_a_process_of_its_own_and_how_it_ended_is_known(tmp_path: Path):
    assert said(tmp_path, "await closed(nursery)")[:2] == ["['first'] 0", "['later'] 1"]
    assert "December" in (tmp_path / "first").read_text()
    assert "nonsense" in (tmp_path / "later").read_text()


def test_where_the_nursery_has_ended_nobody_is_born_and_nobody_waits(tmp_path: Path):
    assert said(tmp_path, "nursery.kill()")[2:] == said(tmp_path, "await closed(nursery)")[2:] == ["{} {}"]
