"""Many at once, in three processes' worth of services, on one key or one thing. I2, and one winner for each version."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import json
from msgspec.structs import replace

from libs.eventkit.commands import Context, Outcome
from libs.eventkit.db import Unavailable
from libs.eventkit.log import Append, Appended, Key, Log
from libs.eventkit.service import App
from tests.faults import of_logs
from tests.faults.checker import CATALOGUE, Broken
from tests.faults.findings import Finding, settle
from tests.faults.of_logs import log_of
from tests.faults.tally import Tally
from tests.kit import until
from tests.toy.accounts import Add, Name
from tests.toy.main import TOY

AppOf = Callable[..., Awaitable[App]]
MANY = 50


@pytest.fixture
async def three(app_of: AppOf) -> list[App]:
    first = await app_of(TOY)
    return [first, await app_of(TOY, beside=first), await app_of(TOY, beside=first)]


async def ask(three: list[App], community: UUID, subjects: list[UUID], command: Any, keys: list[Key]) -> list[Any]:
    return await asyncio.gather(*(
        three[n % 3].commands.handle(subjects[n], command, Context(community_id=community, now=datetime.now(UTC)), key=keys[n])
        for n in range(MANY)), return_exceptions=True)


async def checked(three: list[App], tally: Tally, events: int) -> None:
    pool: asyncpg.Pool = await three[0].database.pool()
    async with pool.acquire() as connection:
        log = await log_of(connection, ())
    tally.rounds, tally.events = MANY, len(log.events)
    more = len(log.events) - events
    settle([
        *([Finding("I2", f"{len(log.events)} events, not {events}", max(0, -more), max(0, more))] if more else []),
        *of_logs.positions_and_versions_run(log.events), *of_logs.outcome_is_in_the_log(log)], tally)
    assert CATALOGUE.read(log.events[0])


async def same_key(three: list[App], community: UUID, tally: Tally) -> None:
    account, key = uuid4(), Key("p", "r", "k", "body")
    done = await ask(three, community, [account] * MANY, Add(1), [key] * MANY)
    await checked(three, tally, events=1)
    assert len({json.encode(d.outcome) for d in done}) == 1 and sum(not d.replayed for d in done) == 1


@pytest.mark.fault(row="parallel", invariants="I2")
async def test_one_key_fifty_times_at_once_has_one_effect_and_one_answer(three: list[App], community: UUID, tally: Tally):
    await same_key(three, community, tally)


@pytest.mark.twin(row="parallel", caught_by="I2")
async def test_twin_that_reads_then_writes_is_caught(
    three: list[App], community: UUID, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    """Looks whether the key is there, stores without it, and then writes down what came of it."""
    real = Log.append

    async def append(self: Log, append: Append) -> Appended:
        key, done = append.key, await real(self, replace(append, key=None))
        if key is not None and done.verdict == "ok":
            outcome = replace(json.decode(append.outcome, type=Outcome), position=done.position)
            await (await self.database.pool()).execute(
                "insert into outcomes values ($1, $2, $3, $4, $5, $6) on conflict do nothing", append.community_id, key.principal,
                key.route, key.key, key.body_hash, json.encode(outcome).decode())
        return done

    monkeypatch.setattr(Log, "append", append)
    with pytest.raises(Broken) as broken:
        await same_key(three, community, tally)
    assert broken.value.invariant == "I2"


@pytest.mark.fault(row="parallel", invariants="I2 I6")
async def test_of_fifty_at_once_on_one_thing_each_version_has_one_winner(three: list[App], community: UUID, tally: Tally):
    """Who loses too often is told to come again, and comes with the same key."""
    account, keys = uuid4(), [Key("p", "r", str(n)) for n in range(MANY)]

    async def answered() -> list[Any]:
        done = await ask(three, community, [account] * MANY, Add(1), keys)
        return [] if any(isinstance(d, Unavailable) for d in done) else done

    done = await until(answered)
    await checked(three, tally, events=MANY)
    assert sorted(d.outcome.version for d in done) == list(range(1, MANY + 1))


@pytest.mark.fault(row="parallel", invariants="I2")
async def test_of_fifty_that_want_one_name_one_gets_it_and_the_others_hear_the_same_for_ever(
    three: list[App], community: UUID, tally: Tally
):
    """Also when the name is free again: who was refused by a key is refused by it."""
    accounts, keys = [uuid4() for _ in range(MANY)], [Key("p", "r", str(n)) for n in range(MANY)]
    first = await ask(three, community, accounts, Name("tang"), keys)
    await checked(three, tally, events=1)
    winner = next(n for n, d in enumerate(first) if not isinstance(d, Exception))
    context = Context(community_id=community, now=datetime.now(UTC))
    await three[0].commands.handle(accounts[winner], Name("song"), context)
    again = await ask(three, community, accounts, Name("tang"), keys)
    assert [str(d) if isinstance(d, Exception) else d.outcome.events for d in again] == [
        str(d) if isinstance(d, Exception) else d.outcome.events for d in first]
