"""Breaks a copy of the tree, one mutant at a time, and runs the tests that ought to notice; the tree itself stays as it is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Literal

from msgspec import Struct

from tests.mutants.mutant import Mutant

AT_ONCE = 2
LONGEST = 300.0
"""Seconds that the tests of one mutant may take."""
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
_PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-rf", "-p", "no:cacheprovider", "-m", "not faults")
_FAILED = 1
"""What pytest ends with where tests ran and failed; anything else but 0 means that they could not be run."""


class Outcome(Struct, frozen=True):
    """`by`: the first test that failed; for what could not be tried, why."""

    mutant: Mutant
    state: Literal["caught", "SURVIVED", "stale", "unusable"]
    by: str = ""


class AlreadyFailing(Exception):
    """Without any mutant a test fails, so that none would prove anything."""


def run(root: Path, mutants: Sequence[Mutant], at_once: int = AT_ONCE) -> Iterator[Outcome]:
    """In the order of `mutants`. Raises AlreadyFailing."""
    fresh = [m for m in mutants if not m.stale(root)]
    with TemporaryDirectory(prefix="mutants-") as directory, ThreadPoolExecutor(at_once) as threads:
        free: SimpleQueue[Path] = SimpleQueue()
        if fresh:
            for copy in _copies(root, Path(directory), fresh, at_once):
                free.put(copy)

        def tried(mutant: Mutant) -> Outcome:
            if why := mutant.stale(root):
                return Outcome(mutant, "stale", why)
            copy = free.get()
            try:
                return _tried(copy, mutant)
            finally:
                free.put(copy)

        try:
            yield from threads.map(tried, mutants)
        finally:
            threads.shutdown(cancel_futures=True)


def _copies(root: Path, directory: Path, mutants: Sequence[Mutant], count: int) -> list[Path]:
    first, *others = (directory / str(n) for n in range(count))
    shutil.copytree(root, first, ignore=_LEFT_OUT)
    code, said = _tests(first, sorted({path for m in mutants for path in m.tests}), keep_compiled=True)
    if code:
        raise AlreadyFailing(said)
    for other in others:
        shutil.copytree(first, other)
    return [first, *others]


def _tried(copy: Path, mutant: Mutant) -> Outcome:
    with _broken(copy / mutant.file, mutant):
        code, said = _tests(copy, mutant.tests)
    if code == 0:
        return Outcome(mutant, "SURVIVED")
    return Outcome(mutant, "caught" if code == _FAILED else "unusable", said)


@contextmanager
def _broken(path: Path, mutant: Mutant) -> Iterator[None]:
    """What was compiled is told from its source by the time of its last change alone, which therefore differs."""
    whole, was = path.read_bytes(), path.stat()
    path.write_bytes(whole.replace(mutant.text.encode(), mutant.replacement.encode()))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns + 10**10))
    try:
        yield
    finally:
        path.write_bytes(whole)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _tests(copy: Path, paths: Sequence[str], keep_compiled: bool = False) -> tuple[int, str]:
    """How pytest ended, and the first test that failed or else the last that it said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV_"))}
    environment |= {} if keep_compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    seed = ("--hypothesis-seed=0",)  # the same answer each time
    try:
        done = subprocess.run(
            [sys.executable, *_PYTEST, *seed, *paths], cwd=copy, env=environment, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return -1, f"no end within {LONGEST:.0f} s"
    lines = (done.stdout + done.stderr).strip().splitlines()
    failed = [line.removeprefix("FAILED ").partition(" - ")[0] for line in lines if line.startswith("FAILED ")]
    return done.returncode, failed[0] if failed else "\n".join(lines[-1:])
