"""What is due, done on time: deadlines, retries. When something is due follows from the log, so that any restart finds it again.
A stream's state says when; what is then done says something new in that stream, which moves the moment on. So a deadline happens once
however often somebody tries: the rule that decides sees that it has happened."""
import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from msgspec import Struct
from sqlalchemy.util import LRUCache
from libs.eventkit import db, failpoints, recorded, subscriptions, tail
from libs.eventkit.commands import CACHED, Commands, Context
from libs.eventkit.decider import Decider

log = logging.getLogger(__name__)
LOOK, FIRST, LONGEST = 30.0, 1.0, 60.0  # seconds: between looks where nothing is due, and before what failed is tried again
_SOON, _WRITE = "select * from due_soon($1, $2, $3, $4)", "select write_timer($1, $2, $3, $4, $5, $6)"
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
    """`due`: when something has to be done for a stream of the decider, None: nothing; who changes it changes `name`, which finds all
    anew. `fire` does it within so many seconds, for `at_once` streams of each community at a time and one time for each; it should
    say something that changes when it is due, else it is tried again after a growing pause."""
    name: str
    decider: Decider[Any, Any]
    due: Callable[[Any], datetime | None]
    fire: Callable[[Due], Awaitable[None]]
    at_once: int = 16
    within: float = 30.0
class _Known(Struct, frozen=True):
    """What a stream has come to; `because`: the event that made `due` what it is."""
    state: Any
    version: int = 0
    due: datetime | None = None
    because: UUID = recorded.NOWHERE
class Timers:
    """Runs one timer: the table follows the log, and whatever is due in it is fired, by one process at a time."""
    def __init__(self, commands: Commands, timer: Timer) -> None:
        self.commands, self.timer, self.database = commands, timer, commands.log.database
        self._prefix, self._changed, self._known = f"{timer.decider.category}:", asyncio.Event(), LRUCache[str, _Known](CACHED)
        self._again = dict[str, tuple[float, float]]()  # by stream: not before this moment of the loop's clock, and the last pause
    def subscription(self) -> subscriptions.Subscription:
        return subscriptions.Subscription(self.timer.name, self._take, beside=self._run, concerns=self._concerns)
    def _concerns(self, row: recorded.Recorded) -> bool:
        return row.stream is not None and row.stream.startswith(self._prefix)
    async def _take(self, rows: Sequence[recorded.Recorded], position: int) -> None:
        """What cannot be read is due at once: it is tried again until it can, and an operator sees that it is late."""
        streams: dict[str, list[recorded.Recorded]] = {}
        for row in filter(self._concerns, rows):
            streams.setdefault(row.subject, []).append(row)
        found = []
        for stream, new in streams.items():
            try:
                known = await self._look(stream, new)
            except Exception as error:
                if db.is_away(error):
                    raise
                known = _Known(None, new[-1].version or 0, new[-1].recorded_at, new[-1].event_id)
            found.append((stream, new[-1].community_id, known))
        async with (await self.database.folds()).acquire() as connection, connection.transaction():
            for one in found:
                await self._write(connection, *one)
            await subscriptions.advance(connection, self.timer.name, position, rows[-1].position)
        if found:
            self._changed.set()
    async def _look(self, stream: str, new: Sequence[recorded.Recorded] = ()) -> _Known:
        """What it has come to: with these rows, where they follow on what is known, else with what the log has."""
        known = before = self._known.get(stream) or _Known(self.timer.decider.initial)
        if not new or (new[0].version or 0) > known.version + 1:
            new = await self.commands.log.stream(stream, known.version)
        for row in new:
            if (version := row.version or 0) > known.version:
                event = self.commands.catalogue.read(row)
                state = known.state if event is None else self.timer.decider.evolve(known.state, event)
                due = self.timer.due(state)
                known = _Known(state, version, due, known.because if due == known.due else row.event_id)
        if known.due != before.due:
            self._again.pop(stream, None)  # it was another moment that failed
        self._known[stream] = known
        return known
    async def _write(self, connection: db.Connection, stream: str, community_id: UUID, known: _Known) -> None:
        """Whatever order the writers come in, the row of a later version stands."""
        await connection.execute(_WRITE, self.timer.name, stream, community_id, known.version, known.due, known.because)
    async def _run(self) -> None:
        clock, under_way = asyncio.get_running_loop().time, dict[str, tuple[UUID, asyncio.Task[None]]]()
        self._again.clear()
        try:
            while True:
                self._changed.clear()
                under_way = {stream: one for stream, one in under_way.items() if not one[1].done()}
                busy = Counter(community_id for community_id, _ in under_way.values())
                pauses = {stream: until - clock() for stream, (until, _) in self._again.items() if until > clock()}
                now, wait, but = datetime.now(UTC), min([LOOK, *pauses.values()]), [*under_way, *pauses]
                pool, soon = await self.database.pool(), now + timedelta(seconds=LOOK)
                for stream, community_id, due in await pool.fetch(_SOON, self.timer.name, soon, but, self.timer.at_once):
                    if (left := (due - now).total_seconds()) > 0:
                        wait = min(wait, left)
                        break
                    if busy[community_id] < self.timer.at_once:  # else the end of one of its community is waited for
                        busy[community_id] += 1
                        under_way[stream] = community_id, (task := asyncio.create_task(self._one(stream, community_id)))
                        task.add_done_callback(lambda _: self._changed.set())
                await tail.set_within(self._changed, wait)
        finally:
            for _, task in under_way.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way.values()), return_exceptions=True)
    async def _one(self, stream: str, community_id: UUID) -> None:
        """The table may be behind: what counts is what the stream says now."""
        try:
            known = await self._look(stream)
            if (due := known.due) is not None and due <= datetime.now(UTC):
                subject_id = UUID(stream.rpartition(":")[2])
                await tail.within(self.timer.fire(Due(community_id, subject_id, known.state, due, known.because)), self.timer.within)
                failpoints.reach("timer.fired")
                if (known := await self._look(stream)).due == due:
                    return self._pause(stream)
            await self._write(await self.database.folds(), stream, community_id, known)
        except Exception as error:
            log.error("timer %s failed for %s: %s", self.timer.name, stream, type(error).__name__)
            self._pause(stream)
    def _pause(self, stream: str) -> None:
        pause = min(self._again.get(stream, (0.0, FIRST / 2))[1] * 2, LONGEST)
        self._again[stream] = (asyncio.get_running_loop().time() + pause, pause)
