"""A rebuild beside the live view: reads are never empty, readers and writer go on, and what does not belong there is found."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import Column, Index, MetaData, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from cli import checking, copying, folded, rebuilding
from cli.checking import check
from cli.migrating.database import migrate_for
from cli.rebuilding import Busy, OtherShape, Progress, rebuild
from libs.eventkit.recorded import NOWHERE, Recorded
from libs.eventkit.service import App
from libs.eventkit.views import Rows, View
from tests.eventkit.writers import append
from tests.kit import caught_up, until
from tests.toy.main import service
from tests.toy.sums import VIEW, account_of

AppOf = Callable[..., Awaitable[App]]
ODD = "a\tb\\c\nd\re \\N 'f' \"g\" 张"


def project(rows: Rows, event: object, row: Recorded) -> None:
    known = rows.get(account_id=account_of(event, row)) or {"said": []}
    rows.put(account_id=account_of(event, row), text=ODD, said=[*known["said"], {"at": row.recorded_at, "of": ODD}], none=None)


LISTS = View(
    Table(
        "lists", MetaData(), Column("community_id", Uuid, primary_key=True), Column("account_id", Uuid, primary_key=True),
        Column("text", Text), Column("said", JSONB), Column("none", JSONB), Index("lists_by_text", "community_id", "text")),
    project, VIEW.reads)


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(replace(service(), views=(VIEW, LISTS)))


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


async def filled(toy: App, communities: list[UUID], each: int = 20) -> None:
    for n in range(each):
        for community_id in communities:
            await toy.log.append(append(community_id, data=b'{"amount":%d}' % n))


async def shape(toy: App, view: View) -> list[tuple[object, ...]]:
    """All that the database knows of the table: columns, indexes, grants, policies, row security, comment."""
    owner = await asyncpg.connect(toy.settings.database_url)
    rows = await owner.fetch(
        "select 'column', column_name || data_type || is_nullable from information_schema.columns where table_name = $1"
        " union all select 'index', indexdef from pg_indexes where tablename = $1"
        " union all select 'policy', policyname || cmd || qual || roles::text from pg_policies where tablename = $1"
        " union all select 'table', relrowsecurity::text || relforcerowsecurity || obj_description(oid)"
        "   || (select string_agg(a::text, ' ' order by a::text) from unnest(relacl) a)"
        " from pg_class where relname = $1 order by 1, 2", view.name)
    await owner.close()
    return [tuple(row) for row in rows]


async def test_the_new_table_is_as_the_old_one_in_every_respect_and_byte_for_byte(toy: App, pool: asyncpg.Pool):
    toy.start_worker()
    await filled(toy, [uuid4(), uuid4(), NOWHERE])
    await caught_up(pool, VIEW.name, LISTS.name)
    query = "select to_json(t)::text from lists t order by community_id, account_id"
    before, looks, oid = await pool.fetch(query), await shape(toy, LISTS), await pool.fetchval("select 'lists'::regclass::oid")
    for _ in range(2):
        done = await rebuild(toy.database, LISTS, toy.catalogue)
        assert (done.position, done.communities, done.events, done.rows, done.damaged) == (60, 3, 60, 60, 0) and not done.resumed
        assert await pool.fetch(query) == before and await shape(toy, LISTS) == looks
        assert await pool.fetchval("select 'lists'::regclass::oid") != oid
        assert await pool.fetchval("select reltuples from pg_class where relname = 'lists'") == 60, "else reads are planned blindly"
        assert (await check(toy.database, LISTS, toy.catalogue)).same
    assert await migrate_for(toy) is False


async def test_whoever_reads_and_writes_meanwhile_notices_nothing(toy: App, pool: asyncpg.Pool):
    """Readers with statements that are remembered, and the live writer with its own: no error, no row that is gone again."""
    toy.start_worker()
    community_id, least, over = uuid4(), 0, asyncio.Event()
    await filled(toy, [community_id])
    await caught_up(pool, VIEW.name, LISTS.name)

    async def reading() -> int:
        nonlocal least
        times = 0
        while not over.is_set():
            before = least
            found = await toy.database.fetch([community_id], select(VIEW.table.c.own).where(VIEW.table.c.community_id == community_id))
            assert len(found) >= before, "a row was there and is gone"
            least, times = max(least, len(found)), times + 1
        return times

    readers = [asyncio.create_task(reading()) for _ in range(4)]
    writing = asyncio.create_task(filled(toy, [community_id, uuid4()], 60))
    for _ in range(4):
        await rebuild(toy.database, VIEW, toy.catalogue)
    await writing
    await caught_up(pool, VIEW.name, LISTS.name)
    over.set()
    assert min(await asyncio.gather(*readers)) > 10
    for view in (VIEW, LISTS):
        assert (await check(toy.database, view, toy.catalogue)).same
    assert toy.supervisor.restarts == {}


async def test_a_second_rebuild_of_the_view_is_refused_and_one_of_another_is_not(toy: App, pool: asyncpg.Pool):
    await filled(toy, [uuid4()])
    toy.start_worker()
    await caught_up(pool, VIEW.name, LISTS.name)
    outcomes = await asyncio.gather(
        *(rebuild(toy.database, view, toy.catalogue) for view in (VIEW, VIEW, LISTS)), return_exceptions=True)
    assert [type(one) for one in outcomes].count(Busy) == 1 and not isinstance(outcomes[2], Exception)


async def test_it_waits_for_a_reader_that_stays_and_lets_the_live_writer_on_meanwhile(toy: App, pool: asyncpg.Pool):
    toy.start_worker()
    await filled(toy, [uuid4()])
    await caught_up(pool, VIEW.name)
    async with pool.acquire() as reader, reader.transaction():
        await reader.fetch(f"select * from {VIEW.name}")
        running = asyncio.create_task(rebuild(toy.database, VIEW, toy.catalogue))
        await until(lambda: pool.fetchval("select true from pg_locks where not granted and mode = 'AccessExclusiveLock' limit 1"))
        await filled(toy, [uuid4()])
        await caught_up(pool, VIEW.name)
        assert not running.done()
    assert (await running).position == await toy.log.last()
    assert (await check(toy.database, VIEW, toy.catalogue)).same


async def test_what_is_left_of_another_shape_or_of_a_log_that_was_restored_is_not_taken_up(
    toy: App, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch,
):
    toy.start_worker()
    await filled(toy, [uuid4(), uuid4()])
    await caught_up(pool, VIEW.name, LISTS.name)
    real = rebuilding._write

    async def fails(*what: object) -> tuple[int, int]:
        await real(*what)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    for change in ("update log_state set generation = generation + 1", "comment on table lists_beside is 'another'", "select 1"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(rebuilding, "_write", fails)
            patch.setattr(rebuilding, "AT_ONCE", 1)
            await rebuild(toy.database, LISTS, toy.catalogue)
        owner = await asyncpg.connect(toy.settings.database_url)
        await owner.execute(change)
        await owner.close()
        assert (await rebuild(toy.database, LISTS, toy.catalogue)).resumed == (change == "select 1")
        assert (await check(toy.database, LISTS, toy.catalogue)).same


async def test_a_table_that_other_code_has_made_is_left_alone(toy: App, pool: asyncpg.Pool):
    with pytest.raises(OtherShape):
        await rebuild(toy.database, replace(LISTS, version=2), toy.catalogue)
    assert await pool.fetchval("select to_regclass('lists_beside')") is None


async def test_memory_holds_one_community_and_progress_is_told(toy: App, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch):
    await filled(toy, [uuid4() for _ in range(4)], 25)
    monkeypatch.setattr(rebuilding, "AT_ONCE", 1)
    monkeypatch.setattr(folded, "CHUNK", 10)
    written, told = list[int](), list[Progress]()
    real = rebuilding._write

    async def counted(database: object, new: View, some: list[folded.Folded]) -> tuple[int, int]:
        written.append(len(some))
        return await real(database, new, some)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuilding, "_write", counted)
    await rebuild(toy.database, VIEW, toy.catalogue, told.append)
    assert written == [1, 1, 1, 1]
    assert [p.events for p in told] == sorted(p.events for p in told) and told[-1].events == told[-1].of_events == 100
    assert told[-1].of_communities == 4 and "of 100 events" in rebuilding.sentence(told[-1])


# the check


CHANGES = {
    "a value": ("update sums set own = own + 1 where account_id = $1", "differs", ("own",)),
    "a row more": ("insert into sums (community_id, account_id) values ('00000000-0000-0000-0000-00000000000a', $1)", "unexplained", ()),
    "a row less": ("delete from sums where account_id = $1", "missing", ()),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_whatever_was_changed_behind_the_log_is_found_where_it_is(
    toy: App, pool: asyncpg.Pool, what: str, monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(checking, "LOOKS", 1)
    toy.start_worker()
    await filled(toy, [uuid4(), uuid4()])
    await caught_up(pool, VIEW.name, LISTS.name)
    statement, how, columns = CHANGES[what]
    account_id = await pool.fetchval("select account_id from sums limit 1")
    await pool.execute(statement, account_id)
    found = await check(toy.database, VIEW, toy.catalogue)
    assert (found.differences, found.first[0].what, found.first[0].columns) == (1, how, columns)
    assert found.first[0].key == {"account_id": str(account_id)}
    assert (await check(toy.database, LISTS, toy.catalogue)).same
    await rebuild(toy.database, VIEW, toy.catalogue)
    assert (await check(toy.database, VIEW, toy.catalogue)).same


async def test_a_check_beside_a_writer_and_a_rebuild_sees_one_moment(toy: App, pool: asyncpg.Pool):
    toy.start_worker()
    communities = [uuid4(), uuid4()]
    await filled(toy, communities)
    writing = asyncio.create_task(filled(toy, communities, 60))
    rebuilding_ = asyncio.create_task(rebuild(toy.database, VIEW, toy.catalogue))
    for _ in range(6):
        assert (await check(toy.database, VIEW, toy.catalogue)).same
    await asyncio.gather(writing, rebuilding_)


async def test_damage_that_nobody_tells_of_is_a_difference(toy: App, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "LOOKS", 1)
    toy.start_worker()
    await toy.log.append(append(uuid4(), data=b'{"amount":666}'))
    await caught_up(pool, VIEW.name)
    assert (await check(toy.database, VIEW, toy.catalogue)).same, "it is told"
    assert (await rebuild(toy.database, VIEW, toy.catalogue)).damaged == 1
    await pool.execute("delete from damaged")
    [one] = (await check(toy.database, VIEW, toy.catalogue)).first
    assert (one.what, one.position) == ("damage_not_told", 1)


def test_a_line_for_copy_escapes_what_it_must():
    assert copying._value(ODD, False) == r"a\tb\\c\nd\re \\N 'f'" + ' "g" 张'
    assert copying._value(None, True) == r"\N" and copying._value(True, False) == "true" and copying._value(["\\"], True) == r'["\\\\"]'
