"""`lifang bench`: how fast the hot paths are, each beside its limit and its peer, on a stack of its own."""

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli import screen, starting, status, stuck
from cli.place import PYTHON, ROOT, Place
from cli.stack import postgres, services, start
from cli.stack.demo import Demo, ports_of_devices
from cli.stack.kafka_rules import ADMIN
from cli.stack.ports import FIRST, HOST, Kept, answers
from cli.stack.processes import is_running, replace

FOR_BENCH = Place(ROOT / ".lifang" / "bench")
PATIENCE = 60.0
PATIENCE_WHOLE = 180.0
BARE = ("append_1", "append_32", "append_256", "append_4x16", "command", "relay", "hearing", "view", "rebuild", "decision", "hop")
"""Rows that need PostgreSQL and Kafka only."""
WHOLE = ("idle", "page", "judgement", "reports", "door_event", "plate_answer", "alarm_government", "alarm_webhook", "alarm_storm")
"""Rows that need all services, each in a process of its own, and the demo community."""
SERVERS = ("postgres", "kafka", "keeper", "supervisor", "simulator")
LONG = ("growth",)
"""Only when asked for by name: it fills a log of five million events."""
ROWS = (*BARE, *WHOLE, "start")
LOCK = ROOT / "bench" / "requirements.lock"
VENV = ROOT / ".lifang" / "bench-venv"
FAR = 20_000
"""Out of the way of the stack that people use and of the tests'."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all when none is named; by name also {LONG[0]}")


def run(options: argparse.Namespace) -> int:
    unknown = [row for row in options.rows if row not in (*ROWS, *LONG)]
    if unknown:
        screen.stop(f"no row {unknown[0]}: {', '.join((*ROWS, *LONG))}", 2)
    rows: list[dict[str, Any]] = []
    codes = []
    for group in ((*BARE, *LONG), WHOLE):
        if wanted := [row for row in options.rows or ROWS if row in group]:
            codes.append(measure(wanted, group is WHOLE, rows, options.json))
    if "start" in (options.rows or ROWS):
        rows.append(starts())
        if not options.json:
            show(rows[-1])
    if options.json:
        screen.answer(rows)
    return max(codes, default=0)


def measure(wanted: list[str], whole: bool, rows: list[dict[str, Any]], quietly: bool) -> int:
    """On a stack of their own; the rows are added to `rows`, and shown."""
    missing = "its rows are others" if whole else without_peer()
    with own_stack(whole) as servers:
        command = [
            str(PYTHON), "-m", "bench", *wanted, *servers, "--pgbench", str(postgres.binaries() / "pgbench"),
            "--secrets", str(FOR_BENCH.secrets), "--results", str(FOR_BENCH.state / "results"),
            *(["--without", missing] if missing else ["--peer", str(VENV / "bin" / "python")])]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"LIFANG_KAFKA_USER": ADMIN})
        assert process.stdout is not None
        for line in process.stdout:
            rows.append(json.loads(line))
            if not quietly:
                show(rows[-1])
        return process.wait()


def show(row: dict[str, Any]) -> None:
    mark = screen.paint("met", "green") if row["met"] else screen.paint("missed", "red")
    more = f", p99 {row['p99']:g}" if "p99" in row else ""
    more += f", {row['decided']:.1%} by decision" if "decided" in row else ""
    more += f", {row['through']:g}/s came through" if "through" in row else ""
    print(f"{screen.paint(row['row'], 'bold'):<12} {row['ours']:g} {row['unit']}{more}   goal {row['goal']}: {mark}")
    for name in ("limit", "peer"):
        value = row[name]["value"]
        times = row[f"of_{name}"]
        figure = "–" if value is None else f"{value:g} ({times:.2f} ×)" if times else f"{value:g}"
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
def own_place() -> Iterator[None]:
    """Nothing is there; one run at a time in a checkout."""
    FOR_BENCH.state.mkdir(parents=True, exist_ok=True)
    with open(FOR_BENCH.state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start.stop(FOR_BENCH, screen.progress)
        start.forget(FOR_BENCH)
        Kept(ports=far_ports()).write(FOR_BENCH)
        try:
            yield
        finally:
            start.stop(FOR_BENCH, screen.progress)


@contextmanager
def own_stack(whole: bool) -> Iterator[list[str]]:
    """Empty servers, where they are as arguments for `python -m bench`. `whole`: with all services and the demo community."""
    with own_place():
        supervisor = start.start(FOR_BENCH, screen.progress, bare=not whole)
        until = time.monotonic() + PATIENCE
        while not (answers(Kept.read(FOR_BENCH).ports.get("postgres", 0)) and FOR_BENCH.provided.exists()):
            if time.monotonic() > until or not is_running(supervisor):
                screen.stop(f"PostgreSQL and Kafka do not answer; see {FOR_BENCH.log}")
            time.sleep(0.1)
        ports = Kept.read(FOR_BENCH).ports
        found = ["--postgres", f"postgresql://postgres@{HOST}:{ports['postgres']}", "--kafka", f"{HOST}:{ports['kafka']}"]
        yield [*found, "--whole", seeded()] if whole else found


def starts() -> dict[str, Any]:
    with own_place():
        row = starting.measure(FOR_BENCH, until_ready)
    results = FOR_BENCH.state / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "start.json").write_text(json.dumps(row) + "\n")
    return row


def far_ports() -> dict[str, int]:
    names = ("postgres", "kafka", "controller", *services.names(), *ports_of_devices())
    pairs = ((name, *name.partition("-")[::2]) for name in names)
    return {name: FIRST[kind] + FAR + int(n or 0) for name, kind, n in pairs if kind in FIRST}


def until_ready(kept: bool = False) -> dict[str, Any]:
    """What `status` says then; `kept`: with the keeper, which comes after."""
    until = time.monotonic() + PATIENCE_WHOLE
    while not (found := status.look(FOR_BENCH))["ready"] or (kept and found["keeper"]["pid"] is None):
        if time.monotonic() > until or start.supervisor(FOR_BENCH) is None:
            screen.stop("The services are not ready: " + "; ".join(stuck.missing(found)))
        time.sleep(0.15)
    return found


def seeded() -> str:
    """Waits for the services, and answers with the file that says where they are."""
    screen.progress("Starting the services and seeding the demo community …")
    found = until_ready(kept=True)
    demo = Demo.read(FOR_BENCH)
    assert demo is not None
    urls = {name: one["url"] for name, one in stuck.processes(found).items()}
    gates = {lane["direction"]: found["devices"][lane["device_id"]]["push"] for lane in demo.lanes}
    path = FOR_BENCH.run / "whole.json"
    panel = next(one for one in demo.panels if not one.encrypted)
    replace(path, json.dumps({
        "urls": urls, "databases": found["databases"],
        "door": demo.doors[0]["id"], "gates": gates, "card": demo.cards[0]["number"],
        "panel": {"listen": panel.listen, "account": panel.account},
        "pids": {name: one["pid"] for name, one in (*stuck.processes(found).items(), *((n, found[n]) for n in SERVERS))}}).encode())
    return str(path)
