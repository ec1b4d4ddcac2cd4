"""What a service has told the others, read from its own log and translated as its relay does it."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from libs.eventkit.commands import Publish
from libs.eventkit.envelope import attributes
from libs.eventkit.recorded import COLUMNS, Catalogue, Number, Recorded

BATCH = 1000
POLL = 0.3


async def public_events(service: str, database: str, follow: bool = False) -> AsyncIterator[dict[str, Any]]:
    """All CloudEvents of `service` in the order of its log, structured; with `follow` it waits for more.

    `database`: the owner's address.
    """
    wired = importlib.import_module(f"services.{service}.main").SERVICE
    catalogue = wired.catalogue()
    connection = await asyncpg.connect(database, timeout=5)
    told: dict[UUID, Number] = {}
    position = 0
    try:
        while True:
            rows = await connection.fetch(
                f"select {COLUMNS} from events where position > $1 and source is null order by position limit $2",
                position, BATCH)
            for recorded in map(Recorded.of, rows):
                position = recorded.position
                for event in translated(service, recorded, catalogue, wired.publish, told):
                    yield event
            if not rows and not follow:
                return
            if not rows:
                await asyncio.sleep(POLL)
    finally:
        await connection.close()


def translated(
    service: str, row: Recorded, catalogue: Catalogue, publish: Publish | None, told: dict[UUID, Number]
) -> list[dict[str, Any]]:
    """`told` remembers the number before, by community."""
    event = catalogue.read(row)
    found = []
    for n, public in enumerate(publish(event, row) if publish and event is not None else ()):
        previous = told.get(row.community_id, Number())
        version = getattr(public.body, "VERSION", 1)
        found.append({**attributes(row, public, n, service, version, previous), "data": msgspec.to_builtins(public.body)})
        told[row.community_id] = Number(row.generation, row.position, n)
    return found
