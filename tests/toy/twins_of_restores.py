"""Broken twins of what comes after a restore, of listeners that change places, and of poison."""

import asyncio
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from msgspec.structs import replace

from libs.eventkit import hear, reactions, relay
from libs.eventkit.decider import NotYet
from libs.eventkit.tail import set_within


def does_not_look() -> None:
    """A relay that takes its own database for the truth, whatever the topic says."""

    async def look(self: relay.Relay) -> None:
        pass

    relay.Relay._look = look  # type: ignore[method-assign]


def group_without_generation() -> None:
    """A listener whose place in the topics outlives its log. It tells Kafka at once how far it is."""
    real, hear.HINT = hear.AIOKafkaConsumer, 0.0

    def consumer(*topics: str, group_id: str, **options: Any) -> Any:
        return real(*topics, group_id=group_id.rpartition(".")[0], **options)

    hear.AIOKafkaConsumer = consumer


def _salted(by: Callable[[], str]) -> None:
    """An id that is another for each listener: the log's own look at ids does not help."""
    columns = hear._columns
    hear._columns = lambda records, sources: columns(
        [(t, replace(h, event_id=uuid5(h.event_id, by()))) for t, h in records], sources)


def known_to_the_process() -> None:
    """What was heard is remembered by the listener, and forgotten when it ends."""
    take, seen = hear.Hearing._take, dict[hear.Hearing, set[UUID]]()
    salt = ""

    async def taking(self: hear.Hearing, records: Any) -> None:
        nonlocal salt
        mine = seen.setdefault(self, set())
        new = [r for r in records if hear.read(r.headers, r.value).event_id not in mine]
        mine |= {hear.read(r.headers, r.value).event_id for r in new}
        await (await self.database.pool()).execute("delete from marks")
        salt = f"{self.settings.member} {id(self)}"
        await take(self, [_first(r) for r in new])

    hear.Hearing._take = taking  # type: ignore[method-assign]
    _salted(lambda: salt)


def mark_read_outside() -> None:
    """Looks at the marks, and some time later, in another transaction, takes what was not known then."""
    take = hear.Hearing._take

    async def taking(self: hear.Hearing, records: Any) -> None:
        pool = await self.database.pool()
        marks = {(r[0], r[1]): tuple(r)[2:] for r in await pool.fetch("select topic, community_id, generation, position, n from marks")}
        new = [r for r in records if _number(r) > marks.get((r.topic, hear.read(r.headers, r.value).community_id), (0, 0, 0))]
        await set_within(asyncio.Event(), 2.0 if new else 0.0)
        communities = [hear.read(r.headers, r.value).community_id for r in new]
        await pool.execute("delete from marks where community_id = any($1)", communities)
        if new:
            await take(self, [_first(r) for r in new])

    hear.Hearing._take = taking  # type: ignore[method-assign]
    _salted(lambda: str(os.getpid()))


def _number(record: Any) -> tuple[int, int, int]:
    number = hear.read(record.headers, record.value).number
    return number.generation, number.position, number.n


def _first(record: Any) -> Any:
    """As if nothing had come before it."""
    return type("R", (), {"topic": record.topic, "headers": [
        (k, b"0.0.0" if k == "ce_lifangprevious" else v) for k, v in record.headers], "value": record.value})


def tries_for_ever() -> None:
    reactions.TRIES = 1_000_000
    handle = reactions.Reactor.handle

    async def handling(self: reactions.Reactor, event: Any, row: Any) -> None:
        try:
            await handle(self, event, row)
        except ValueError as error:
            raise NotYet(str(error)) from error

    reactions.Reactor.handle = handling  # type: ignore[method-assign]


def drops_what_fails() -> None:
    tried = reactions.Reactor.tried

    async def dropping(self: reactions.Reactor, event: Any, row: Any) -> str:
        await tried(self, event, row)
        return ""

    reactions.Reactor.tried = dropping  # type: ignore[method-assign]


TWINS = {f.__name__: f for f in (
    does_not_look, group_without_generation, known_to_the_process, mark_read_outside, tries_for_ever, drops_what_fails)}
