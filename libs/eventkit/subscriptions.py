"""Readers of the own log: one holder each, one bigint checkpoint each, woken by NOTIFY with a slow poll behind it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal

import asyncpg
from msgspec import Struct

from libs.eventkit.db import Connection, Database, alive
from libs.eventkit.log import Log
from libs.eventkit.recorded import Recorded
from libs.eventkit.tail import Wake

POLL = 5.0  # seconds after which a reader looks even though nobody woke it

class Lost(Exception):
    """Somebody else moved the checkpoint: begin again from where it stands."""

class Subscription(Struct, frozen=True):
    """`take` handles a batch and moves the checkpoint itself, inside its rows' transaction where it has one.

    `start` counts once, when `migrate` creates the checkpoint: "now" for what must not act on the past."""
    name: str
    take: Callable[[Sequence[Recorded], int], Awaitable[None]]
    start: Literal["beginning", "now"] = "beginning"

async def holding(database: Database, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Waits until this process holds the lease `name`, then works until that ends, or ends it when the lease is lost: a
    session lock on a connection of its own, so that it ends with the process however that ends."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    async with database.direct() as lease:
        while not await lease.fetchval("select pg_try_advisory_lock($1)", number):  # noqa: ASYNC110
            await asyncio.sleep(1.0)
        tasks = [asyncio.ensure_future(work()), asyncio.create_task(alive(lease))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

async def checkpoint(database: Database, name: str) -> int:
    """Where the subscription stands. Raises LookupError when `migrate` has not made it."""
    position = await (await database.pool()).fetchval("select position from checkpoints where name = $1", name)
    if position is None:
        raise LookupError(f"no checkpoint {name}: migrate has not run")
    return int(position)

async def advance(connection: Connection | asyncpg.Pool, name: str, old: int, new: int) -> None:
    """Compare-and-set. Raises Lost."""
    moved = await connection.execute(
        "update checkpoints set position = $3, moved_at = clock_timestamp() where name = $1 and position = $2", name, old, new)
    if moved != "UPDATE 1":
        raise Lost(name)

async def follow(log_: Log, wake: Wake, subscription: Subscription) -> None:
    """Holds the subscription's lease and hands it the log batch by batch, for ever."""
    await holding(log_.database, subscription.name, lambda: _follow(log_, wake, subscription))

async def _follow(log_: Log, wake: Wake, subscription: Subscription) -> None:
    position = await checkpoint(log_.database, subscription.name)
    while True:
        grown = wake.next
        rows = await log_.tail.after(position, grown)
        if not rows:
            with suppress(TimeoutError):
                await asyncio.wait_for(grown.wait(), POLL)
            continue
        try:
            await subscription.take(rows, position)
        except Lost:
            position = await checkpoint(log_.database, subscription.name)
        else:
            position = rows[-1].position
