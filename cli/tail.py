"""`lifang tail`: every public event, one CloudEvent a line, in the order of the services' logs."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import asyncpg

from cli import screen
from cli.events import public_events
from cli.place import HERE
from cli.stack import services
from cli.stack.ports import Kept


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--type", default="*", metavar="GLOB", help="only these types, for example 'door_*'")
    parser.add_argument("--service", choices=services.names(), metavar="NAME", help=" ".join(services.names()))
    parser.add_argument("--follow", action="store_true", help="stay, and show what comes")


def run(options: argparse.Namespace) -> int:
    ports = Kept.read(HERE).ports
    names = [name for name in ([options.service] if options.service else services.names()) if name in ports]
    if not names:
        screen.stop("Nothing has been started here. Type: lifang up")
    try:
        asyncio.run(show(names, ports, options))
    except (OSError, asyncpg.PostgresError) as error:
        screen.stop(f"The logs cannot be read: {error}. Type: lifang status")
    return 0


async def show(names: list[str], ports: Mapping[str, int], options: argparse.Namespace) -> None:
    logs = {name: public_events(name, services.database(name, ports), options.follow) for name in names}
    async for event in as_they_come(logs) if options.follow else merged(logs):
        if fnmatchcase(event["type"], options.type):
            print(json.dumps(event, ensure_ascii=False) if options.json else line(event), flush=options.follow)


async def merged(logs: Mapping[str, AsyncIterator[dict[str, Any]]]) -> AsyncIterator[dict[str, Any]]:
    """Each log in its own order, the logs among each other by time: only for reading, nothing rests on it."""
    heads: dict[str, dict[str, Any]] = {}
    for name, log in logs.items():
        if (head := await anext(log, None)) is not None:
            heads[name] = head
    while heads:
        name = min(heads, key=lambda each: heads[each]["time"])
        yield heads.pop(name)
        if (head := await anext(logs[name], None)) is not None:
            heads[name] = head


async def as_they_come(logs: Mapping[str, AsyncIterator[dict[str, Any]]]) -> AsyncIterator[dict[str, Any]]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1000)

    async def pour(log: AsyncIterator[dict[str, Any]]) -> None:
        async for event in log:
            await queue.put(event)

    async with asyncio.TaskGroup() as group:
        for log in logs.values():
            group.create_task(pour(log))
        while True:
            yield await queue.get()


def line(event: dict[str, Any]) -> str:
    service = event["source"].rpartition("/")[2]
    return f"{event['time'][:23]}Z {service:<9} {event['type']:<28} {event['subject']}  {event['id']}"
