"""What we do when others speak: an event becomes own commands, each stored once however often it is tried."""
import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5
from msgspec import Struct
from libs.eventkit import db, decider, failpoints, subscriptions
from libs.eventkit.commands import Commands, Context
from libs.eventkit.log import Key
from libs.eventkit.recorded import Recorded, tag_of

log = logging.getLogger(__name__)
_PARK = "select park($1, $2, $3, $4, $5, $6)"
TRIES, AT_ONCE = 6, 64  # for a missing fact (0.05 s, doubling: about 3 s in all) before its key is parked; events handled at once
class Do(Struct, frozen=True):
    """A command to be given because of an event; `name` tells it from the event's other commands. `new`: as in `Commands.handle`."""
    name: str
    subject_id: UUID
    command: Struct
    caused_by: tuple[UUID, ...] = ()
    new: bool = False
React = Callable[[Any, Recorded], Awaitable[list[Do]]]
class Reaction(Struct, frozen=True):
    """`on`: what follows from each type; `key`: what waits together when one cannot be handled. `apart`: several keys at once."""
    name: str
    on: Mapping[type, React]
    key: Callable[[Any, Recorded], str] = lambda event, row: row.subject
    apart: bool = False
def context_of(row: Recorded, name: str, caused_by: tuple[UUID, ...] = ()) -> Context:
    """The clock is the heard row's, the ids come from it, so that a rerun after a crash says the same."""
    meta, causes = row.meta, (row.event_id, *(c for c in caused_by if c != row.event_id))
    return Context(community_id=row.community_id, now=row.recorded_at, correlation=meta.correlation, caused_by=causes, name=name,
        cause=row.event_id, requested_at=meta.requested_at, occurred_at=meta.occurred_at, traceparent=meta.traceparent)
class Reactor:
    """Runs one reaction over the log and keeps what cannot be handled parked, in order, by key."""
    def __init__(self, commands: Commands, reaction: Reaction) -> None:
        self.commands, self.reaction, self.catalogue, self.database = commands, reaction, commands.catalogue, commands.log.database
        self._names, self._parked, self._end = frozenset(map(tag_of, reaction.on)), set[str](), -1
    def subscription(self) -> subscriptions.Subscription:
        return subscriptions.Subscription(self.reaction.name, self._take, concerns=lambda row: row.type in self._names)
    async def _take(self, rows: Sequence[Recorded], position: int) -> None:
        pool, gate, lines = await self.database.pool(), asyncio.Semaphore(AT_ONCE), dict[str, list[tuple[str, Any, Recorded]]]()
        for row in rows:
            if row.type in self._names and row.meta.retired is None:
                try:
                    key = self.reaction.key(event := self.catalogue.read(row), row)
                except Exception as error:  # an unknown version, or a body that does not fit its type
                    key, event = row.subject, error
                lines.setdefault(key if self.reaction.apart else "", []).append((key, event, row))
        if position != self._end:  # else nobody but us can have parked anything since
            self._parked = {r["key"] for r in await pool.fetch("select key from parked where subscription = $1", self.reaction.name)}
        async def along(line: list[tuple[str, Any, Recorded]]) -> None:
            for key, event, row in line:
                async with gate:
                    await self._one(pool, key, event, row)
        for failed in filter(None, await asyncio.gather(*map(along, lines.values()), return_exceptions=True)):
            raise failed
        failpoints.reach("reaction.done")
        await subscriptions.advance(await self.database.folds(), self.reaction.name, position, rows[-1].position)
        self._end = rows[-1].position
    async def _one(self, pool: db.Connection, key: str, event: Any, row: Recorded) -> None:
        """Waits behind others of its key that are parked, unless somebody has tried them again meanwhile."""
        behind = "select true from parked where subscription = $1 and key = $2"
        waits = key in self._parked and await pool.fetchval(behind, self.reaction.name, key)
        unread = f"{type(event).__name__}: {event}"[:200] if isinstance(event, Exception) else ""
        reason = unread or ("behind another" if waits else await self.tried(event, row))
        what = self.reaction.name, key, row.position, row.event_id, row.community_id
        while reason and not await pool.fetchval(_PARK, *what, reason):
            reason = await self.tried(event, row)  # those that it would wait behind have been handled meanwhile
        if reason:
            self._parked.add(key)
    async def tried(self, event: Any, row: Recorded) -> str:
        """Empty when handled, else why not. A database that is away is waited for and never parks."""
        for attempt in range(TRIES):
            try:
                await self.handle(event, row)
                return ""
            except decider.NotYet as error:
                reason = f"not yet: {error}"
                await asyncio.sleep(0.05 * 2**attempt)
            except Exception as error:
                if db.is_away(error):
                    raise
                log.error("reaction %s cannot handle position %d: %s", self.reaction.name, row.position, type(error).__name__)
                return type(error).__name__
        return reason
    async def handle(self, event: Any, row: Recorded) -> None:
        for do in await self.reaction.on[type(event)](event, row):
            try:
                key = Key("", self.reaction.name, str(uuid5(row.event_id, do.name)))
                await self.commands.handle(do.subject_id, do.command, context_of(row, do.name, do.caused_by), key=key, new=do.new)
            except decider.Refused as refused:
                log.info("reaction %s: %s refused (%s)", self.reaction.name, do.name, refused.code)
