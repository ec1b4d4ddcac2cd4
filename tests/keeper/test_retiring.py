"""Retention: content goes by class and age, everything else holds: views, chains, positions, seals."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from cli.events import translated
from cli.keeper.retiring import DAILY, OLD_OUTCOMES, age_of, retire
from cli.mending import retire_now
from libs.eventkit import relay, views
from libs.eventkit.commands import Context
from libs.eventkit.log import Key
from libs.eventkit.recorded import Number, Retention, Retired
from libs.eventkit.service import App
from services.identity.domain.sessions import EndSession, StartSession
from services.identity.main import SERVICE as IDENTITY
from services.identity.retention import RETENTION
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, folded, held, until
from tests.toy import accounts
from tests.toy.main import service
from tests.toy.public import ToyAdded, publish
from tests.toy.sums import VIEW

AppOf = Callable[..., Awaitable[App]]
ACCOUNTS = Retention("accounts", 30, own=("account",))


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(replace(service(), retention=(ACCOUNTS,)))


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


async def age(app: App, upto: int, days: int = 40) -> None:
    """These rows are so much older; then all of the log is sealed."""
    owner = await asyncpg.connect(app.settings.database_url)
    await owner.execute("update events set recorded_at = recorded_at - make_interval(days => $2) where position <= $1", upto, days)
    await owner.execute("select seal_log()")
    await owner.close()


async def passed(app: App) -> None:
    """Every reader has seen the whole log."""
    await (await app.database.pool()).execute("update checkpoints set position = (select coalesce(max(position), 0) from events)"
                                              " where name = any($1)", list(app.checkpoints()))


async def add(app: App, account: UUID, community: UUID, times: int = 1) -> None:
    for _ in range(times):
        await app.commands.handle(account, accounts.Add(5), Context(community_id=community, now=datetime.now(UTC)))


async def retired_by(app: App, *classes: Retention, dry: bool = False) -> dict[str, int]:
    return await retire(app.database, classes or (ACCOUNTS,), list(app.checkpoints()), datetime.now(UTC), dry)


async def test_a_whole_stream_goes_when_its_last_event_is_old_and_not_before(toy: App, pool: asyncpg.Pool, community: UUID):
    old, young = uuid4(), uuid4()
    await add(toy, old, community, 2)
    await add(toy, young, community)
    await age(toy, 3)
    await add(toy, young, community)
    await passed(toy)
    before = await everything(pool)
    assert await retired_by(toy, dry=True) == {"accounts": 2} and await everything(pool) == before
    assert await retired_by(toy) == {"accounts": 2}
    *rows, said = await everything(pool)
    assert [row.meta.retired for row in rows] == [said.event_id, said.event_id, None, None]
    assert [(r.position, r.event_id, r.type, r.stream, r.version) for r in rows] == [
        (r.position, r.event_id, r.type, r.stream, r.version) for r in before]
    assert [row.data for row in rows[:2]] == ["{}", "{}"] and toy.catalogue.read(rows[0]) is None
    event = toy.catalogue.read(said)
    assert isinstance(event, Retired)
    assert (event.name, event.types, event.first, event.upto, event.count) == ("accounts", ("added",), 1, 2, 2)
    assert said.community_id == community and said.stream == f"retention:{community}"


async def test_a_second_run_says_nothing_and_what_has_aged_since_goes_then(toy: App, pool: asyncpg.Pool, community: UUID):
    await add(toy, uuid4(), community)
    await age(toy, 1)
    await passed(toy)
    assert await retired_by(toy) == {"accounts": 1}
    before = await everything(pool)
    assert await retired_by(toy) == {"accounts": 0} and await everything(pool) == before
    await add(toy, uuid4(), community)
    await age(toy, 3)
    await passed(toy)
    assert await retired_by(toy) == {"accounts": 1}
    assert [row.version for row in await everything(pool) if row.type == "retired"] == [1, 2]


async def test_only_what_has_ended_goes_where_the_class_says_what_ends_it(toy: App, community: UUID):
    one, other = uuid4(), uuid4()
    await add(toy, one, community)
    await add(toy, other, community)
    await toy.commands.handle(other, accounts.Name("x"), Context(community_id=community, now=datetime.now(UTC)))
    await age(toy, 3)
    await passed(toy)
    named = replace(ACCOUNTS, name="named", ends=(accounts.Named,))
    assert await retired_by(toy, named) == {"named": 2}


async def test_a_session_goes_ninety_days_after_it_was_over_whether_anybody_ended_it_or_not(app_of: AppOf, community: UUID):
    app, ended, idle, now = await app_of(IDENTITY), uuid4(), uuid4(), datetime.now(UTC)
    asked = Context(community_id=community, now=now)
    for session in (ended, idle):
        await app.commands.handle(session, StartSession(session, uuid4(), uuid4(), "resident", now), asked)
    await app.commands.handle(ended, EndSession(), asked)
    left = []
    for days in (89, 2, 28, 2):
        await age(app, 3, days)
        await passed(app)
        await retired_by(app, *RETENTION)
        rows = await everything(await app.database.pool())
        left.append({UUID(r.stream.split(":")[1]) for r in rows if r.stream and r.type != "retired" and r.meta.retired is None})
    assert left == [{ended, idle}, {idle}, {idle}, set()], "after 89, 91, 119 and 121 days"


async def test_nothing_goes_that_a_reader_may_still_need_that_is_parked_or_not_sealed(toy: App, pool: asyncpg.Pool, community: UUID):
    await add(toy, uuid4(), community)
    await add(toy, uuid4(), community)
    await age(toy, 2)
    assert await retired_by(toy) == {"accounts": 0}  # nobody has read it
    await passed(toy)
    await pool.execute("insert into parked (subscription, key, position, event_id, community_id, reason) select 'x', 'x', position,"
                       " event_id, community_id, 'x' from events where position = 2")
    assert await retired_by(toy) == {"accounts": 1}
    await pool.execute("delete from parked")
    assert await retired_by(toy) == {"accounts": 1}
    await add(toy, uuid4(), community)
    owner = await asyncpg.connect(toy.settings.database_url)
    await owner.execute("update events set recorded_at = recorded_at - interval '40 days' where type = 'added'")
    await owner.close()
    await passed(toy)
    assert await retired_by(toy) == {"accounts": 0}  # not sealed


async def test_heard_rows_go_one_by_one_by_type_and_age(toy: App, pool: asyncpg.Pool, community: UUID):
    for n in range(1, 4):
        await pool.execute(
            "insert into events (position, generation, community_id, event_id, type, schema, data, meta, source, source_generation,"
            " source_position, source_n) values ($1, 1, $2, gen_random_uuid(), $3, 1, '{\"x\":1}', '{\"subject\":\"a\"}', 'toy', 1, $1, 0)",
            n, community, "toy.added" if n < 3 else "toy.other")
    await age(toy, 3)
    await passed(toy)
    assert await retired_by(toy, Retention("heard", 30, heard=(ToyAdded,))) == {"heard": 2}
    rows = await everything(pool)
    assert [row.meta.retired is not None for row in rows] == [True, True, False, False]
    assert [row.number for row in rows[:2]] == [Number(1, 1, 0), Number(1, 2, 0)]


async def test_every_community_is_told_of_its_own(toy: App, pool: asyncpg.Pool):
    mine, theirs = uuid4(), uuid4()
    await add(toy, uuid4(), mine)
    await add(toy, uuid4(), theirs)
    await age(toy, 2)
    await passed(toy)
    await retired_by(toy)
    rows = await everything(pool)
    said = {row.event_id: row.community_id for row in rows if row.type == "retired"}
    assert set(said.values()) == {mine, theirs}
    assert all(said[row.meta.retired] == row.community_id for row in rows if row.meta.retired)


async def test_views_stay_the_fold_of_the_log(toy: App, pool: asyncpg.Pool, community: UUID):
    """I5. A stream that stays, one that goes, another community's."""
    other, young = uuid4(), uuid4()
    toy.start_worker()
    await add(toy, uuid4(), community, 3)
    await add(toy, young, community)
    await caught_up(pool, VIEW.name)
    await age(toy, 4)
    await add(toy, young, community)
    await add(toy, uuid4(), other)
    await pool.execute("update checkpoints set position = (select max(position) from events) where name = 'relay'")
    names = list(toy.checkpoints())
    await caught_up(pool, *names)
    assert len((await held(pool, VIEW))[community]) == 2
    assert await retired_by(toy) == {"accounts": 3}
    await caught_up(pool, VIEW.name)
    now = await held(pool, VIEW)
    assert now == folded(VIEW, toy.catalogue, await everything(pool)), "I5"
    assert len(now[community]) == 1 and len(now[other]) == 1


async def test_broken_twin_a_view_that_does_not_forget(toy: App, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(views, "_anew", lambda *_: set())
    with pytest.raises(AssertionError, match="I5"):
        await test_views_stay_the_fold_of_the_log(toy, pool, community)


async def test_a_decider_begins_again_and_the_version_goes_on(toy: App, pool: asyncpg.Pool, community: UUID):
    account = uuid4()
    toy.start_api()
    await until(lambda: all(memory.warm for memory in toy.memories))
    await add(toy, account, community, 2)
    await age(toy, 2)
    await passed(toy)
    await retired_by(toy)
    last = await toy.log.last()
    toy.wake()
    await until(lambda: all(memory.position >= last for memory in toy.memories))
    assert await toy.commands.state(accounts.ACCOUNTS, account, community, fresh=False) == (accounts.Account(), 2)
    done = await toy.commands.handle(account, accounts.Add(1), Context(community_id=community, now=datetime.now(UTC)))
    assert done.outcome.version == 3


async def test_republished_the_chain_has_no_hole(toy: App, pool: asyncpg.Pool, community: UUID):
    """What is blanked is not told again; what comes after it follows on what was told before it."""
    first, second, third = uuid4(), uuid4(), uuid4()
    await add(toy, first, community)
    await age(toy, 1)
    for account in (second, third):
        await add(toy, account, community)
    await passed(toy)
    await retired_by(toy)
    told: dict[UUID, Number] = {}
    said = [e for row in await everything(pool) for e in translated("toy", row, toy.catalogue, publish, told)]
    assert [e["lifangposition"] for e in said] == ["1.2.0", "1.3.0"] and [e["lifangprevious"] for e in said] == ["0.0.0", "1.2.0"]
    assert toy.relay is not None and isinstance(toy.relay, relay.Relay)


async def test_the_operator_is_told_the_periods_and_the_environment_sets_them(
        toy: App, community: UUID, monkeypatch: pytest.MonkeyPatch):
    await add(toy, uuid4(), community)
    await age(toy, 1)
    await passed(toy)
    monkeypatch.setenv("LIFANG_RETENTION_ACCOUNTS", "60")
    (found,) = (await retire_now(toy, True))["classes"]
    assert (found["name"], found["days"], found["rows"]) == ("accounts", 60, 0)
    monkeypatch.setenv("LIFANG_RETENTION_ACCOUNTS", "0")
    with pytest.raises(ValueError, match="0 days"):
        age_of(ACCOUNTS)
    needed = replace(ACCOUNTS, least=16)
    for days, wrong in (("16", False), ("15", True)):
        monkeypatch.setenv("LIFANG_RETENTION_ACCOUNTS", days)
        with pytest.raises(ValueError, match="15 days, at least 16") if wrong else nullcontext():
            assert age_of(needed).days == 16


async def test_pages_are_of_a_bounded_size_and_go_on_where_one_ended(toy: App, pool: asyncpg.Pool, community: UUID):
    for _ in range(25):
        await toy.log.append(append(community, events=100))
    await age(toy, 2500)
    await passed(toy)
    assert await retired_by(toy) == {"accounts": 2500}
    assert [row[0] for row in await pool.fetch("select (data ->> 'count')::int from events where type = 'retired' order by position")] == [
        2000, 500]


async def test_by_itself_a_class_is_looked_at_once_a_day(toy: App, pool: asyncpg.Pool, community: UUID):
    await add(toy, uuid4(), community)
    await age(toy, 1)
    await passed(toy)
    now, readers = datetime.now(UTC), list(toy.checkpoints())
    assert await retire(toy.database, [ACCOUNTS], readers, now, since=now - DAILY) == {"accounts": 1}
    assert await retire(toy.database, [ACCOUNTS], readers, now, since=now - DAILY) == {}
    await pool.execute("update checkpoints set moved_at = moved_at - interval '21 hours' where name like 'retire:%'")
    assert await retire(toy.database, [ACCOUNTS], readers, now, since=now - DAILY) == {"accounts": 0}


async def test_answers_that_nobody_repeats_any_more_are_removed_and_younger_ones_stay(toy: App, pool: asyncpg.Pool, community: UUID):
    for _ in range(2):
        await toy.log.append(append(community, key=Key("one", "add", str(uuid4()))))
    owner = await asyncpg.connect(toy.settings.database_url)
    await owner.execute("update outcomes set recorded_at = now() - interval '8 days' where key = (select min(key) from outcomes)")
    await owner.close()
    assert await pool.fetchval("select count(*) from outcomes") == 2
    await pool.execute(OLD_OUTCOMES)
    assert await pool.fetchval("select count(*) from outcomes where recorded_at > now() - interval '1 day'") == 1
    assert await pool.fetchval("select count(*) from outcomes") == 1
