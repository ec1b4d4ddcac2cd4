"""`lifang backup [DIR]`: every service's log and all that stands beside it, while they run."""

import argparse
import asyncio
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cli import screen
from cli.place import HERE
from cli.stack import backups, dumping, services, start
from cli.stack.ports import Kept


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="a new one; by default one under .lifang/backups")
    parser.add_argument("--service", action="append", choices=services.names(), metavar="NAME", help="only this one; may be repeated")


def run(options: argparse.Namespace) -> int:
    if start.supervisor(HERE) is None:
        screen.stop("Nothing runs here. Type: lifang up")
    now = datetime.now(UTC)
    directory: Path = (options.directory or HERE.state / "backups" / now.strftime("%Y%m%dT%H%M%SZ")).absolute()
    if directory.exists():
        screen.stop(f"{directory} exists: a backup is written to a new directory", 2)
    names, begun = options.service or services.names(), time.monotonic()
    beside = directory.with_name(f".{directory.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700, parents=True)
    try:
        manifest = backups.Manifest(
            backups.FORMAT, now, asyncio.run(dumped(names, beside)), backups.prints(HERE))
        backups.write(beside, manifest)
        beside.rename(directory)
    except (OSError, RuntimeError) as error:
        shutil.rmtree(beside, ignore_errors=True)
        screen.stop(f"No backup was made: {error}")
    if options.json:
        screen.answer({"directory": str(directory), "seconds": round(time.monotonic() - begun, 1),
                       "services": msgspec.to_builtins(manifest.services)})
    else:
        print(f"{directory}\nKeep the secrets in {HERE.secrets} elsewhere: without them nobody reads it. Type: lifang restore {directory}")
    return 0


async def dumped(names: list[str], directory: Path) -> dict[str, backups.Dump]:
    found: dict[str, backups.Dump] = {}
    for name in names:
        found[name] = one = await dumping.dump(name, directory, Kept.read(HERE).ports)
        screen.progress(f"  {name:<10} generation {one.generation}, position {one.position}, {one.bytes / 1e6:.1f} MB")
    return found
