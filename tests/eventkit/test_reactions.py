"""Reactions: each command once, what cannot be handled waits in order by its key, and everybody else goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit import reactions
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import NotYet
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App, Service
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, until
from tests.toy.accounts import Added, Note
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
NAME = "notes"


class World:
    """What the reaction depends on: `sick` amounts fail with their error until they are taken out."""

    def __init__(self) -> None:
        self.sick: dict[int, Exception] = {}
        self.handled: list[int] = []

    async def react(self, event: Added, row: Recorded) -> list[Do]:
        if event.amount in self.sick:
            raise self.sick[event.amount]
        self.handled.append(event.amount)
        return [Do("note", UUID(row.subject.rpartition(":")[2]), Note(row.event_id, event.amount))]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(reactions, "TRIES", 3)
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


async def add(app: App, community: UUID, *amounts: int) -> None:
    for amount in amounts:
        await app.log.append(append(community, data=b'{"amount":%d}' % amount))


async def noted(pool: asyncpg.Pool, community: UUID) -> list[int]:
    return [int(r[0]) for r in await pool.fetch(
        "select data->>'amount' from events where type = 'noted' and community_id = $1 order by position", community)]


async def parked(pool: asyncpg.Pool) -> list[tuple[int, str]]:
    return [tuple(r) for r in await pool.fetch("select position, reason from parked order by position")]


async def test_a_command_is_given_once_however_often_the_event_comes(toy: App, pool: asyncpg.Pool, community: UUID, world: World):
    await add(toy, community, 1, 2)
    toy.start_worker()
    await caught_up(pool, NAME)
    await toy.supervisor.stop()
    before = await everything(pool)
    await pool.execute("update checkpoints set position = 0 where name = $1", NAME)
    await pool.execute("delete from outcomes")  # as they are after seven days
    toy.start_worker()
    await caught_up(pool, NAME)
    assert world.handled == [1, 2, 1, 2]
    assert await everything(pool) == before and await noted(pool, community) == [1, 2]


async def test_two_services_that_answer_one_event_under_one_name_say_two_things(app_of: AppOf, toy_service: Service, community: UUID):
    """Else a third that hears both would take the second for a repetition of the first."""
    said, fact = [], append(community, data=b'{"amount":1}')
    for name in ("toy", "echo"):
        app = await app_of(replace(toy_service, name=name))
        await app.log.append(fact)
        app.start_worker()
        pool = await app.database.pool()
        await caught_up(pool, NAME)
        said += [row[0] for row in await pool.fetch("select event_id from events where type = 'noted'")]
    assert len(said) == len(set(said)) == 2


async def test_the_cause_is_on_what_follows(toy: App, pool: asyncpg.Pool, community: UUID):
    await add(toy, community, 1)
    toy.start_worker()
    await until(lambda: noted(pool, community))
    cause, effect = await everything(pool)
    assert effect.meta.caused_by == (cause.event_id,)


@pytest.mark.parametrize("error", [ValueError("poison"), NotYet("a fact")])
async def test_what_fails_parks_its_key_in_order_and_retry_restores_it(
    toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, error: Exception
):
    sick, well = uuid4(), uuid4()
    world.sick[1] = error
    toy.start_worker()
    await add(toy, sick, 1, 2)
    await add(toy, well, 7)
    await add(toy, sick, 3)
    await add(toy, well, 8)
    await until(lambda: _is(noted(pool, well), [7, 8]))
    await caught_up(pool, NAME)
    assert await noted(pool, sick) == []
    assert [p for p, _ in await parked(pool)] == [1, 2, 4] and (await parked(pool))[1][1] == "behind another"
    failing = await operate(App(toy_service, toy.settings), "parked", ["retry"])
    assert failing == {"retried": {f"{NAME} {sick}": 0}} and len(await parked(pool)) == 3
    world.sick.clear()
    assert await operate(App(toy_service, toy.settings), "parked", ["retry", "--key", str(sick)]) == {
        "retried": {f"{NAME} {sick}": 3}}
    assert await noted(pool, sick) == [1, 2, 3] and await parked(pool) == []
    await add(toy, sick, 4)
    await until(lambda: _is(noted(pool, sick), [1, 2, 3, 4]))


async def test_what_is_skipped_lets_the_next_pass(toy: App, toy_service: Service, pool: asyncpg.Pool, world: World, community: UUID):
    world.sick[1] = ValueError("poison")
    toy.start_worker()
    await add(toy, community, 1, 2)
    await until(lambda: _length(parked(pool), 2))
    event = str((await everything(pool))[0].event_id)
    with pytest.raises(SystemExit):
        await operate(App(toy_service, toy.settings), "parked", ["skip", "--event", event])
    await operate(App(toy_service, toy.settings), "parked", ["skip", "--event", event, "--reason", "a test", "--by", "x"])
    await operate(App(toy_service, toy.settings), "parked", ["retry"])
    assert await noted(pool, community) == [2] and await parked(pool) == []


async def test_a_fact_that_arrives_in_time_parks_nothing(toy: App, pool: asyncpg.Pool, community: UUID, world: World):
    world.sick[1] = NotYet("soon")
    real = world.react

    async def late(event: Added, row: Recorded) -> list[Do]:
        try:
            return await real(event, row)
        finally:
            world.sick.clear()

    world.react = late  # type: ignore[method-assign]
    toy.reactors[0].reaction.on[Added] = late  # type: ignore[index]
    toy.start_worker()
    await add(toy, community, 1, 2)
    await until(lambda: _is(noted(pool, community), [1, 2]))
    assert await parked(pool) == []


@pytest.mark.parametrize(
    "bad", [{"data": b'{"amount":"many"}'}, {"data": b"{}"}, {"schema": 9}], ids=["other type", "lacking", "later version"])
async def test_an_event_that_cannot_be_read_parks_and_everybody_else_goes_on(
    toy: App, pool: asyncpg.Pool, community: UUID, bad: dict[str, Any]
):
    toy.start_worker()
    await toy.log.append(append(uuid4(), **bad))
    await add(toy, community, 1)
    await until(lambda: _is(noted(pool, community), [1]))
    assert [p for p, _ in await parked(pool)] == [1]


async def test_what_comes_behind_an_event_that_cannot_be_read_waits_for_it_and_what_came_before_does_not(app_of: AppOf, world: World):
    """By the key that both have, whichever batch they come in."""
    toy = await app_of(replace(service(), reactions=lambda app: (Reaction(NAME, {Added: world.react}),)))
    pool, community, stream = await toy.database.pool(), uuid4(), f"till:{uuid4()}"

    async def said(expected: int, data: bytes) -> None:
        await toy.log.append(append(community, stream=stream, expected=expected, data=data))

    await said(0, b'{"amount":1}')
    await said(1, b'{"amount":"many"}')
    await said(2, b'{"amount":3}')
    toy.start_worker()
    await caught_up(pool, NAME)
    await said(3, b'{"amount":4}')
    await caught_up(pool, NAME)
    assert world.handled == [1]
    assert [reason for _, reason in await parked(pool)][1:] == ["behind another", "behind another"]


async def test_an_unknown_type_is_passed_over(toy: App, pool: asyncpg.Pool, community: UUID):
    toy.start_worker()
    await toy.log.append(append(community, type="never.heard_of"))
    await add(toy, community, 1)
    await until(lambda: _is(noted(pool, community), [1]))
    await caught_up(pool, NAME, "sums", "rings")
    assert await parked(pool) == []


# of different keys at once


@pytest.fixture
async def apart(app_of: AppOf, world: World) -> App:
    reaction = Reaction(NAME, {Added: world.react}, key=lambda e, row: str(row.community_id), apart=True)
    return await app_of(replace(service(), reactions=lambda app: (reaction,)))


async def test_who_waits_holds_up_nobody_of_another_key_and_is_not_passed_by_its_own(apart: App, world: World):
    """The first waits for what the last one does: were they handled one after another, it would wait for ever."""
    slow, quick, real = uuid4(), uuid4(), world.react
    done = asyncio.Event()

    async def react(event: Added, row: Recorded) -> list[Do]:
        if row.community_id == slow:
            await done.wait()
        found = await real(event, row)
        if event.amount == 9:
            done.set()
        return found

    apart.reactors[0].reaction.on[Added] = react  # type: ignore[index]
    await add(apart, slow, 1, 2)
    await add(apart, quick, 7, 8)
    await add(apart, slow, 3)
    await add(apart, quick, 9)
    apart.start_worker()
    pool = await apart.database.pool()
    await caught_up(pool, NAME)
    assert await noted(pool, slow) == [1, 2, 3] and await noted(pool, quick) == [7, 8, 9]


async def test_what_fails_among_others_at_once_parks_its_key_alone_and_what_comes_behind_it(apart: App, world: World):
    sick, well = uuid4(), [uuid4() for _ in range(9)]
    world.sick[1] = ValueError("poison")
    for amount in (1, 2, 3):
        for community in (sick, *well):
            await add(apart, community, amount + (0 if community == sick else 10))
    apart.start_worker()
    pool = await apart.database.pool()
    await caught_up(pool, NAME)
    assert [await noted(pool, c) for c in well] == [[11, 12, 13]] * 9 and await noted(pool, sick) == []
    assert [reason for _, reason in await parked(pool)] == ["ValueError", "behind another", "behind another"]


async def test_a_database_that_goes_away_in_the_middle_leaves_nothing_out_and_nothing_twice(apart: App, world: World):
    communities, real, failed = [uuid4() for _ in range(20)], world.react, set[UUID]()

    async def react(event: Added, row: Recorded) -> list[Do]:
        if event.amount == 2 and row.community_id not in failed:
            failed.add(row.community_id)
            raise Unavailable("away")
        return await real(event, row)

    apart.reactors[0].reaction.on[Added] = react  # type: ignore[index]
    for amount in (1, 2, 3):
        for community in communities:
            await add(apart, community, amount)
    apart.start_worker()
    pool = await apart.database.pool()
    await caught_up(pool, NAME)
    assert [await noted(pool, c) for c in communities] == [[1, 2, 3]] * 20 and await parked(pool) == []


async def _is(found: Awaitable[list[int]], wanted: list[int]) -> bool:
    return await found == wanted


async def _length(found: Awaitable[list[Any]], wanted: int) -> bool:
    return len(await found) == wanted
