"""What is due, done on time: deadlines, retries. When something is due follows from the log, so that any restart finds it again.

A stream's state says when; what is then done says something new in that stream, which moves the moment on. So a deadline
happens once however often somebody tries: the rule that decides sees that it has happened."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.commands import Commands, Context
from libs.eventkit.db import is_away
from libs.eventkit.decider import Decider
from libs.eventkit.failpoints import reach
from libs.eventkit.recorded import Recorded
from libs.eventkit.subscriptions import Subscription, advance

log = logging.getLogger(__name__)
LOOK, FIRST, LONGEST = 30.0, 1.0, 60.0  # seconds: between looks where nothing is due, and before what failed is tried again


_NEXT = ("select stream, community_id, because, due_at from timers where name = $1 and stream <> all($2)"
         " order by due_at limit $3")

class Due(Struct, frozen=True):
    """`at`: when it was due; `because`: the event that said so; `state`: what is."""
    community_id: UUID
    subject_id: UUID
    state: Any
    at: datetime
    because: UUID

    def context(self, name: str) -> Context:
        """For what is said because of it: the same ids however often it is tried, and the real time."""
        return Context(community_id=self.community_id, now=datetime.now(UTC), caused_by=(self.because,), cause=self.because, name=name)

class Timer(Struct, frozen=True):
    """`due`: when something has to be done for a stream of the decider, None: nothing. `fire` does it, for `at_once` streams at a time
    and one time for each; it should say something that changes when it is due, else it is tried again after a growing pause."""
    name: str
    decider: Decider[Any, Any]
    due: Callable[[Any], datetime | None]
    fire: Callable[[Due], Awaitable[None]]
    at_once: int = 16

class Timers:
    """Runs one timer: the table follows the log, and whatever is due in it is fired, by one process at a time."""
    def __init__(self, commands: Commands, timer: Timer) -> None:
        self.commands, self.timer, self.database = commands, timer, commands.log.database
        self._prefix, self._changed = f"{timer.decider.category}:", asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, tuple[float, float]] = {}  # by stream: not before this moment of the loop's clock, and the last pause

    def subscription(self) -> Subscription:
        return Subscription(name=self.timer.name, take=self._take, beside=self._run)

    async def _take(self, rows: Sequence[Recorded], position: int) -> None:
        last = {row.stream: row for row in rows if row.stream is not None and row.stream.startswith(self._prefix)}
        found = [(stream, row.community_id, await self._due(stream, row.community_id), row.event_id) for stream, row in last.items()]
        async with (await self.database.folds()).acquire() as connection, connection.transaction():
            await connection.executemany(
                "insert into timers (name, stream, community_id, due_at, because) values ($1, $2, $3, $4, $5) on conflict (name, stream)"
                " do update set due_at = excluded.due_at,"
                " because = case when timers.due_at = excluded.due_at then timers.because else excluded.because end",
                [(self.timer.name, *one) for one in found if one[2] is not None])
            await self._forget(connection, [stream for stream, _, due, _ in found if due is None])
            await advance(connection, self.timer.name, position, rows[-1].position)
        if found:
            self._changed.set()

    async def _due(self, stream: str, community_id: UUID) -> datetime | None:
        return self.timer.due((await self.commands.state(self.timer.decider, _subject(stream), community_id))[0])

    async def _forget(self, connection: Any, streams: Sequence[str]) -> None:
        await connection.execute("delete from timers where name = $1 and stream = any($2)", self.timer.name, streams)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while True:
                self._changed.clear()
                self._again = {stream: again for stream, again in self._again.items() if again[0] > clock() - LONGEST}
                but = [*self._under_way, *(stream for stream, (until, _) in self._again.items() if until > clock())]
                rows = await (await self.database.pool()).fetch(_NEXT, self.timer.name, but, self.timer.at_once)
                now, wait = datetime.now(UTC), min([LOOK, *(max(0.0, until - clock()) for until, _ in self._again.values())])
                for row in rows:
                    if (left := (row["due_at"] - now).total_seconds()) > 0 or len(self._under_way) >= self.timer.at_once:
                        wait = min(wait, max(left, 0.0) if len(self._under_way) < self.timer.at_once else LOOK)
                        break
                    self._under_way[row["stream"]] = asyncio.create_task(self._one(**row))
                changed = asyncio.create_task(self._changed.wait())
                done, _ = await asyncio.wait([changed, *self._under_way.values()], timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                for stream in [stream for stream, task in self._under_way.items() if task in done]:
                    self._under_way.pop(stream).result()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            self._under_way.clear()

    async def _one(self, stream: str, community_id: UUID, because: UUID, due_at: datetime) -> None:
        """Raises what the database says while it is away. The table may be behind: what counts is what the stream says now."""
        state, _ = await self.commands.state(self.timer.decider, _subject(stream), community_id)
        due = self.timer.due(state)
        if due is not None and due <= datetime.now(UTC):
            try:
                await self.timer.fire(Due(community_id, _subject(stream), state, due, because))
            except Exception as error:
                if is_away(error):
                    raise
                log.error("timer %s failed for %s: %s", self.timer.name, stream, type(error).__name__)
            reach("timer.fired")
            due = await self._due(stream, community_id)
        if due is not None and due <= datetime.now(UTC):
            pause = min(self._again.get(stream, (0.0, FIRST / 2))[1] * 2, LONGEST)
            self._again[stream] = (asyncio.get_running_loop().time() + pause, pause)
            return
        self._again.pop(stream, None)
        pool = await self.database.folds()
        if due is None:
            await self._forget(pool, [stream])
        else:
            await pool.execute("update timers set due_at = $3 where name = $1 and stream = $2", self.timer.name, stream, due)

def _subject(stream: str) -> UUID:
    return UUID(stream.rpartition(":")[2])
