"""kill -9 wherever a rebuild may die: the live view was right all the time, and the next rebuild goes on and ends in the fold."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from cli import checking
from cli.rebuild_failpoints import FAILPOINTS
from libs.eventkit.service import App
from tests.eventkit.writers import append
from tests.kit import caught_up, until
from tests.toy.main import service
from tests.toy.sums import VIEW

AppOf = Callable[..., Awaitable[App]]
COMMUNITIES = [UUID(int=n) for n in range(1, 6)]
AT = {"rebuild.copied": "rebuild.copied:3", "rebuild.written": "rebuild.written:3"}
TWINS = {
    "rebuild.copied": "progress_before_rows",
    "rebuild.written": "progress_forgotten",
    "rebuild.caught_up": "switched_before_it_has_caught_up",
    "rebuild.exchanged": "tables_first",
    "rebuild.switched": "checkpoint_last",
}


async def process(toy: App, failpoint: str = "", *twin: str) -> tuple[int, bytes]:
    settings = toy.settings
    environment = {
        **os.environ, "DATABASE_URL_TOY": settings.database_url, "LIFANG_SECRETS": str(settings.secrets),
        "LIFANG_REBUILD_FAILPOINT": AT.get(failpoint, failpoint)}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.toy.rebuilding", *twin, env=environment, stdout=asyncio.subprocess.PIPE)
    answer, _ = await started.communicate()
    assert started.returncode is not None
    return started.returncode, answer


async def more(toy: App, times: int = 4) -> None:
    for _ in range(times):
        for community_id in COMMUNITIES:
            await toy.log.append(append(community_id, stream=f"account:{uuid4()}", data=b'{"amount":1}'))


async def is_the_fold(toy: App, pool: asyncpg.Pool) -> bool:
    await caught_up(pool, VIEW.name)
    return (await checking.check(toy.database, VIEW, toy.catalogue)).same


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    found = await app_of(service())
    await more(found)
    return found


@pytest.mark.parametrize("failpoint", FAILPOINTS)
async def test_killed_here_it_goes_on_where_it_was(toy: App, failpoint: str):
    pool = await toy.database.pool()
    toy.start_worker()
    assert await is_the_fold(toy, pool)
    assert (await process(toy, failpoint))[0] == -signal.SIGKILL
    assert await is_the_fold(toy, pool), "the live view has nothing to do with it"
    await more(toy)
    code, answer = await until(lambda: finished(toy))
    done = msgspec.json.decode(answer)
    assert code == 0 and done["resumed"] == (failpoint != "rebuild.switched") and done["damaged"] == 0
    assert await is_the_fold(toy, pool)
    left = await pool.fetchval("select count(*) from checkpoints where name like '%beside%'")
    assert left == 0 and await pool.fetchval("select to_regclass('sums_beside')") is None


async def finished(toy: App) -> tuple[int, bytes] | None:
    """None while the database has not yet noticed that the one before is dead."""
    code, answer = await process(toy)
    return (code, answer) if code == 0 else None


@pytest.mark.parametrize("failpoint", FAILPOINTS)
async def test_the_broken_twin_is_caught(toy: App, failpoint: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "LOOKS", 1)
    pool, twin = await toy.database.pool(), TWINS[failpoint]
    toy.start_worker()
    assert await is_the_fold(toy, pool)
    if twin == "switched_before_it_has_caught_up":  # nothing is lost by it, but what was there is gone for a while
        await toy.supervisor.stop()
        assert (await process(toy, "rebuild.copied"))[0] == -signal.SIGKILL
        await more(toy)
        toy.start_worker()
        end = await caught_up(pool, VIEW.name)
        await toy.supervisor.stop()
        await until(lambda: ended(toy, twin))
        assert await pool.fetchval("select position from checkpoints where name = $1", VIEW.name) < end
        return
    assert (await process(toy, failpoint, twin))[0] == -signal.SIGKILL
    if failpoint in ("rebuild.copied", "rebuild.written"):  # these have harmed what is beside, and the next one takes it up
        await until(lambda: unlocked(pool))
        code, _ = await process(toy)
        assert code or not await is_the_fold(toy, pool)
        return
    await more(toy)
    assert not await is_the_fold(toy, pool)


async def unlocked(pool: asyncpg.Pool) -> bool:
    owners = "select pid from pg_stat_activity where usename = 'toy_owner'"
    return not await pool.fetchval(f"select count(*) from pg_locks where locktype = 'advisory' and pid in ({owners})")


async def ended(toy: App, twin: str) -> bool:
    return (await process(toy, "", twin))[0] == 0
