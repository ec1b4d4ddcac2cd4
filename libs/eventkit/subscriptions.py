"""Readers of the own log: one holder each, one bigint checkpoint each, woken by NOTIFY with a slow poll behind it."""
import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Literal
from msgspec import Struct
from libs.eventkit import db, log, recorded, tail

POLL, BOUND = 5.0, 30.0  # seconds: after which a reader looks even though nobody woke it; for which a lease may not answer
LAZY = 0.25  # seconds for which a checkpoint may stay behind what does not concern its reader: a burst moves it once
class Lost(Exception):
    """Somebody else moved the checkpoint: begin again from where it stands."""
class Subscription(Struct, frozen=True):
    """`take` handles a batch and moves the checkpoint itself, inside its rows' transaction where it has one; it is not asked about batches
    of which no row `concerns` it. `start` counts once, when `migrate` makes the checkpoint: "now" for what must not act on the past.
    `beside` runs while this process holds the subscription."""
    name: str
    take: Callable[[Sequence[recorded.Recorded], int], Awaitable[None]]
    start: Literal["beginning", "now"] = "beginning"
    beside: Callable[[], Awaitable[None]] | None = None
    concerns: Callable[[recorded.Recorded], bool] = lambda row: True
async def holding(database: db.Database, name: str, *works: Callable[[], Awaitable[None]]) -> None:
    """Waits until this process holds the lease `name`, then works until one of the works ends, or ends them when the lease is lost:
    a session lock on a connection of its own, so that it ends with the process however that ends."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    async with database.direct() as lease:
        while not await lease.fetchval("select pg_try_advisory_lock($1)", number, timeout=BOUND):  # noqa: ASYNC110
            await asyncio.sleep(1.0)
        tasks = [*(asyncio.ensure_future(work()) for work in works), asyncio.create_task(db.alive(lease))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
async def checkpoints(database: db.Database, names: Sequence[str]) -> dict[str, int]:
    """Where these readers stand. Raises LookupError for what `migrate` has not made."""
    rows = await (await database.pool()).fetch("select name, position from checkpoints where name = any($1)", names)
    if missing := set(names) - {row["name"] for row in rows}:
        raise LookupError(f"no checkpoint {', '.join(sorted(missing))}: migrate has not run")
    return {row["name"]: row["position"] for row in rows}
async def checkpoint(database: db.Database, name: str) -> int:
    return (await checkpoints(database, [name]))[name]
async def advance(connection: db.Connection, names: str | Sequence[str], old: int, new: int) -> None:
    """Compare-and-set of one checkpoint, or of several that stand at one place. Raises Lost."""
    names = [names] if isinstance(names, str) else names
    query = "update checkpoints set position = $3, moved_at = clock_timestamp() where name = any($1) and position = $2"
    if await connection.execute(query, names, old, new) != f"UPDATE {len(names)}":
        raise Lost(*names)
async def follow(log_: log.Log, wake: tail.Wake, subscription: Subscription) -> None:
    """Holds the subscription's lease and hands it the log batch by batch, for ever."""
    beside = (subscription.beside,) if subscription.beside else ()
    await holding(log_.database, subscription.name, lambda: _follow(log_, wake, subscription), *beside)
async def _follow(log_: log.Log, wake: tail.Wake, subscription: Subscription) -> None:
    while True:
        with suppress(Lost):
            await hand_on(log_, wake, subscription, await checkpoint(log_.database, subscription.name))
async def hand_on(log_: log.Log, wake: tail.Wake, subscription: Subscription, position: int, looks: bool = False) -> None:
    """From there on, by whoever holds the lease. Raises Lost when the checkpoint was moved, seen with the next event, or by who `looks`."""
    clock, stored, due = asyncio.get_running_loop().time, position, inf
    while True:
        grown = wake.next
        rows = await log_.tail.after(position, grown)
        if concerned := any(map(subscription.concerns, rows)):
            await subscription.take(rows, stored)
        elif clock() >= due:
            await advance(await log_.database.folds(), subscription.name, stored, position)
            stored, due = position, inf
        if rows:
            position = rows[-1].position
            stored, due = (position, inf) if concerned else (stored, min(due, clock() + LAZY))
            continue
        await tail.set_within(grown, min(log_.tail.pause(POLL), due - clock()))
        if looks and not grown.is_set() and await checkpoint(log_.database, subscription.name) != stored:
            raise Lost(subscription.name)
