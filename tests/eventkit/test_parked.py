"""Parked keys: shown in order with what the first would lead to, retried beside the live reaction, skipped with a reason that stays."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import json
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit import reactions
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App, Service
from libs.eventkit.status import status
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, until
from tests.toy.accounts import Added, Note
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
NAME = "notes"


class World:
    """`sick` amounts fail; whoever handles `slow` waits until it is let go."""

    def __init__(self) -> None:
        self.sick, self.slow = set[int](), 0
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def react(self, event: Added, row: Recorded) -> list[Do]:
        if event.amount in self.sick:
            raise ValueError("13812345678 is a number that must stand nowhere")
        if event.amount == self.slow:
            self.reached.set()
            await self.let_go.wait()
        return [Do("note", UUID(row.subject.rpartition(":")[2]), Note(row.event_id, event.amount))]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(reactions, "TRIES", 2)
    return World()


@pytest.fixture
def toy_service(world: World) -> Service:
    return replace(
        service(), reactions=lambda app: (Reaction(NAME, {Added: world.react}, key=lambda e, row: str(row.community_id)),))


@pytest.fixture
async def toy(app_of: AppOf, toy_service: Service) -> App:
    return await app_of(toy_service)


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


async def add(app: App, community: UUID, *amounts: int) -> list[UUID]:
    found = []
    for amount in amounts:
        command = append(community, data=b'{"amount":%d}' % amount)
        await app.log.append(command)
        found.append(command.events[0].event_id)
    return found


async def noted(pool: asyncpg.Pool, community: UUID) -> list[int]:
    return [int(r[0]) for r in await pool.fetch(
        "select data->>'amount' from events where type = 'noted' and community_id = $1 order by position", community)]


async def waiting(pool: asyncpg.Pool) -> list[tuple[int, str]]:
    return [tuple(r) for r in await pool.fetch("select position, reason from parked order by position")]


async def test_a_key_is_shown_with_its_events_in_order_and_what_the_first_would_lead_to(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID
):
    world.sick = {1}
    toy.start_worker()
    events = await add(toy, community, 1, 2)
    await add(toy, uuid4(), 3)
    events += await add(toy, community, 4)
    await caught_up(pool, NAME)
    found = await operate(App(toy_service, toy.settings), "parked", ["show", "--key", str(community)])
    one = found["waiting"][0]
    assert [str(e["event_id"]) for e in one["events"]] == [str(e) for e in events]
    assert (one["subscription"], one["reason"], one["behind"], one["would_do"]) == (NAME, "ValueError", 2, {"error": "ValueError"})
    assert [e["reason"] for e in one["events"]] == ["ValueError", "behind another", "behind another"]
    assert one["subject"].startswith("account:") and one["since"] == one["events"][0]["since"]
    world.sick.clear()
    found = await operate(App(toy_service, toy.settings), "parked", ["show", "--key", str(community), "--subscription", NAME])
    do = found["waiting"][0]["would_do"]["commands"][0]
    assert (do["name"], do["command"]) == ("note", "Note") and await noted(pool, community) == [], "shown, not done"
    assert (await operate(App(toy_service, toy.settings), "parked", ["show", "--key", str(uuid4())]))["waiting"] == []
    listed = (await operate(App(toy_service, toy.settings), "parked", ["list"]))["parked"]
    assert [(r["key"], r["events"], r["behind"], r["first"]) for r in listed] == [(str(community), 3, 2, events[0])]
    assert (await status(toy))["parked"] == 3
    assert b"13812345678" not in json.encode([found, listed, [list(r) for r in await pool.fetch("select reason from parked")]])


async def test_a_skip_is_an_event_that_says_who_and_why_and_holds_when_the_event_comes_again(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID
):
    world.sick = {1}
    toy.start_worker()
    bad, _ = await add(toy, community, 1, 2)
    await until(lambda: pool.fetchval("select count(*) = 2 from parked"))
    words = ["skip", "--event", str(bad), "--reason", "typed twice", "--by", "operator:li"]
    found = await operate(App(toy_service, toy.settings), "parked", words)
    assert (found["skipped"], found["behind"]) == (1, 1)
    said = [row for row in await everything(pool) if row.type == "event_skipped"]
    assert [(r.stream, r.community_id, r.meta.caused_by, r.meta.principal) for r in said] == [
        (f"skipped.{NAME}:{bad}", community, (bad,), "operator:li")]
    assert json.decode(said[0].data) == {
        "type": "event_skipped", "subscription": NAME, "event_id": str(bad), "reason": "typed twice", "by": "operator:li"}
    assert [p for p, _ in await waiting(pool)] == [2], "what is behind it waits until it is tried again"
    await operate(App(toy_service, toy.settings), "parked", ["retry"])
    assert await noted(pool, community) == [2] and await waiting(pool) == []
    await toy.supervisor.stop()
    await pool.execute("update checkpoints set position = 0 where name = $1", NAME)
    toy.start_worker()
    await caught_up(pool, NAME)
    assert await waiting(pool) == [] and await noted(pool, community) == [2], "it is not parked a second time"
    with pytest.raises(SystemExit):
        await operate(App(toy_service, toy.settings), "parked", words)


async def test_of_two_reactions_that_cannot_handle_an_event_the_named_one_skips_it(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID
):
    world.sick = {1}
    toy.start_worker()
    (bad,) = await add(toy, community, 1)
    await until(lambda: pool.fetchval("select true from parked"))
    await pool.execute("insert into parked select 'another', key, position, event_id, community_id, reason, since from parked")
    words = ["skip", "--event", str(bad), "--reason", "x", "--by", "operator:li"]
    for more in ((), ("--subscription", "nobody"), ("--subscription", "another", "--key", str(community))):
        with pytest.raises(SystemExit):
            await operate(App(toy_service, toy.settings), "parked", [*words, *more])
    assert (await operate(App(toy_service, toy.settings), "parked", [*words, "--subscription", "another"]))["skipped"] == 1
    assert [r[0] for r in await pool.fetch("select subscription from parked")] == [NAME]
    assert (await operate(App(toy_service, toy.settings), "parked", ["retry", "--subscription", "another"]))["retried"] == {}


async def test_a_skip_that_a_crash_cut_short_is_finished_by_the_next(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID
):
    """The event is in the log, the row still there."""
    world.sick = {1}
    toy.start_worker()
    (bad,) = await add(toy, community, 1)
    await until(lambda: pool.fetchval("select true from parked"))
    row = await pool.fetchrow("select * from parked")
    words = ["skip", "--event", str(bad), "--reason", "x", "--by", "operator:li"]
    await operate(App(toy_service, toy.settings), "parked", words)
    await pool.execute("insert into parked values ($1, $2, $3, $4, $5, $6, $7)", *row.values())
    await operate(App(toy_service, toy.settings), "parked", words)
    assert await waiting(pool) == []
    assert await pool.fetchval("select count(*) from events where type = 'event_skipped'") == 1


async def test_what_waits_still_waits_after_a_restart_with_what_comes_then_and_another_key_does_not(
    toy: App, toy_service: Service, app_of: AppOf, pool: asyncpg.Pool, world: World, community: UUID
):
    world.sick = {1}
    toy.start_worker()
    await add(toy, community, 1)
    await caught_up(pool, NAME)
    await toy.supervisor.stop()
    again, other = await app_of(toy_service, beside=toy), uuid4()
    await add(again, community, 2)
    again.start_worker()
    await add(again, other, 7)
    await add(again, community, 3)
    await caught_up(pool, NAME)
    assert await noted(pool, other) == [7] and await noted(pool, community) == []
    assert [reason for _, reason in await waiting(pool)] == ["ValueError", "behind another", "behind another"]
    world.sick.clear()
    await operate(App(toy_service, toy.settings), "parked", ["retry", "--key", str(community)])
    assert await noted(pool, community) == [1, 2, 3] and await waiting(pool) == []


async def test_what_comes_while_the_last_one_is_tried_again_is_not_left_behind_nobody(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The live reaction has seen a key that waits, and before it parks the next event of that key behind it, the first one has gone."""
    world.sick = {1}
    toy.start_worker()
    await add(toy, community, 1)
    await until(lambda: pool.fetchval("select true from parked"))
    world.sick.clear()
    real, seen, go_on = asyncpg.Pool.fetchval, asyncio.Event(), asyncio.Event()

    async def slowly(self: asyncpg.Pool, query: str, *values: object, **more: object) -> object:
        if query.startswith("select park(") and "behind another" in values:
            seen.set()
            await go_on.wait()
        return await real(self, query, *values, **more)

    monkeypatch.setattr(asyncpg.Pool, "fetchval", slowly)
    await add(toy, community, 2)
    await asyncio.wait_for(seen.wait(), 10)
    assert (await operate(App(toy_service, toy.settings), "parked", ["retry"]))["retried"] == {f"{NAME} {community}": 1}
    go_on.set()
    await caught_up(pool, NAME)
    assert await noted(pool, community) == [1, 2] and await waiting(pool) == []


async def test_what_comes_while_one_is_being_tried_again_waits_behind_it_and_passes_nobody(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID
):
    world.sick = {1}
    toy.start_worker()
    await add(toy, community, 1)
    await until(lambda: pool.fetchval("select true from parked"))
    world.sick.clear()
    world.slow = 1
    retrying = asyncio.create_task(operate(App(toy_service, toy.settings), "parked", ["retry"]))
    await asyncio.wait_for(world.reached.wait(), 10)
    await add(toy, community, 2)
    await until(lambda: pool.fetchval("select count(*) = 2 from parked"))
    assert await noted(pool, community) == []
    world.let_go.set()
    assert (await retrying)["retried"] == {f"{NAME} {community}": 2}
    assert await noted(pool, community) == [1, 2] and await waiting(pool) == []
