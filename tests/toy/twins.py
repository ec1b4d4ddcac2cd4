"""Broken twins: the production function done the way that loses or doubles. Each is chosen by name and patches this process."""

import asyncio
import os
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any
from uuid import uuid5

from msgspec.structs import replace

from libs.eventkit import commands, db, hear, log, reactions, relay, subscriptions, timers, views
from libs.eventkit.failpoints import reach
from libs.eventkit.reactions import context_of
from libs.eventkit.subscriptions import advance
from services.devices import performer
from tests.toy import twins_of_links, twins_of_restores

FOLDED = ("added", "noted", "toy.added")


def answers_before_commit() -> None:
    real = log.Log.append

    async def append(self: log.Log, append: log.Append) -> log.Appended:
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(real(self, append)))
        return log.Appended("ok", 0, None, None)

    log.Log.append = append  # type: ignore[method-assign]


def key_forgotten() -> None:
    """Dies only where a caller of ours is left without an answer."""
    handle, arguments, batches = commands.Commands.handle, log._arguments, list[Any]()

    async def keyless(self: commands.Commands, *what: Any, key: Any = None, **more: Any) -> commands.Done:
        return await handle(self, *what, **more)

    def remembering(batch: Any) -> Any:
        batches[:] = batch
        return arguments(batch)

    commands.Commands.handle = keyless  # type: ignore[method-assign]
    log._arguments = remembering
    log.failpoints = SimpleNamespace(
        reach=lambda name: reach(name) if any(e.type == "added" for a in batches for e in a.events) else None)


async def _not_yet(*what: Any) -> None:
    pass


def relay_checkpoint_first() -> None:
    """Moves the checkpoint, then sends; and has no look at the topic when it begins."""
    real = relay.Relay._send
    relay.subscriptions = SimpleNamespace(**{**vars(subscriptions), "advance": _not_yet})
    relay.failpoints = SimpleNamespace(reach=lambda name: None)

    async def send(self: relay.Relay, producer: Any, rows: Any, position: int) -> None:
        told = dict(self._told)
        said = [message for row in rows if row.source is None for message in self._messages(row, told)]
        pool = await self.database.pool()
        async with pool.acquire() as connection, connection.transaction():
            await connection.executemany(
                "select remember_told($1, $2, $3, $4, $5)",
                [(c, relay.partition_of(c), n.generation, n.position, n.n) for c, n in told.items()])
            await advance(connection, relay.NAME, position, rows[-1].position)
        if said:
            reach("relay.sent")
        await real(self, producer, rows, position)

    async def look(self: relay.Relay) -> None:
        pass

    relay.Relay._send, relay.Relay._look = send, look  # type: ignore[method-assign]


def acknowledgement_not_awaited() -> None:
    real = relay.Relay._lane

    async def lane(self: relay.Relay, *what: Any) -> None:
        self.late = asyncio.create_task(real(self, *what))  # type: ignore[attr-defined]

    async def look(self: relay.Relay) -> None:
        pass

    relay.Relay._lane, relay.Relay._look = lane, look  # type: ignore[method-assign]


def commits_asynchronously() -> None:
    async def careless(connection: Any) -> None:
        await connection.execute("set synchronous_commit = off")

    db._durable = careless


def mark_first() -> None:
    """The marks in a transaction of their own, ahead of the rows. Only the batch's: another partition is being stored beside it."""
    real = hear.Hearing._take
    hear.reach = lambda name: None

    async def take(self: hear.Hearing, records: Any) -> None:
        pool, topic = await self.database.pool(), records[0].topic
        heard = [hear.read(record.headers, record.value) for record in records]
        whose = [topic, list({h.community_id for h in heard})]
        before = await pool.fetch("select * from marks where topic = $1 and community_id = any($2)", *whose)
        await pool.executemany(
            "insert into marks values ($1, $2, $3, $4, $5, 0) on conflict (topic, community_id) do update"
            " set generation = excluded.generation, position = excluded.position, n = excluded.n",
            [(topic, h.community_id, h.number.generation, h.number.position, h.number.n) for h in heard])
        reach("hear.before")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("delete from marks where topic = $1 and community_id = any($2)", *whose)
            await connection.executemany("insert into marks values ($1, $2, $3, $4, $5, $6)", [tuple(r) for r in before])
        await real(self, records)

    hear.Hearing._take = take  # type: ignore[method-assign]


def known_in_memory_only() -> None:
    """What was heard is remembered by the process, and everything else is left to Kafka's commit."""
    run, columns = hear.Hearing.run, hear._columns

    async def forgetful(self: hear.Hearing) -> None:
        await (await self.database.pool()).execute("delete from marks")
        await run(self)

    def salted(records: Any, sources: Any) -> Any:
        return columns([(t, replace(h, event_id=uuid5(h.event_id, str(os.getpid())))) for t, h in records], sources)

    hear.Hearing.run = forgetful  # type: ignore[method-assign]
    hear._columns = salted


def _two_transactions(rows_first: bool) -> None:
    real, folding = views.take, ContextVar("folding", default=False)
    views.failpoints = SimpleNamespace(reach=lambda name: None)

    async def unless_folding(*what: Any) -> None:
        if not folding.get():  # of another service in this process a checkpoint may move meanwhile
            await advance(*what)

    views.advance = unless_folding

    async def fold(*arguments: Any) -> None:
        token = folding.set(True)
        try:
            await real(*arguments)
        finally:  # else nothing would move any more, and that is another fault
            folding.reset(token)

    async def take(database: Any, catalogue: Any, taken: Any, rows: Any, position: int, *work: Any) -> None:
        folded, pool = any(row.type in FOLDED for row in rows), await database.pool()
        if rows_first:
            await fold(database, catalogue, taken, rows, position, *work)
            if folded:
                reach("view.written")
        await advance(pool, [view.name for view in taken], position, rows[-1].position)
        if not rows_first:
            if folded:
                reach("view.committed")
            await fold(database, catalogue, taken, rows, position, *work)

    views.take = take


def view_rows_first() -> None:
    _two_transactions(rows_first=True)


def view_checkpoint_first() -> None:
    _two_transactions(rows_first=False)


def reaction_without_key() -> None:
    """Dies only where something was done."""
    did = list[int]()

    async def handle(self: reactions.Reactor, event: Any, row: Any) -> None:
        for do in await self.reaction.on[type(event)](event, row):
            await self.commands.handle(do.subject_id, do.command, replace(context_of(row, do.name), cause=None))
            did.append(row.position)

    reactions.Reactor.handle = handle  # type: ignore[method-assign]
    reactions.failpoints = SimpleNamespace(reach=lambda name: reach(name) if did else None)


def fired_by_the_table_alone() -> None:
    """Believes the table, which is behind, not the stream, and says it with new ids each time."""
    look, take, context = timers.Timers._look, timers.Timers._take, timers.Due.context

    async def behind(self: timers.Timers, *what: Any) -> None:
        await asyncio.sleep(0.5)
        await take(self, *what)

    async def believing(self: timers.Timers, stream: str, new: Any = ()) -> Any:
        found = await look(self, stream, new)
        if new or found.due is not None or found.version == 0:
            return found
        row = await (await self.database.pool()).fetchrow("select due_at, because from timers where stream = $1", stream)
        return replace(found, due=row["due_at"], because=row["because"]) if row else found

    timers.Timers._look, timers.Timers._take = believing, behind  # type: ignore[method-assign]
    timers.Due.context = lambda self, name: replace(context(self, name), cause=None)  # type: ignore[method-assign]


def called_before_recorded() -> None:
    async def after(self: performer.Performer, earlier: Any, order: Any, row: Any) -> None:
        result = await order.perform()
        reach("effect.attempted")
        await self._say(order, order.attempt, row, "attempt")
        await self._say(order, result, row, "result")

    performer.Performer._after = after  # type: ignore[method-assign]


def attempted_again() -> None:
    say = performer.Performer._say

    async def careless(self: performer.Performer, order: Any, command: Any, row: Any, name: str) -> bool:
        return await say(self, order, command, row, name) or name == "attempt"

    performer.Performer._say = careless  # type: ignore[method-assign]


TWINS = {f.__name__: f for f in (
    answers_before_commit, key_forgotten, relay_checkpoint_first, acknowledgement_not_awaited,
    commits_asynchronously, mark_first, known_in_memory_only, view_rows_first,
    view_checkpoint_first, reaction_without_key, fired_by_the_table_alone, called_before_recorded, attempted_again)} | (
        twins_of_links.TWINS | twins_of_restores.TWINS)
