"""One look at everything after any fault, once it is quiet: every invariant that the toy can carry, whatever was done to it.

I1 what was acknowledged is in the log. I2 each command counted once, its key gets the same answer again, outcomes and claims are those
of the log. I3 topic and published log are the same, positions run 1…n, nothing waits. I4 everything heard, reacted to and carried
out once; a device is told at most once; what is due is done once and not before. I5 views are the fold of their log, byte for byte.
I6 order per stream and community. I7 no order is late. I11 nothing is told to another community than its own. I12 nobody is parked,
damaged or kept aside. I14 alive all the while. (I9 by `heard_soon` where a test is about time; I8, I10 and I13 by tests of their own.)
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from libs.eventkit.envelope import Heard
from libs.eventkit.recorded import Number
from tests.eventkit.topics import Topic
from tests.faults import of_logs, of_toy
from tests.faults.findings import Broken, Finding, settle
from tests.faults.load import Asked, Load
from tests.faults.of_logs import Log, log_of
from tests.faults.tally import Tally
from tests.kit import until
from tests.toy.main import ECHO, TOY
from tests.toy.process import Toy
from tests.toy.public import publish
from tests.toy.sums import VIEW

CATALOGUE = ECHO.catalogue()
AT_THE_END = """select bool_and(position = (select coalesce(max(position), 0) from events)) from checkpoints"""
PUBLISHED = "select community_id, generation, position, n from published"
HEARD = "select community_id, generation, position, n from marks"
"""A community that waits behind a gap hears nothing more: that too is an end."""
GAPS = "select community_id from gaps"


class Facts(Struct, frozen=True):
    """`topic`: with the partition of each record; `livez`: what it answered whenever something else did not."""

    log: Log
    echo: Log
    topic: list[tuple[int, Heard]]
    topic_name: str
    rung: list[tuple[str, str, float]]
    answered: dict[Asked, dict[str, Any]]
    again: dict[Asked, dict[str, Any]]
    livez: list[int]


async def quiet(pool: asyncpg.Pool, echo: asyncpg.Pool, timeout: float = 20.0) -> None:
    """Every reader has seen the log's end, and what was published has been heard or is known to be missing."""

    async def still() -> bool:
        try:
            if not await pool.fetchval(AT_THE_END) or await pool.fetchval("select true from timers limit 1"):
                return False
            waiting = {r[0] for r in await echo.fetch(GAPS)}
            said, heard = {tuple(r) for r in await pool.fetch(PUBLISHED)}, {tuple(r) for r in await echo.fetch(HEARD)}
            if {r for r in said ^ heard if r[0] not in waiting}:
                return False
            return bool(await echo.fetchval(AT_THE_END)) and bool(await pool.fetchval(AT_THE_END))
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            return False

    try:
        await until(still, timeout)
    except AssertionError as error:
        query = "select name, position, (select max(position) from events) as last from checkpoints"
        stuck = [tuple(r) for p in (pool, echo) for r in await p.fetch(query)]
        raise Broken(Finding("stuck", stuck, stuck=len([s for s in stuck if s[1] != s[2]]))) from error


async def gather(pool: asyncpg.Pool, echo: asyncpg.Pool, topic: Topic, toy: Toy, load: Load) -> Facts:
    await quiet(pool, echo)
    again = await load.ask_all_again()
    await quiet(pool, echo)
    async with pool.acquire() as ours, echo.acquire() as theirs:
        log, heard = await log_of(ours, [VIEW]), await log_of(theirs, [VIEW])
    return Facts(log, heard, await topic.lying(), topic.name, toy.rung(), load.answered, again, load.livez)


def findings(facts: Facts) -> Iterator[Finding]:
    said = of_logs.published(facts.log.events, CATALOGUE, publish)
    topic = [heard for _, heard in facts.topic]
    yield from of_toy.acknowledged_is_there(facts.log.events, facts.answered)
    yield from of_toy.every_answer_is_the_first_one(facts.answered, facts.again)
    for log in (facts.log, facts.echo):
        yield from of_logs.positions_and_versions_run(log.events)
    yield from of_logs.topic_is_the_published_log(said, topic)
    for log in (facts.log, facts.echo):
        yield from of_logs.nothing_waits(log)
    yield from of_logs.heard_up_to_the_mark(facts.echo, TOY.name, facts.topic_name, said)
    yield from _marks_are_what_was_told(facts)
    yield from of_toy.heard_and_noted_once(facts.echo.events)
    yield from of_toy.device_told_at_most_once_and_in_time(facts.log.events, facts.rung)
    yield from of_toy.eggs_boiled_once_and_not_before_time(facts.log.events)
    for log in (facts.log, facts.echo):
        yield from of_logs.view_is_the_fold(log, CATALOGUE, VIEW)
        yield from of_logs.outcome_is_in_the_log(log)
    yield from of_toy.claims_are_the_fold(facts.log)
    yield from of_logs.message_is_of_its_community(facts.log.events, facts.topic)
    yield from of_toy.alive_all_the_while(facts.livez)


def _marks_are_what_was_told(facts: Facts) -> Iterator[Finding]:
    highest: dict[UUID, Number] = {}
    for _, h in facts.topic:
        highest[h.community_id] = max(h.number, highest.get(h.community_id, Number()))
    marks = {community: number for (_, community), number in facts.echo.marks.items()}
    for what, numbers in (("relay", facts.log.numbers), ("listener", marks)):
        if numbers != highest:
            yield Finding("I3", f"the {what} says {numbers}, the topic holds {highest}")


def check(facts: Facts, tally: Tally) -> None:
    """Raises Broken for the first invariant that does not hold, and counts them all."""
    tally.events += len(facts.log.events) + len(facts.echo.events)
    settle(findings(facts), tally)


__all__ = ["Broken", "Facts", "check", "gather", "quiet"]
