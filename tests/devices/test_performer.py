"""Effects: in time or not at all, once or not at all, and one dead device keeps nobody waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from libs.eventkit.commands import Context
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.devices.performer import Performer
from tests.eventkit.writers import append
from tests.kit import caught_up, until
from tests.toy.bells import Order
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]


class Bells:
    """The devices: those in `stuck` do not come back until they are let go."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, UUID]] = []
        self.stuck: dict[str, asyncio.Event] = {}

    async def ring(self, bell: str, ring_id: UUID) -> None:
        self.rung.append((bell, ring_id))
        if bell in self.stuck:
            await self.stuck[bell].wait()


@pytest.fixture
def bells() -> Bells:
    return Bells()


@pytest.fixture
async def toy(app_of: AppOf, bells: Bells) -> App:
    return await app_of(replace(service(ring=bells.ring), reactions=lambda app: ()))


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


def performer_of(app: App) -> Performer:
    """Whose bound method it is that takes the rows."""
    return app.subscriptions[-1].take.__self__  # type: ignore[attr-defined]


async def order(app: App, community: UUID, bell: str = "gate", asked: float = 0.0) -> UUID:
    """`asked`: seconds ago that the first service recorded the request."""
    now, ring_id = datetime.now(UTC), uuid4()
    context = Context(community_id=community, now=now, requested_at=now - timedelta(seconds=asked))
    await app.commands.handle(ring_id, Order(bell), context)
    return ring_id


async def story(pool: asyncpg.Pool, ring_id: UUID) -> list[str]:
    return [r[0] for r in await pool.fetch("select type from events where stream = $1 order by version", f"ring:{ring_id}")]


async def over(pool: asyncpg.Pool, ring_id: UUID) -> list[str]:
    async def ended() -> bool:
        return (await story(pool, ring_id))[-1] in ("rung", "ring_expired", "ring_unknown")

    await until(ended)
    return await story(pool, ring_id)


async def test_an_order_in_time_is_carried_out_and_told(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    toy.start_worker()
    ring_id = await order(toy, community)
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "rung"]
    assert bells.rung == [("gate", ring_id)]


async def test_an_order_older_than_its_time_is_never_carried_out(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    """Its time counts from the first service's record of the request, not from the last hop."""
    toy.start_worker()
    ring_id = await order(toy, community, asked=5.1)
    assert await over(pool, ring_id) == ["ring_ordered", "ring_expired"]
    assert bells.rung == []


@pytest.mark.twin(row="kafka-away-at-the-door", caught_by="I7")
async def test_twin_that_counts_from_the_last_hop_is_caught(
    toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    def left(self: Performer, row: Recorded) -> float:
        return (row.recorded_at + self.effect.ttl - datetime.now(UTC)).total_seconds()

    monkeypatch.setattr(Performer, "_left", left)
    toy.start_worker()
    ring_id = await order(toy, community, asked=60.0)
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "rung"] and bells.rung == [("gate", ring_id)]


async def test_what_was_ordered_while_nobody_worked_is_not_carried_out_late(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    late, young = await order(toy, community, asked=6.0), await order(toy, community)
    toy.start_worker()
    assert (await over(pool, late))[-1] == "ring_expired" and (await over(pool, young))[-1] == "rung"
    assert bells.rung == [("gate", young)]


async def test_of_two_processes_one_acts(toy: App, app_of: AppOf, pool: asyncpg.Pool, bells: Bells, community: UUID):
    """Both handle the same order at the same moment, as when a lease was lost without its holder knowing."""
    other = await app_of(toy.service, beside=toy)
    orders = [await order(toy, community, bell=f"gate {n}") for n in range(5)]
    rows = [row for row in await toy.log.read(0) if row.type == "ring_ordered"]
    performers = [performer_of(app) for app in (toy, other)]
    for row in rows:
        await asyncio.gather(*(p.subscription().take([row], 0) for p in performers), return_exceptions=True)
    for ring_id in orders:
        assert [t for t in await over(pool, ring_id) if t == "ring_attempted"] == ["ring_attempted"]
    assert sorted(r for _, r in bells.rung) == sorted(orders)


async def test_an_attempt_of_a_process_that_died_is_never_repeated(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    ring_id = await order(toy, community)
    row = (await toy.log.read(0))[0]
    performer = performer_of(toy)
    planned = await performer.effect.on[type(toy.catalogue.read(row))](toy.catalogue.read(row), row)
    assert planned is not None
    await performer._say(planned, planned.attempt, row, "attempt")
    toy.start_worker()
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "ring_unknown"]
    assert bells.rung == []


async def test_a_call_that_its_process_did_not_survive_is_concluded_by_the_next(
    toy: App, app_of: AppOf, pool: asyncpg.Pool, bells: Bells, community: UUID
):
    """Nobody may wait for ever to hear what became of an order, and nobody sends it again."""
    bells.stuck["gate"] = asyncio.Event()
    toy.start_worker()
    ring_id = await order(toy, community)
    await until(lambda: bells.rung)
    assert (await over(pool, await order(toy, community, "another")))[-1] == "rung"  # the checkpoint has had time to move
    await toy.supervisor.stop()
    (await app_of(toy.service, beside=toy)).start_worker()
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "ring_unknown"]
    assert [bell for bell, _ in bells.rung] == ["gate", "another"]


async def test_an_order_read_again_by_the_same_process_is_not_given_up(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    """As when the database was away for a moment: the lease is taken anew, and the call is still under way."""
    performer = performer_of(toy)
    performer.effect = replace(performer.effect, ttl=timedelta(seconds=1))
    bells.stuck["gate"] = asyncio.Event()
    toy.start_worker()
    ring_id = await order(toy, community)
    await until(lambda: bells.rung)
    await toy.supervisor.stop()
    toy.start_worker()
    row = (await toy.log.read(0))[0]
    await until(lambda: performer._left(row) < 0)
    assert (await over(pool, await order(toy, community, "another")))[-1] == "rung"
    bells.stuck["gate"].set()
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "rung"]
    assert [bell for bell, _ in bells.rung] == ["gate", "another"]


async def test_orders_of_one_device_go_one_after_the_other(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    bells.stuck["gate"] = asyncio.Event()
    toy.start_worker()
    first, second = await order(toy, community), await order(toy, community)
    await until(lambda: bells.rung == [("gate", first)])
    assert await story(pool, second) == ["ring_ordered"]
    bells.stuck["gate"].set()
    assert (await over(pool, first))[-1] == "rung" and (await over(pool, second))[-1] == "rung"
    assert bells.rung == [("gate", first), ("gate", second)]


async def test_a_dead_device_delays_no_other(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    performer = performer_of(toy)
    performer.effect = replace(performer.effect, ttl=timedelta(seconds=2))
    bells.stuck["dead"] = asyncio.Event()
    toy.start_worker()
    await order(toy, community, "dead")
    behind = await order(toy, community, "dead")
    await until(lambda: len(bells.rung) == 1)
    begun = asyncio.get_running_loop().time()
    for _ in range(3):
        assert (await over(pool, await order(toy, community, "gate")))[-1] == "rung"
    assert asyncio.get_running_loop().time() - begun < 1.5
    assert await pool.fetchval("select position from checkpoints where name = 'rings'") < 3, "an unsettled order must be seen again"
    assert (await over(pool, behind)) == ["ring_ordered", "ring_expired"]
    bells.stuck["dead"].set()
    await caught_up(pool, "rings")
    assert [bell for bell, _ in bells.rung].count("dead") == 1


async def test_an_order_that_cannot_be_read_stops_nobody(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    toy.start_worker()
    await toy.log.append(append(community, type="ring_ordered", data=b'{"bell":7}'))
    await toy.log.append(append(community, type="ring_ordered", schema=9))
    assert (await over(pool, await order(toy, community)))[-1] == "rung"
    await caught_up(pool, "rings")


async def test_an_attempt_that_took_too_long_to_record_is_not_carried_out(
    app_of: AppOf, bells: Bells, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The log is blocked from before the attempt until its time is over."""
    toy = await app_of(replace(service(ring=bells.ring, ttl=0.5), reactions=lambda app: ()))
    pool = await toy.database.pool()
    ring_id = await order(toy, community)
    async with toy.database.direct() as blocker:
        await blocker.execute("select pg_advisory_lock(726001)")
        toy.start_worker()
        await until(lambda: pool.fetchval("select true from pg_locks where locktype = 'advisory' and not granted"))
        await until(lambda: performer_of(toy)._left(row) < 0) if (row := (await toy.log.read(0))[0]) else None
    assert await over(pool, ring_id) == ["ring_ordered", "ring_attempted", "ring_unknown"]
    assert bells.rung == []


async def test_what_was_decided_otherwise_is_not_carried_out(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    """A rule may refuse the attempt (another way was faster): then it is over, and the next order is not held up."""
    from tests.toy.bells import RINGS, Attempt, Ring

    def refuse(command: Attempt, state: Ring) -> list[object]:
        from libs.eventkit.decider import Refused

        raise Refused("answered_otherwise")

    real = toy.commands._decider[Attempt]
    toy.commands._decider = {**toy.commands._decider, Attempt: replace(RINGS, decide={**RINGS.decide, Attempt: refuse})}
    toy.start_worker()
    await order(toy, community)
    await caught_up(pool, "rings", timeout=2.0)
    toy.commands._decider = {**toy.commands._decider, Attempt: real}
    second = await order(toy, community)
    assert (await over(pool, second))[-1] == "rung" and bells.rung == [("gate", second)]
