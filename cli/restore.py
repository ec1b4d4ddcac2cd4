"""`lifang restore DIR`: services as they were. Beside the live ones first, so that what cannot be put back changes nothing; then each
service is held by its supervisor, its database replaced in one step, and it starts again. It publishes nothing until `lifang restored`."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from cli import operation, screen
from cli.place import HERE
from cli.stack import backups, dumping, services, start
from cli.stack.backups import Manifest, Unfit
from cli.stack.held import held
from cli.stack.kafka_rules import KEEPER
from cli.stack.ports import Kept, answers

PATIENCE = 30.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="what `lifang backup` wrote")
    parser.add_argument(
        "--service", action="append", choices=services.names(), metavar="NAME", help="only this one; may be repeated")


def run(options: argparse.Namespace) -> int:
    directory: Path = options.directory.absolute()
    begun = time.monotonic()
    try:
        manifest = backups.read(directory)
        names = sorted(set(options.service or manifest.services), key=services.names().index)
        backups.check(directory, manifest, names, services.names(), HERE)
        with postgresql():
            asyncio.run(put_back(names, manifest, directory))
    except Unfit as error:
        screen.stop(f"Nothing was changed: {error}")
    except (OSError, RuntimeError, asyncpg.PostgresError) as error:
        screen.stop(f"Not restored: {error}")
    found: dict[str, Any] = {
        "directory": str(directory), "made_at": manifest.made_at.isoformat(), "seconds": round(time.monotonic() - begun, 1),
        "services": {name: {"generation": manifest.services[name].generation, "position": manifest.services[name].position}
                     for name in names},
        "next": [f"lifang restored {name}" for name in names]}
    if options.json:
        screen.answer(found)
    else:
        print(f"As of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: {', '.join(names)}.")
        print("They publish nothing until each has been told:", *found["next"], sep="\n  ")
    return 0


@contextmanager
def postgresql() -> Iterator[None]:
    """The one that runs; where nothing does, the servers alone, for as long as this takes."""
    if start.supervisor(HERE) is not None:
        yield
        return
    start.start(HERE, screen.progress, bare=True)
    try:
        until = time.monotonic() + PATIENCE
        while not answers(Kept.read(HERE).ports.get("postgres", 0)):
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not answer; see {HERE.log}")
            time.sleep(0.1)
        yield
    finally:
        start.stop(HERE, screen.progress)


async def put_back(names: list[str], manifest: Manifest, directory: Path) -> None:
    ports, beside = Kept.read(HERE).ports, {}
    for name in names:
        screen.progress(f"  {name:<10} is read …")
        beside[name] = await dumping.put_beside(
            name, name, manifest.services[name], manifest.made_at.isoformat(), directory, ports,
            partial(dumping.migrate, name, HERE, ports))
    with ExitStack() as holding:
        for name in (*names, KEEPER):
            holding.enter_context(held(HERE, name))
        operation.begin_again(KEEPER)
        for name in names:
            operation.begin_again(name)
            await dumping.swap(name, beside[name], ports)
            screen.progress(f"  {name:<10} is what it was")
