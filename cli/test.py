"""`lifang test`: checks the code, then runs the tests against real PostgreSQL and Kafka of their own."""

import argparse
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli import screen
from cli.place import FOR_TESTS, PYTHON, ROOT
from cli.stack import start
from cli.stack.kafka_rules import ADMIN
from cli.stack.ports import HOST, Kept, answers
from cli.stack.processes import is_running

PATIENCE = 60.0
NOTHING_COLLECTED = 5
CHECKED = [name for name in ("bench", "cli", "libs", "services", "simulator", "tests") if (ROOT / name).is_dir()]
CHECKS = {
    "ruff": ["-m", "ruff", "check", "--quiet", *CHECKED, "lifang"],
    "mypy": ["-m", "mypy", "--strict", *(name for name in ("bench", "cli", "libs", "services") if name in CHECKED)],
    "import-linter": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
}

KINDS = {
    "tests": "not (faults or serial or whole)",
    "tests of the whole": "(serial or whole) and not faults",
    "tests of faults": "faults",
}
"""Of the first each has a database, topics and communities of its own; the second share the services, or kill what others share."""
SIDE_BY_SIDE = {"tests": ("-n", str(max(2, os.cpu_count() or 2)), "--dist", "loadfile")}
"""They wait for servers most of the time."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--faults", action="store_true", help="also those that kill servers and processes, last")
    parser.add_argument("--containers", action="store_true", help="PostgreSQL and Kafka from a Docker engine")
    parser.add_argument("pytest", nargs="*", metavar="ARGUMENT", help="after --: for pytest")


def run(options: argparse.Namespace) -> int:
    results: dict[str, int] = {}
    with servers(options.containers) as environment:
        for name, command in CHECKS.items():
            results[name] = python(name, command, {})
        kinds = {name: chosen for name, chosen in KINDS.items() if options.faults or chosen != "faults"}
        found = {name: python(name, ["-m", "pytest", *SIDE_BY_SIDE.get(name, ()), *options.pytest, "-m", chosen], environment)
                 for name, chosen in kinds.items()}
        if set(found.values()) != {NOTHING_COLLECTED}:  # of those chosen, some may all be of one kind
            found = {name: 0 if of == NOTHING_COLLECTED else of for name, of in found.items()}
        results |= found
    if options.json:
        screen.answer({"ok": not any(results.values()), "results": results})
    else:
        for name, code in results.items():
            mark = screen.paint("ok", "green") if code == 0 else screen.paint(f"failed ({code})", "red")
            print(f"{name:<16} {mark}")
    return next((code for code in results.values() if code), 0)


def python(name: str, command: list[str], environment: dict[str, str]) -> int:
    screen.progress(f"── {name}")
    begun = time.monotonic()
    code = subprocess.run([PYTHON, *command], cwd=ROOT, env=os.environ | environment).returncode
    screen.progress(f"   {time.monotonic() - begun:.1f} s")
    return code


@contextmanager
def servers(containers: bool) -> Iterator[dict[str, str]]:
    """The environment that the tests find their servers by: what is given, else containers or a stack of their own."""
    if {"LIFANG_TEST_POSTGRES", "KAFKA_BOOTSTRAP_SERVERS"} <= os.environ.keys():
        yield {}
    elif containers:
        with in_containers() as environment:
            yield environment
    else:
        with own_stack() as environment:
            yield environment


@contextmanager
def own_stack() -> Iterator[dict[str, str]]:
    """Begins with empty servers; one run at a time in a checkout. The services come up meanwhile, for the end-to-end tests."""
    FOR_TESTS.state.mkdir(parents=True, exist_ok=True)
    with open(FOR_TESTS.state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start.stop(FOR_TESTS, screen.progress)
        start.forget(FOR_TESTS)
        try:
            supervisor = start.start(FOR_TESTS, screen.progress)
            until = time.monotonic() + PATIENCE
            while not (answers(Kept.read(FOR_TESTS).ports.get("postgres", 0)) and FOR_TESTS.provided.exists()):
                if time.monotonic() > until or not is_running(supervisor):
                    screen.stop(f"PostgreSQL and Kafka do not answer; see {FOR_TESTS.log}")
                time.sleep(0.1)
            ports = Kept.read(FOR_TESTS).ports
            yield {
                "LIFANG_TEST_POSTGRES": f"postgresql://postgres@{HOST}:{ports['postgres']}",
                "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports['kafka']}",
                "LIFANG_TEST_KAFKA_USER": ADMIN,
                "LIFANG_TEST_SUPERVISOR_STATE": str(FOR_TESTS.record),
                "LIFANG_TEST_STATE": str(FOR_TESTS.state),
            }
        finally:
            start.stop(FOR_TESTS, screen.progress)


@contextmanager
def in_containers() -> Iterator[dict[str, str]]:
    from docker.errors import DockerException

    from cli import containers

    try:
        with containers.servers() as environment:
            yield environment
    except DockerException as error:
        screen.stop(f"No container engine can start them ({error}). Type: lifang test, without --containers")
