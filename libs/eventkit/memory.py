"""What a process keeps in memory: a fold of the log over some types, in every process that answers from it."""
import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID
from libs.eventkit import db, problems, recorded, tail
from libs.eventkit.log import Log

log = logging.getLogger(__name__)
LOOK, OLDEST = 2.5, 5.0  # seconds: between looks while nobody wakes; after which memory is not trusted without asking the database
class NotReady(problems.Problem, db.Unavailable):
    """503 for whoever asks; a reaction or an effect waits for it as for the database, and puts nothing aside."""
class Memory:
    """`apply` takes one event and must not fail. Memory is cold until the log has been read to its end once. Of the
    communities in `unreadable` it has not understood everything: nothing may be decided for them from it."""
    def __init__(self, name: str, types: Iterable[type], apply: Callable[[Any, recorded.Recorded], None]) -> None:
        self.name, self.types, self.apply = name, [recorded.tag_of(t) for t in types], apply
        self.position, self.unreadable, self._fresh_at, self._reading = 0, set[UUID](), float("-inf"), asyncio.Lock()
        self._catching: asyncio.Task[None] | None = None
    def bind(self, log: Log, catalogue: recorded.Catalogue) -> None:
        """Once, before anything is asked of it."""
        self._log, self._catalogue = log, catalogue
    @property
    def warm(self) -> bool:
        return self._fresh_at > float("-inf")
    async def run(self, wake: tail.Wake) -> None:
        await self.catch_up()
        while True:
            grown, begun = wake.next, asyncio.get_running_loop().time()
            async with self._reading:
                rows = await self._log.tail.after(self.position, grown)
                self._take([row for row in rows if row.type in self.types])
                self.position, self._fresh_at = (rows[-1].position, self._fresh_at) if rows else (self.position, begun)
            if not rows:
                await tail.set_within(grown, self._log.tail.pause(LOOK))
    async def catch_up(self) -> None:
        """Reads to the log's present end."""
        async with self._reading:
            begun, end = asyncio.get_running_loop().time(), await self._log.last()
            if end < self.position:
                raise RuntimeError(f"the log ends at {end}, memory {self.name} has seen {self.position}: restored?")
            while self.position < end:
                rows = await self._log.read(self.position, tail.BATCH, self.types)
                self._take(rows)
                self.position = rows[-1].position if len(rows) == tail.BATCH else max([end, *(r.position for r in rows[-1:])])
            self._fresh_at = begun
    def _take(self, rows: Sequence[recorded.Recorded]) -> None:
        for row in rows:
            try:
                event = self._catalogue.read(row)
            except Exception as error:
                log.error("memory %s cannot read position %d: %s", self.name, row.position, type(error).__name__)
                self.unreadable.add(row.community_id)
            else:
                if event is not None:
                    self.apply(event, row)
    async def fresh(self, position: int = 0) -> None:
        """Returns when memory is at most five seconds old and has passed `position`, else asks the database. Raises NotReady
        when that is not possible: cold or stale memory decides nothing."""
        clock = asyncio.get_running_loop().time
        if self.position >= position and clock() - self._fresh_at <= OLDEST:
            return
        until = clock() + 1.0
        while True:
            if self._catching is None or self._catching.done():
                self._catching = asyncio.create_task(self.catch_up())
            # `wait_for` would cancel the query, and for that ask the database again
            done, _ = await asyncio.wait([self._catching], timeout=max(0.0, until - clock()))
            if not done or self._catching.exception() is not None:
                raise NotReady(503, "not_ready", "what this decision rests on cannot be read")
            if self.position >= position:
                return
