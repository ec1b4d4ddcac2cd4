"""Views: the fold of the log, whatever the batches were, and however often it is folded."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import Column, Integer, MetaData, Table

from cli.migrating.database import migrate_for
from cli.rebuilding import Busy, Rebuilt, rebuild
from libs.eventkit import views
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.subscriptions import Lost
from libs.eventkit.views import Rows
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, folded, held, until
from tests.toy.main import service
from tests.toy.sums import POISON, VIEW

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(service())


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


async def filled(app: App, communities: list[UUID], each: int = 30, poison: bool = False) -> None:
    accounts = {c: [f"account:{uuid4()}" for _ in range(3)] for c in communities}
    versions: dict[str, int] = {}
    for n in range(each):
        for c in communities:
            stream = accounts[c][n % 3]
            amount = POISON if poison and c == communities[0] and n == each // 2 else n
            await app.log.append(append(c, stream=stream, expected=versions.get(stream, 0), data=b'{"amount":%d}' % amount))
            versions[stream] = versions.get(stream, 0) + 1


async def dump(pool: asyncpg.Pool) -> list[str]:
    return [r[0] for r in await pool.fetch(f"select to_json(t)::text from {VIEW.name} t order by community_id, account_id")]


async def test_a_view_is_the_fold_of_its_log_and_stays_so_when_rebuilt(toy: App, pool: asyncpg.Pool):
    toy.start_worker()
    await filled(toy, [uuid4(), uuid4()])
    await caught_up(pool, VIEW.name)
    before = await dump(pool)
    assert len(before) == 6 and await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))
    for _ in range(2):
        assert (await rebuild(toy.database, VIEW, toy.catalogue)).position == 60
        await caught_up(pool, VIEW.name)
        assert await dump(pool) == before


async def test_a_rebuild_beside_the_live_writer_and_new_events_ends_in_the_fold(toy: App, pool: asyncpg.Pool):
    toy.start_worker()
    communities = [uuid4(), uuid4()]
    await filled(toy, communities)
    _, *found = await asyncio.gather(
        filled(toy, communities), *(rebuild(toy.database, VIEW, toy.catalogue) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Busy) for one in found) == 2 and sum(isinstance(one, Rebuilt) for one in found) == 1, found
    await caught_up(pool, VIEW.name)
    assert await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))


async def test_two_writers_of_a_view_wait_for_its_checkpoint_and_hold_no_rows_meanwhile(toy: App, pool: asyncpg.Pool):
    """Else each holds rows that the other wants, of two communities in another order, and the database ends one of them."""
    await filled(toy, [uuid4(), uuid4()])
    rows = await toy.log.read(0, 500)
    account = rows[0].stream.rpartition(":")[2]
    async with pool.acquire() as other, other.transaction():
        await other.execute("update checkpoints set position = position where name = $1", VIEW.name)
        late = asyncio.create_task(views.take(toy.database, toy.catalogue, [VIEW], rows, 0))
        await until(lambda: other.fetchval("select true from pg_locks where not granted and locktype = 'transactionid' limit 1"))
        await other.execute("set local lock_timeout = '2s'")
        await other.execute(
            f"insert into {VIEW.name} (community_id, account_id, seen) values ($1, $2, 1)", rows[0].community_id, UUID(account))
        await other.execute("update checkpoints set position = 1 where name = $1", VIEW.name)
    with pytest.raises(Lost):
        await late
    assert await pool.fetchval(f"select count(*) from {VIEW.name}") == 1, "the late one has written nothing"


async def test_a_view_of_another_shape_is_folded_again_by_its_reader(toy: App, app_of: AppOf, pool: asyncpg.Pool):
    """As after a deployment: a column more, or only a fold that says something else."""
    await filled(toy, [uuid4()])
    toy.start_worker()
    await caught_up(pool, VIEW.name)
    before = await held(pool, VIEW)
    await toy.supervisor.stop()
    wider = Table(VIEW.name, MetaData(), *(Column(c.name, c.type, primary_key=c.primary_key) for c in VIEW.table.columns),
                  Column("again", Integer))

    def project(rows: Rows, event: object, row: Recorded) -> None:
        VIEW.project(rows, event, row)
        for changed in [r for r in rows.changed.values() if r is not None]:
            rows.put(**changed | {"again": 7})

    for view in (replace(VIEW, table=wider, project=project), replace(VIEW, version=2)):
        wanted = App(replace(toy.service, views=(view,)), toy.settings)
        assert await migrate_for(wanted) and not await migrate_for(wanted)
        assert await held(pool, view) == {}
        newer = await app_of(wanted.service, beside=toy)
        newer.start_worker()
        await caught_up(pool, VIEW.name)
        after = await held(pool, view)
        assert {c: [{k: v for k, v in r.items() if k != "again"} for r in rows] for c, rows in after.items()} == before
        assert all(r.get("again", 7) == 7 for rows in after.values() for r in rows)
        await newer.supervisor.stop()


async def test_an_interrupted_rebuild_is_finished_by_the_live_writer(toy: App, pool: asyncpg.Pool):
    await filled(toy, [uuid4()])
    await pool.execute("update checkpoints set position = 0 where name = $1", VIEW.name)
    toy.start_worker()
    await caught_up(pool, VIEW.name)
    assert await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))


@pytest.mark.parametrize("lazy", [0.01, 3600.0])
async def test_what_concerns_no_view_moves_their_checkpoint_later(
    toy: App, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch, lazy: float
):
    monkeypatch.setattr(views, "LAZY", lazy)
    stands = f"select position from checkpoints where name = '{VIEW.name}'"
    toy.start_worker()
    await filled(toy, [community], 3)
    await caught_up(pool, VIEW.name)
    await toy.log.append(append(community, type="unheard_of", events=2))
    if lazy < 1:
        await until(lambda: pool.fetchval(f"select ({stands}) = 5"))
    else:
        await until(lambda: toy.log.tail._end == 5)
        assert await pool.fetchval(stands) == 3
    await filled(toy, [community], 1)
    await until(lambda: pool.fetchval(f"select ({stands}) = 6"))
    assert await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))


@pytest.mark.parametrize("what", ["cannot be taken", "does not fit its type", "is of a later version"])
async def test_an_event_that_cannot_be_taken_damages_one_community(toy: App, pool: asyncpg.Pool, what: str):
    sick, well = uuid4(), uuid4()
    data = {"cannot be taken": b'{"amount":%d}' % POISON, "does not fit its type": b'{"amount":"many"}'}
    await toy.log.append(append(sick, data=data.get(what, b'{"amount":7}'), schema=9 if what == "is of a later version" else 1))
    toy.start_worker()
    await filled(toy, [sick, well], each=3)
    await caught_up(pool, VIEW.name)
    damaged = await pool.fetch("select view, community_id, position from damaged")
    assert [tuple(r) for r in damaged] == [(VIEW.name, sick, 1)]
    assert sum(row["own"] for row in (await held(pool, VIEW))[well]) == 3
    assert sum(row["own"] for row in (await held(pool, VIEW))[sick]) == 3
    await _as_owner(toy, """update events set data = '{"amount":7}', schema = 1 where position = 1""")
    await rebuild(toy.database, VIEW, toy.catalogue)
    assert await pool.fetchval("select count(*) from damaged") == 0
    assert await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))
    assert sum(row["own"] for row in (await held(pool, VIEW))[sick]) == 10


async def _as_owner(app: App, statement: str) -> None:
    owner = await asyncpg.connect(app.settings.database_url)
    await owner.execute(statement)
    await owner.close()


# of several views


async def test_a_view_that_cannot_be_written_keeps_none_of_the_others_waiting_and_comes_up_to_them_again(
    app_of: AppOf, monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(views, "POLL", 0.05)
    other = replace(VIEW, table=Table(
        "sums_again", MetaData(), *(Column(c.name, c.type, primary_key=c.primary_key) for c in VIEW.table.columns)))
    toy = await app_of(replace(service(), views=(VIEW, other)))
    pool, owner = await toy.database.pool(), await asyncpg.connect(toy.settings.database_url)
    toy.start_worker()
    await filled(toy, [uuid4()])
    await caught_up(pool, VIEW.name, other.name)
    await owner.execute("alter table sums_again rename to gone")
    await filled(toy, [uuid4()])
    await caught_up(pool, VIEW.name)
    assert await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))
    await owner.execute("alter table gone rename to sums_again")
    await filled(toy, [uuid4()])
    await caught_up(pool, VIEW.name, other.name)
    assert await held(pool, other) == await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))
    await owner.close()


async def test_views_at_one_place_move_together_and_one_that_was_emptied_catches_up_by_itself(app_of: AppOf):
    other = replace(VIEW, table=Table(
        "sums_again", MetaData(), *(Column(c.name, c.type, primary_key=c.primary_key) for c in VIEW.table.columns)))
    toy = await app_of(replace(service(), views=(VIEW, other)))
    pool = await toy.database.pool()
    toy.start_worker()
    communities = [uuid4(), uuid4()]
    await filled(toy, communities)
    await asyncio.gather(filled(toy, communities), rebuild(toy.database, other, toy.catalogue))
    await caught_up(pool, VIEW.name, other.name)
    assert await held(pool, other) == await held(pool, VIEW) == folded(VIEW, toy.catalogue, await everything(pool))
