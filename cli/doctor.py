"""`lifang doctor`: what is missing or wrong on this machine, and what to type."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from cli import screen
from cli.place import HERE, ROOT
from cli.stack import jars, java, services, start
from cli.stack.account import unprivileged
from cli.stack.cache import cache
from cli.stack.kafka_rules import KEEPER
from cli.stack.ports import Kept, answers
from cli.stack.processes import Record, orphans

ENOUGH_DISK = 2_000_000_000
ENOUGH_MEMORY = 2_000_000_000


class Finding(Struct):
    """`type_this` is empty when all is well."""

    about: str
    ok: bool
    text: str
    type_this: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    findings = [*machine(), *downloads(), *processes()]
    if options.json:
        screen.answer(msgspec.to_builtins(findings))
    else:
        for finding in findings:
            mark = screen.paint("ok ", "green") if finding.ok else screen.paint("!! ", "red")
            print(f"{mark} {finding.about:<12} {finding.text}")
            if finding.type_this:
                print(f"    {'':<12} type: {finding.type_this}")
    return 0 if all(finding.ok for finding in findings) else 1


def machine() -> Iterator[Finding]:
    yield Finding("python", True, f"{sys.version.split()[0]} in {sys.prefix}")
    free = shutil.disk_usage(ROOT).free
    yield Finding("disk", free > ENOUGH_DISK, f"{free / 1e9:.1f} GB free for {ROOT}",
                  "" if free > ENOUGH_DISK else "df -h, and make room: 2 GB are enough")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding("memory", memory > ENOUGH_MEMORY, f"{memory / 1e9:.1f} GB; a stack takes 0.9 GB")
    account = unprivileged()
    if account is not None:
        yield Finding("account", True, "you are root: PostgreSQL runs as nobody")


def downloads() -> Iterator[Finding]:
    found = java.find()
    yield Finding("java", True, f"{java.version(found)} at {found}" if found else "none; `up` installs one into .venv")
    try:
        directory = cache() / f"kafka-{jars.digest()}"
    except PermissionError as error:
        yield Finding("cache", False, str(error), "XDG_CACHE_HOME=/a/directory/of/yours ./lifang up")
        return
    missing = sum(not (directory / jar.name).exists() for jar in jars.locked())
    yield Finding("kafka", True, f"`up` fetches {missing} files" if missing else f"complete in {directory}")


def processes() -> Iterator[Finding]:
    running = start.supervisor(HERE)
    kept, record = Kept.read(HERE), Record.read(HERE)
    if running is None:
        left = orphans(HERE)
        if left:
            names = ", ".join(sorted(left))
            yield Finding("processes", False, f"left without their supervisor: {names}", "lifang down")
        taken = [f"{name} {port}" for name, port in kept.ports.items() if not left and answers(port)]
        if taken:
            yield Finding("ports", True, f"taken by others; `up` moves on: {', '.join(taken)}")
        yield Finding("stack", True, "does not run; begin with: lifang up")
        return
    yield Finding("stack", True, f"runs, supervised by {running.pid}")
    for name in ("postgres", "kafka", *services.names(), KEEPER):
        part = record.parts.get(name)
        if part is None or part.process() is None:
            log = HERE.log / f"{name}.log"
            yield Finding(name, False, "does not run", f"tail {log}" if log.exists() else "lifang down; lifang up")
        elif part.restarts:
            yield Finding(name, True, f"runs, started again {part.restarts} times; see {HERE.log / name}.log")
