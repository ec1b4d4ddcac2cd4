"""`lifang restored SERVICE`"""

import argparse
import asyncio
import json
import sys
from typing import Any

import asyncpg

from cli import operation, screen
from cli.place import HERE
from cli.stack import services
from cli.stack.ports import Kept

SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("--most", type=int, default=1000, metavar="N", help="name so many lost events; all are counted")


def run(options: argparse.Namespace) -> int:
    heard = asyncio.run(remembered(options.service))
    process = operation.start(options.service, "restored", "--heard", str(heard), "--most", str(options.most))
    answer, _ = process.communicate()
    if process.returncode:
        return process.returncode
    begun = operation.begin_again(options.service)
    found = json.loads(answer) | {"process_restarted": begun}
    if options.json:
        screen.answer(found)
    else:
        show(found)
    return 0


async def remembered(service: str) -> int:
    """The latest generation of the service that a listener on this machine has heard: a wiped topic does not tell."""
    ports, found = Kept.read(HERE).ports, [0]
    for other in services.names():
        if other in ports:
            try:
                connection = await asyncpg.connect(services.database(other, ports), timeout=5)
                query = "select coalesce(max(generation), 0) from marks where topic like '%.' || $1 || '.v1'"
                found.append(int(await connection.fetchval(query, service)))
                await connection.close()
            except (OSError, asyncpg.PostgresError) as error:
                print(f"{other} could not be asked what it has heard: {type(error).__name__}", file=sys.stderr)
    return max(found)


def show(found: dict[str, Any]) -> None:
    print(f"{found['service']} begins generation {found['generation']} at position {found['position']}.")
    if found["lost"]:
        print(f"Its topic has {found['lost']} events from position {found['lost_from']} on that this log lost:")
        print("\n".join(f"  {count:>6} {name}" for name, count in found["by_type"].items()))
        print("\n".join(f"  {line}" for line in found["beyond"][:SHOWN]))
        if found["lost"] > SHOWN:
            print(f"  … and {found['lost'] - SHOWN} more: --json names {len(found['beyond'])}")
        print("Its listeners have heard them. What follows from what it hears again comes back by itself, under the same ids.")
    else:
        print("Its topic has nothing that this log lost.")
    if found["erased_again"]:
        print(f"{found['erased_again']} keys had been erased since: they are gone again, and the log says so.")
    print("\n".join(f"  {count} {what} stood beyond the log's end" for what, count in found["settled"].items() if count))
