"""`lifang bench`: how fast the hot paths are, each beside its limit and its peer, on a stack of its own."""

import argparse
import fcntl
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli import screen
from cli.place import PYTHON, ROOT, Place
from cli.stack import postgres, start
from cli.stack.ports import FIRST, HOST, Kept, answers
from cli.stack.processes import is_running

FOR_BENCH = Place(ROOT / ".lifang" / "bench")
PATIENCE = 60.0
ROWS = ("append_1", "append_32", "decision", "hop")
LOCK = ROOT / "bench" / "requirements.lock"
VENV = ROOT / ".lifang" / "bench-venv"
FAR = 20_000
"""Out of the way of the stack that people use and of the tests'."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all when none is named")


def run(options: argparse.Namespace) -> int:
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        screen.stop(f"no row {unknown[0]}: {', '.join(ROWS)}", 2)
    missing = without_peer()
    with own_stack() as servers:
        command = [
            str(PYTHON), "-m", "bench", *options.rows, *servers, "--pgbench", str(postgres.binaries() / "pgbench"),
            "--secrets", str(FOR_BENCH.secrets), "--results", str(FOR_BENCH.state / "results"),
            *(["--without", missing] if missing else ["--peer", str(VENV / "bin" / "python")])]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        rows = []
        for line in process.stdout:
            rows.append(json.loads(line))
            if not options.json:
                show(rows[-1])
        code = process.wait()
    if options.json:
        screen.answer(rows)
    return code


def show(row: dict[str, Any]) -> None:
    mark = screen.paint("met", "green") if row["met"] else screen.paint("missed", "red")
    print(f"{screen.paint(row['row'], 'bold'):<12} {row['ours']:g} {row['unit']}   goal {row['goal']}: {mark}")
    for name in ("limit", "peer"):
        value = row[name]["value"]
        figure = "–" if value is None else f"{value:g} ({row[f'of_{name}']:.2f} ×)"
        print(f"  {name:<6} {figure:<20} {row[name]['of']}")
    for name, side in row["spread"].items():
        print(f"  {name:<10} {side['min']:g} … {side['max']:g}" + (f", p99 {side['p99_ms']:g} ms" if "p99_ms" in side else ""))


def without_peer() -> str:
    """Why the peer cannot be measured; empty when it can. Its packages are installed once, by hash."""
    stamp, digest = VENV / "made-from", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return ""
    screen.progress("Installing the peer's packages into .lifang/bench-venv (once) …")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input",
           "--no-deps", "--no-compile", "--require-hashes", "--requirement", str(LOCK)]
    for command in ([sys.executable, "-m", "venv", "--clear", str(VENV)], pip):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"its packages could not be installed: {lines[-1] if lines else done.returncode}"
    stamp.write_text(digest)
    return ""


@contextmanager
def own_stack() -> Iterator[list[str]]:
    """Empty servers, where they are as arguments for `python -m bench`; one run at a time in a checkout."""
    FOR_BENCH.state.mkdir(parents=True, exist_ok=True)
    with open(FOR_BENCH.state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start.stop(FOR_BENCH, screen.progress)
        start.forget(FOR_BENCH)
        Kept(ports={name: FIRST[name] + FAR for name in ("postgres", "kafka", "controller")}).write(FOR_BENCH)
        try:
            supervisor = start.start(FOR_BENCH, screen.progress, bare=True)
            until = time.monotonic() + PATIENCE
            while not all(answers(Kept.read(FOR_BENCH).ports.get(name, 0)) for name in ("postgres", "kafka")):
                if time.monotonic() > until or not is_running(supervisor):
                    screen.stop(f"PostgreSQL and Kafka do not answer; see {FOR_BENCH.log}")
                time.sleep(0.1)
            ports = Kept.read(FOR_BENCH).ports
            yield ["--postgres", f"postgresql://postgres@{HOST}:{ports['postgres']}", "--kafka", f"{HOST}:{ports['kafka']}"]
        finally:
            start.stop(FOR_BENCH, screen.progress)
