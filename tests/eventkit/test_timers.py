"""Timers: what is due is done once, on time and never before, whoever dies, fails or hangs in between."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.eventkit import subscriptions, timers
from libs.eventkit.service import App, Service
from libs.eventkit.status import status
from libs.eventkit.timers import Timers
from tests.eventkit.kitchen import NAME, Cook, Kitchen
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, until
from tests.toy.eggs import Boil, TakeOut
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
SOON, FAR = timedelta(milliseconds=60), timedelta(hours=1)


@pytest.fixture
def cook() -> Cook:
    return Cook()


@pytest.fixture
def kitchen_service(cook: Cook) -> Service:
    return replace(service(), timers=lambda app: (cook.timer(app),))


@pytest.fixture
async def kitchen(app_of: AppOf, kitchen_service: Service, cook: Cook, community: UUID, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """Nobody looks by himself: only what is known to be due, or was changed, wakes anybody."""
    monkeypatch.setattr(timers, "LOOK", 3600.0)
    return Kitchen(await app_of(kitchen_service), community, cook)


async def test_what_is_due_is_done_once_and_on_time_and_nothing_before_its_time(kitchen: Kitchen):
    kitchen.app.start_worker()
    far = await kitchen.boil(FAR)
    eggs = [await kitchen.boil(SOON * n) for n in (4, 1, 3, 0, 2, 5)]
    await until(lambda: kitchen.boiled(*eggs))
    await caught_up(await kitchen.pool(), NAME)
    for egg in eggs:
        first, *others = await kitchen.app.log.stream(f"egg:{egg}")
        due = kitchen.app.catalogue.read(first).until
        assert [row.type for row in others] == ["boiled"] and others[0].meta.caused_by == (first.event_id,)
        assert due <= kitchen.cook.times(egg)[0] <= due + timedelta(seconds=3)
    assert kitchen.cook.times(far) == [] and [row[1] for row in await kitchen.table()] == [f"egg:{far}"]


async def test_an_event_brings_the_moment_forward_puts_it_off_or_does_away_with_it(kitchen: Kitchen):
    kitchen.app.start_worker()
    earlier, later, never = await kitchen.boil(FAR), await kitchen.boil(SOON * 50), await kitchen.boil(SOON * 50)
    await caught_up(await kitchen.pool(), NAME)
    await kitchen.boil(SOON, earlier)
    await kitchen.boil(FAR, later)
    await kitchen.say(never, TakeOut())
    last = await kitchen.boil(SOON * 52)
    await until(lambda: kitchen.boiled(earlier, last))
    assert [len(kitchen.cook.times(egg)) for egg in (earlier, later, never, last)] == [1, 0, 0, 1]
    await until(lambda: _streams(kitchen, later))


async def _streams(kitchen: Kitchen, *eggs: UUID) -> bool:
    return {row[1] for row in await kitchen.table()} == {f"egg:{egg}" for egg in eggs}


@asynccontextmanager
async def _no_lease(*_: Any, **__: Any) -> Any:
    class Lease:
        async def fetchval(self, *_: Any, **__: Any) -> bool:
            return True

        def is_closed(self) -> bool:
            return False

        def add_termination_listener(self, _: Any) -> None:
            pass

    yield Lease()


@pytest.mark.parametrize("broken", [False, True])
async def test_of_two_processes_one_does_it(
    kitchen: Kitchen, app_of: AppOf, kitchen_service: Service, monkeypatch: pytest.MonkeyPatch, broken: bool,
):
    """Broken: nobody holds the lease, so both do."""
    second = await app_of(kitchen_service, beside=kitchen.app)
    egg, cook = await kitchen.boil(timedelta(0)), kitchen.cook
    cook.gate.clear()
    for app in (kitchen.app, second):
        if broken:
            monkeypatch.setattr(app.database, "direct", _no_lease)
        app.start_worker()
    await until(lambda: len(cook.asked) >= (2 if broken else 1))
    cook.gate.set()
    await until(lambda: kitchen.boiled(egg))
    await kitchen.app.supervisor.stop()
    after = await Kitchen(second, kitchen.community, cook).boil(SOON)  # a second holder would have been there before it
    await until(lambda: kitchen.boiled(after))
    assert (len(cook.times(egg)) > 1) is broken and len(cook.times(after)) == 1


@pytest.mark.parametrize("broken", [False, True])
async def test_a_restart_finds_what_was_due_meanwhile_and_what_is_not_yet(
    kitchen: Kitchen, app_of: AppOf, kitchen_service: Service, monkeypatch: pytest.MonkeyPatch, broken: bool,
):
    """Broken: what is due is kept by the process alone."""
    if broken:
        run = Timers._run

        async def forgetful(self: Timers) -> None:
            await (await self.database.pool()).execute("delete from timers")
            await run(self)

        monkeypatch.setattr(Timers, "_run", forgetful)
    kitchen.app.start_worker()
    due, far = await kitchen.boil(SOON * 30), await kitchen.boil(FAR)
    await caught_up(await kitchen.pool(), NAME)
    await kitchen.app.supervisor.stop()
    assert kitchen.cook.asked == []
    moment = kitchen.app.catalogue.read((await kitchen.app.log.stream(f"egg:{due}"))[0]).until
    await until(lambda: datetime.now(UTC) > moment)
    second = await app_of(kitchen_service, beside=kitchen.app)
    second.start_worker()
    last = await Kitchen(second, kitchen.community, kitchen.cook).boil(SOON)
    await until(lambda: kitchen.boiled(last))
    if broken:
        assert not await kitchen.boiled(due) and not await _streams(kitchen, far)
        return
    await until(lambda: kitchen.boiled(due))
    await until(lambda: _streams(kitchen, far))
    assert len(kitchen.cook.times(due)) == 1


async def test_a_process_that_takes_over_needs_nobody_to_wake_it(kitchen: Kitchen, app_of: AppOf, kitchen_service: Service):
    kitchen.app.start_worker()
    eggs = [await kitchen.boil(SOON * 5) for _ in range(3)]
    await caught_up(await kitchen.pool(), NAME)
    await kitchen.app.supervisor.stop()
    (await app_of(kitchen_service, beside=kitchen.app)).start_worker()
    await until(lambda: kitchen.boiled(*eggs), 10)


@pytest.mark.parametrize("kind", ["sick", "silent"])
@pytest.mark.parametrize("broken", [False, True])
async def test_what_fails_or_says_nothing_is_tried_again_after_a_growing_pause_and_holds_up_no_other(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, kind: str, broken: bool,
):
    """Broken: it is tried again at once."""
    monkeypatch.setattr(timers, "FIRST", 0.04)
    if broken:
        monkeypatch.setattr(timers, "LONGEST", 0.0)
    kitchen.app.start_worker()
    bad = {uuid4() for _ in range(2)}
    getattr(kitchen.cook, kind).update(bad)
    for egg in bad:
        await kitchen.boil(timedelta(0), egg)
    others = [await kitchen.boil(SOON * n) for n in range(6)]
    await until(lambda: kitchen.boiled(*others))
    await until(lambda: all(len(kitchen.cook.times(egg)) >= 4 for egg in bad))
    for egg in bad:
        times = kitchen.cook.times(egg)[:4]
        pauses = [(after - before).total_seconds() for before, after in pairwise(times)]
        assert all(pause >= least for pause, least in zip(pauses, (0.04, 0.08, 0.16), strict=True)) is not broken, pauses
    assert not await kitchen.boiled(next(iter(bad))) and all(len(kitchen.cook.times(egg)) == 1 for egg in others)
    getattr(kitchen.cook, kind).clear()
    await until(lambda: kitchen.boiled(*bad))


async def test_what_failed_at_one_moment_is_done_at_another_without_a_pause(kitchen: Kitchen):
    """The pause, of at least a second, is that of the moment which failed."""
    kitchen.app.start_worker()
    egg = uuid4()
    kitchen.cook.sick.add(egg)
    await kitchen.boil(timedelta(0), egg)
    await until(lambda: kitchen.cook.times(egg))
    kitchen.cook.sick.clear()
    await kitchen.boil(SOON, egg)
    await until(lambda: kitchen.boiled(egg))
    first, second = kitchen.cook.times(egg)
    assert (second - first).total_seconds() < timers.FIRST


async def test_one_community_does_not_wait_for_another_and_what_hangs_is_given_up(kitchen: Kitchen):
    """As many hang as may be under way at once: their own community waits for `within`, the other not at all."""
    other = replace(kitchen, community=uuid4())
    stuck = [uuid4() for _ in range(9)]
    kitchen.cook.stuck.update(stuck)
    for egg in stuck:
        await kitchen.boil(timedelta(0), egg)
    kitchen.app.start_worker()
    await until(lambda: len(kitchen.cook.asked) == 4)
    mine, theirs = await kitchen.boil(timedelta(0)), await other.boil(timedelta(0))
    await until(lambda: other.boiled(theirs))
    await until(lambda: kitchen.boiled(mine))
    asked = [egg for egg, _ in kitchen.cook.asked]
    assert set(asked[:4]) < set(stuck) and asked.index(theirs) == 4 < asked.index(mine)
    kitchen.cook.stuck.clear()
    await until(lambda: kitchen.boiled(*stuck))


async def test_the_table_comes_back_from_the_log_as_it_was(kitchen: Kitchen, app_of: AppOf, kitchen_service: Service):
    """By a process that knows what there is, and by a new one that reads it in one batch."""
    kitchen.app.start_worker()
    pool = await kitchen.pool()
    eggs = [await kitchen.boil(FAR) for _ in range(3)]
    await caught_up(pool, NAME)
    first = {row.stream: row for row in await everything(pool)}[f"egg:{eggs[2]}"]
    await kitchen.boil(FAR * 2, eggs[0])
    await kitchen.say(eggs[1], TakeOut())
    await kitchen.say(eggs[2], Boil(kitchen.app.catalogue.read(first).until))
    await until(lambda: _streams(kitchen, eggs[0], eggs[2]))
    done = await kitchen.boil(timedelta(0))
    await until(lambda: kitchen.boiled(done))
    await until(lambda: _streams(kitchen, eggs[0], eggs[2]))
    await caught_up(pool, NAME)
    before = await kitchen.table()
    assert {row[1]: row[5] for row in before}[first.stream] == first.event_id, "what was said again was said by the first"
    for app in (kitchen.app, await app_of(kitchen_service, beside=kitchen.app)):
        await kitchen.app.supervisor.stop()
        await pool.execute("delete from timers")
        await pool.execute("update checkpoints set position = 0 where name = $1", NAME)
        app.start_worker()
        await caught_up(pool, NAME)
        assert await kitchen.table() == before
    assert len(kitchen.cook.asked) == 1, "what was done is not done again"


async def test_a_row_of_the_table_that_the_stream_does_not_bear_out_is_put_right(kitchen: Kitchen):
    """As an earlier rule, or a writer who was slower, may have left it."""
    egg, over = await kitchen.boil(FAR), await kitchen.boil(FAR)
    await kitchen.say(over, TakeOut())
    kitchen.app.start_worker()
    await caught_up(await kitchen.pool(), NAME)
    await kitchen.app.supervisor.stop()
    before = await kitchen.table()
    pool = await kitchen.pool()
    await pool.execute("update timers set due_at = now() - interval '1 hour'")
    await pool.execute("insert into timers select name, $1, community_id, version, due_at, because from timers", f"egg:{over}")
    kitchen.app.start_worker()
    await until(lambda: _is(kitchen.table, before))
    assert kitchen.cook.asked == [] and [row[1] for row in before] == [f"egg:{egg}"]


async def _is(asked: Callable[[], Awaitable[Any]], wanted: Any) -> bool:
    return bool(await asked() == wanted)


async def test_a_slower_writer_does_not_undo_a_later_one(kitchen: Kitchen):
    egg = await kitchen.boil(FAR)
    keeper, pool = Timers(kitchen.app.commands, kitchen.cook.timer(kitchen.app)), await kitchen.pool()
    stream = f"egg:{egg}"
    earlier = await keeper._look(stream)
    await kitchen.boil(SOON, egg)
    later = await keeper._look(stream)
    for known in (later, earlier, replace(earlier, due=None)):
        await keeper._write(pool, stream, kitchen.community, known)
    assert [row[3:5] for row in await kitchen.table()] == [(2, later.due)]
    await keeper._write(pool, stream, kitchen.community, replace(later, due=None))
    assert await kitchen.table() == []


async def test_a_stream_that_cannot_be_read_holds_up_no_other_and_is_told_as_overdue(kitchen: Kitchen):
    egg, app = uuid4(), kitchen.app
    await app.log.append(append(kitchen.community, stream=f"egg:{egg}", type="boiling", data=b'{"until":"soon"}'))
    app.start_worker()
    last = await kitchen.boil(timedelta(0))
    await until(lambda: kitchen.boiled(last))
    await until(lambda: _streams(kitchen, egg))
    assert (await status(app))["overdue"] == 0
    await (await kitchen.pool()).execute("update timers set due_at = now() - interval '6 seconds'")
    await (await kitchen.pool()).execute("insert into timers select 'of old', stream, community_id, 1, due_at, because from timers")
    assert (await status(app))["overdue"] == 1, "and nobody's whose timer is no more"
    assert kitchen.cook.times(egg) == []


async def test_the_database_going_away_costs_nothing_that_is_due(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch):
    """Every connection is ended while one is under way and others are due."""
    monkeypatch.setattr(subscriptions, "POLL", 0.2)
    kitchen.app.start_worker()
    kitchen.cook.gate.clear()
    eggs = [await kitchen.boil(SOON * n) for n in range(8)]
    await until(lambda: len(kitchen.cook.asked) == 4)
    await (await kitchen.pool()).execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user"
        " and pid <> pg_backend_pid()")
    kitchen.cook.gate.set()
    await until(lambda: kitchen.boiled(*eggs))
    rows = await everything(await kitchen.pool())
    assert [row.type for row in rows].count("boiled") == 8
