"""`lifang restored`: all that the topic has and the log lost; every reader where the log has been; a generation that nobody has had."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit.service import App
from tests.eventkit.topics import Topic, chain, said, topic_of
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, folded, held, until
from tests.toy.main import ECHO, service
from tests.toy.sums import VIEW

AppOf = Callable[..., Awaitable[App]]
TOY = replace(service(), readers=lambda app: ())
LISTENER = replace(ECHO, reactions=lambda app: ())


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(TOY)


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


@pytest.fixture
async def topic(toy: App) -> AsyncIterator[Topic]:
    async with topic_of(toy.settings) as found:
        yield found


async def owner(app: App, *statements: str) -> None:
    connection = await asyncpg.connect(app.settings.database_url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def add(app: App, community: UUID, times: int = 1) -> None:
    for _ in range(times):
        await app.log.append(append(community))


async def test_all_that_was_lost_is_listed_from_the_first_to_the_last_and_no_more_named_than_asked_for(
    toy: App, pool: asyncpg.Pool, topic: Topic, community: UUID
):
    other = uuid4()
    toy.start_relay()
    await add(toy, community, 3)
    await add(toy, other)
    await caught_up(pool, "relay")
    await toy.supervisor.stop()
    await topic.put(*(said(community, p, p - 1) for p in range(5, 31)), *chain(other, [31, 32]))
    found = await operate(App(TOY, toy.settings), "restored", ["--most", "5"])
    assert [line.split()[0] for line in found["beyond"]] == ["1.5.0", "1.6.0", "1.7.0", "1.8.0", "1.9.0"]
    assert (found["lost"], found["lost_from"], found["by_type"], found["generation"]) == (28, 5, {"toy.added": 28}, 2)


async def test_what_the_log_has_is_not_listed_though_it_was_said_after_the_backup(
    toy: App, pool: asyncpg.Pool, topic: Topic, community: UUID
):
    """The backup was made between the append and the relay's checkpoint."""
    toy.start_relay()
    await add(toy, community, 3)
    await caught_up(pool, "relay")
    await toy.supervisor.stop()
    await pool.execute("update checkpoints set position = 1 where name = 'relay'")
    found = await operate(App(TOY, toy.settings), "restored", [])
    assert (found["beyond"], found["lost"]) == ([], 0)
    assert [row.generation for row in await everything(pool)] == [1, 2, 2]


async def test_an_earlier_generations_loss_is_not_listed_again(toy: App, pool: asyncpg.Pool, topic: Topic, community: UUID):
    await topic.put(*chain(community, [1, 2]))
    assert (await operate(App(TOY, toy.settings), "restored", []))["lost"] == 2
    assert (await operate(App(TOY, toy.settings), "restored", []))["lost"] == 0


async def test_who_stands_beyond_the_end_is_set_back_and_views_are_folded_anew(
    toy: App, pool: asyncpg.Pool, community: UUID, topic: Topic
):
    toy.start_worker()
    await add(toy, community, 5)
    await caught_up(pool, "sums", "eggs")
    await toy.supervisor.stop()
    await owner(
        toy, "delete from events where position > 3",
        "insert into outcomes values (gen_random_uuid(), '', '', 'a', '', '{\"position\": 4}'), (gen_random_uuid(), '', '', 'b', '',"
        " '{\"position\": 3}')",
        "insert into timers values ('eggs', 'egg:1', gen_random_uuid(), 9, now() - interval '1 hour', gen_random_uuid())",
        "insert into parked select 'x', 'x', n, gen_random_uuid(), gen_random_uuid(), 'x', now() from generate_series(3, 4) n")
    found = (await operate(App(TOY, toy.settings), "restored", []))["settled"]
    assert (found["views"], found["timers"], found["outcomes"], found["parked"]) == (1, 1, 1, 1)
    assert {r["name"]: r["position"] for r in await pool.fetch("select name, position from checkpoints")} == {
        "relay": 0, "sums": 0, "eggs": 0}
    assert await pool.fetchval("select count(*) from timers") == 0
    again = App(TOY, toy.settings)
    await again.open()
    again.start_worker()
    await caught_up(pool, "sums")
    assert await held(pool, VIEW) == folded(VIEW, TOY.catalogue(), await everything(pool))
    await again.close()


async def test_a_mark_beyond_the_end_goes_back_to_what_the_log_has_heard(app_of: AppOf, community: UUID):
    echo, other = await app_of(LISTENER), uuid4()
    pool = await echo.database.pool()
    async with topic_of(echo.settings) as topic:
        echo.start_worker()
        await topic.put(*chain(community, [1, 2, 3]), *chain(other, [4]))
        await until(lambda: pool.fetchval("select count(*) = 4 from events"))
        await echo.supervisor.stop()
        await owner(echo, "delete from events where position > 2", "insert into gaps values ('x', gen_random_uuid(), 1, 1, 1)")
        found = await operate(App(LISTENER, echo.settings), "restored", [])
        rows = await everything(pool)
        heard: dict[UUID, int] = {r.community_id: r.number.position for r in rows if r.number}
        assert {r[0]: r[1] for r in await pool.fetch("select community_id, position from marks")} == heard
        assert found["settled"]["marks"] >= 1 and await pool.fetchval("select count(*) from gaps") == 0
        again = await app_of(LISTENER, beside=echo)
        again.start_worker()
        await until(lambda: pool.fetchval("select count(*) = 4 from events"))


async def test_the_same_backup_of_a_listener_restored_twice_reads_everything_twice(app_of: AppOf, community: UUID):
    """Its database alone would give it the same group a second time, which goes on where the first one was."""
    echo = await app_of(LISTENER)
    pool = await echo.database.pool()
    async with topic_of(echo.settings) as topic:
        await topic.put(*chain(community, [1, 2, 3]))
        for generation in (2, 3):
            await owner(echo, "delete from events; delete from marks; update log_state set generation = 1",
                        "update checkpoints set position = 0")
            assert (await operate(App(LISTENER, echo.settings), "restored", []))["generation"] == generation
            again = await app_of(LISTENER, beside=echo)
            again.start_worker()
            await until(lambda: pool.fetchval("select count(*) = 3 from events"))
            await asyncio.wait_for(again.hearing._consumer.commit(), 5)  # type: ignore[union-attr]
            await again.supervisor.stop()


async def test_where_the_topic_is_empty_it_is_what_listeners_remember_that_counts(toy: App, topic: Topic):
    assert (await operate(App(TOY, toy.settings), "restored", ["--heard", "7"]))["generation"] == 8


async def test_a_log_that_was_put_back_says_nothing_until_it_was_told_even_where_the_topic_has_nothing_else(
    toy: App, pool: asyncpg.Pool, topic: Topic, community: UUID
):
    await pool.execute("insert into restores (backup) values ('{}')")
    await add(toy, community)
    toy.start_relay()
    assert toy.relay is not None
    relay = toy.relay
    assert "restored" in await until(lambda: relay.asks_for)
    assert await topic.records() == []
    found = await operate(App(TOY, toy.settings), "restored", [])
    assert found["generation"] == 2 and [h.number.generation for h in await topic.holds(1)] == [2]
    assert await pool.fetchval("select (finding ->> 'generation')::int from restores") == 2


async def test_nothing_is_told_again_while_it_is_not_known_what_a_log_that_was_put_back_lacks(toy: App, pool: asyncpg.Pool, topic: Topic):
    """`restored` would have every event of the log to number anew."""
    await pool.execute("insert into restores (backup) values ('{}')")
    with pytest.raises(SystemExit, match="toy was put back from a backup"):
        await operate(App(TOY, toy.settings), "republish", [])


async def test_cut_short_after_its_generation_began_it_says_what_was_lost_when_it_is_typed_again(
    toy: App, pool: asyncpg.Pool, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """By the new generation nothing is lost; and what was is what people have to do again."""
    await topic.put(*chain(community, [1, 2, 3]))

    async def broken(app: App) -> int:
        raise ConnectionError("Kafka is away")

    with monkeypatch.context() as patch:
        patch.setattr("cli.operate.say_what_is_missing", broken)
        with pytest.raises(ConnectionError):
            await operate(App(TOY, toy.settings), "restored", [])
    found = await operate(App(TOY, toy.settings), "restored", [])
    assert (found["generation"], found["lost"], len(found["beyond"])) == (2, 3, 3)
    after = await operate(App(TOY, toy.settings), "restored", [])
    assert (after["generation"], after["lost"]) == (3, 0), "a further one is one of its own"
    kept = await pool.fetch("select finding -> 'lost' as lost, finding -> 'said' as said from restores order by n")
    assert [tuple(row) for row in kept] == [("3", "true"), ("0", "true")]
