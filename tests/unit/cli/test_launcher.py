"""`./lifang` itself: what it hands over to."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from cli.place import ROOT

PYTHON = """#!/bin/sh
echo "$*"
env
"""


def test_bytecode_is_kept_whatever_the_callers_shell_says(tmp_path: Path):
    """Every process of a stack inherits it, and without it each compiles everything anew whenever it starts."""
    shutil.copy(ROOT / "lifang", tmp_path)
    lock, python = tmp_path / "requirements.lock", tmp_path / ".venv" / "bin" / "python"
    lock.write_text("")
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / ".venv" / "made-from").write_text(f"{hashlib.sha256(b'').hexdigest()} {os.path.realpath(python)}")

    done = subprocess.run([tmp_path / "lifang", "status", "--json"], text=True, capture_output=True, timeout=60,
                          env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "SAID": "before"})

    said = done.stdout.splitlines()
    assert said[0] == "-m cli status --json", done.stderr
    assert "SAID=before" in said and not [line for line in said if line.startswith("PYTHONDONTWRITEBYTECODE")]
