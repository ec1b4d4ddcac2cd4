"""Effects touch the world: attempted once, in time or not at all, one after the other per device.

An order has `ttl` from the moment when the first service recorded the request behind it. The attempt is in the log
before the call; only the process whose append stored it acts. The checkpoint passes an order when it is in the log what
became of it: a process that dies in between leaves an attempt, which whoever comes next records as unknown.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.commands import Commands
from libs.eventkit.db import is_away, once_there
from libs.eventkit.decider import Refused
from libs.eventkit.failpoints import reach
from libs.eventkit.log import Key
from libs.eventkit.reactions import context_of
from libs.eventkit.recorded import Recorded, tag_of
from libs.eventkit.subscriptions import Subscription, advance

log = logging.getLogger(__name__)
ACTUATOR_TTL = timedelta(seconds=5)


class Order(Struct, frozen=True):
    """What one event asks of one device. `perform` gives the command that records its outcome; it must not raise
    for what a device does wrong. `unknown` records an attempt of which nobody can tell any more how it ended.
    `hold`: seconds from the request for which the device waits for an answer in its response; a call comes after that."""

    subject_id: UUID
    queue: str
    attempt: Struct
    expire: Struct
    unknown: Struct
    perform: Callable[[], Awaitable[Struct]]
    hold: float = 0.0


class Effect(Struct, frozen=True):
    """`on` maps an event's type to the order in it, or to None where nothing is to be done."""

    name: str
    on: Mapping[type, Callable[[Any, Recorded], Awaitable[Order | None]]]
    ttl: timedelta = ACTUATOR_TTL


class Performer:
    """Runs one effect over the log; every device has a queue of its own, so that a dead one delays nobody else."""

    def __init__(self, commands: Commands, effect: Effect) -> None:
        self.commands, self.effect = commands, effect
        self._names = frozenset(tag_of(t) for t in effect.on)
        self._queues: dict[str, asyncio.Task[None]] = {}
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        self._settling: asyncio.Task[None] | None = None

    def subscription(self) -> Subscription:
        return Subscription(name=self.effect.name, take=self._take, start="now")

    async def _take(self, rows: Sequence[Recorded], position: int) -> None:
        """Begins what is asked and returns: the checkpoint follows by itself, in order, so that the orders of a dead
        device, which wait until they expire, keep no other device waiting."""
        settling, self._settling = self._settling, None
        if settling is not None and settling.done():
            settling.result()
        begun = [self._enqueue(order, row) for row in rows if row.type in self._names and (order := await self._planned(row))]
        self._settling = asyncio.create_task(self._settle(settling, begun, position, rows[-1].position))
        self._settling.add_done_callback(_looked_at)

    async def _planned(self, row: Recorded) -> Order | None:
        try:
            event = self.commands.catalogue.read(row)
            return await self.effect.on[type(event)](event, row) if event is not None else None
        except Exception as error:
            if is_away(error):
                raise
            log.error("effect %s cannot read the order at %d: %s", self.effect.name, row.position, type(error).__name__)
            return None

    async def _settle(self, before: "asyncio.Task[None] | None", begun: "list[asyncio.Task[None]]", position: int, end: int) -> None:
        if before is not None:
            await before
        await asyncio.gather(*begun)
        database = self.commands.log.database

        async def move() -> None:
            await advance(await database.pool(), self.effect.name, position, end)

        await once_there(move)

    def _enqueue(self, order: Order, row: Recorded) -> "asyncio.Task[None]":
        if (task := self._under_way.get(row.event_id)) is not None:  # read again, as after the database was away
            return task
        task = asyncio.create_task(self._after(self._queues.get(order.queue), order, row))
        self._queues[order.queue] = self._under_way[row.event_id] = task

        def ended(_: asyncio.Task[None]) -> None:
            _looked_at(task)
            del self._under_way[row.event_id]
            if self._queues.get(order.queue) is task:
                del self._queues[order.queue]

        task.add_done_callback(ended)
        return task

    async def _after(self, earlier: "asyncio.Task[None] | None", order: Order, row: Recorded) -> None:
        """Ends when it is in the log what became of the order, and the device is free for the next."""
        if earlier is not None:
            await asyncio.wait([earlier], timeout=self._left(row))
        if order.hold:
            await asyncio.sleep(max(0.0, self._left(row) - self.effect.ttl.total_seconds() + order.hold))
        if await self._attempt(order, row):
            reach("effect.attempted")
            result = await order.perform()
            reach("effect.called")
            await self._say(order, result, row, "result")
        elif earlier is not None:  # the device is not free before the one ahead has left it
            await asyncio.wait([earlier])

    def _left(self, row: Recorded) -> float:
        """Seconds until the order expires."""
        return ((row.meta.requested_at or row.recorded_at) + self.effect.ttl - datetime.now(UTC)).total_seconds()

    async def _attempt(self, order: Order, row: Recorded) -> bool:
        """True when this process is the one that acts."""
        mine = self._left(row) > 0 and await self._say(order, order.attempt, row, "attempt")
        if mine and self._left(row) > 0:
            return True
        # too late, or the device was answered otherwise: nothing was attempted, and nobody waits for more
        if not await self._say(order, order.expire, row, "expire"):
            await self._say(order, order.unknown, row, "unknown")
        return False

    async def _say(self, order: Order, command: Struct, row: Recorded, name: str) -> bool:
        """Stores the command's events, waiting for a database that is away (an attempt only while it is in time);
        False when they were there before, or a rule refuses them."""

        async def say() -> bool:
            if name == "attempt" and self._left(row) <= 0:
                return False
            # random ids: the log must tell a repeat of this very append from another process's attempt
            context = replace(context_of(row, name), now=datetime.now(UTC), cause=None)
            try:
                done = await self.commands.handle(
                    order.subject_id, command, context, key=Key("", self.effect.name, f"{row.event_id}:{name}"),
                    new=name == "attempt")
            except Refused:
                return False
            return bool(done.outcome.events) and not done.replayed

        return await once_there(say)


def _looked_at(task: "asyncio.Task[None]") -> None:
    """What it raised is raised by the next batch; where none comes any more, as when the process ends, it is nobody's."""
    if not task.cancelled():
        task.exception()
