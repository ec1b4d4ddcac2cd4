"""The relay: everything, in order, each naming the one before it; and no word where log and topic do not belong together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import Struct
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit import relay
from libs.eventkit.commands import Context, Public
from libs.eventkit.decider import Refused
from libs.eventkit.recorded import Number
from libs.eventkit.service import App
from tests.eventkit.topics import Topic, chain, is_chained, topic_of
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, until
from tests.toy.accounts import Name
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
TOY = replace(service(), reactions=lambda app: (), readers=lambda app: (), views=())


class Long(Struct, frozen=True, tag="toy.long"):
    text: str


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


async def add(app: App, *communities: UUID, amount: int = 1) -> None:
    for community in communities:
        await app.log.append(append(community, data=b'{"amount":%d}' % amount))


async def refusal(app: App) -> str:
    assert app.relay is not None
    relay = app.relay
    return await until(lambda: relay.asks_for)


async def test_everything_is_told_once_in_order_each_naming_the_one_before(toy: App, pool: asyncpg.Pool, topic: Topic):
    communities = [uuid4() for _ in range(5)]
    toy.start_relay()
    await add(toy, *communities * 4)
    await add(toy, *communities, amount=100)
    await caught_up(pool, "relay")
    found = await topic.heard()
    assert is_chained(found) and len(found) == 5 * 4 + 5 * 2
    for community in communities:
        mine = [h for h in found if h.community_id == community]
        assert [h.type for h in mine] == ["toy.added"] * 5 + ["toy.large_added"]
        assert [h.number for h in mine[-2:]] == [Number(1, mine[-1].number.position, 0), Number(1, mine[-1].number.position, 1)]
        assert len({h.event_id for h in mine}) == 6


async def test_a_new_leader_goes_on_where_the_last_one_was(toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID):
    toy.start_relay()
    await add(toy, community, community)
    await caught_up(pool, "relay")
    second = await app_of(TOY, beside=toy)
    second.start_relay()
    await toy.supervisor.stop()
    await add(second, community)
    await caught_up(pool, "relay")
    found = await topic.heard()
    assert is_chained(found) and [h.number.position for h in found] == [1, 2, 3]


async def test_the_largest_event_is_told(toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    """Larger than a batch, which a naive loop would never get into one."""
    from tests.toy import public

    toy.relay.publish = lambda event, row: public.publish(event, row) if event.amount == 1 else (  # type: ignore[union-attr]
        replace(public.publish(event, row)[0], body=Long("里" * 299_990)),)
    toy.start_relay()
    await add(toy, community)
    await add(toy, community, amount=2)
    await add(toy, community)
    await caught_up(pool, "relay")
    found = await topic.heard()
    assert [len(h.data) > 100_000 for h in found] == [False, True, False] and is_chained(found)


async def test_republish_says_all_of_it_again_though_nothing_new_happens(toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    toy.start_relay()
    toy.supervisor.start("listen", lambda: toy.wake.listen(toy.database))
    await add(toy, community, community)
    await caught_up(pool, "relay")
    assert await operate(App(TOY, toy.settings), "republish", []) == {"service": "toy", "from": 0}
    found = await topic.holds(4)
    assert [str(h.number) for h in found] == ["1.1.0", "1.2.0"] * 2
    assert is_chained(found[:2]) and is_chained(found[2:])


async def test_a_wiped_topic_is_not_taken_for_the_truth(toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID):
    toy.start_relay()
    await add(toy, community, community)
    await caught_up(pool, "relay")
    await toy.supervisor.stop()
    await topic.wipe()
    leader = await app_of(TOY, beside=toy)
    leader.start_relay()
    assert (await refusal(leader)).startswith("republish")
    await add(leader, community)
    assert await topic.records() == []
    await operate(App(TOY, toy.settings), "republish", [])
    assert [h.number.position for h in await topic.holds(3)] == [1, 2, 3]
    await caught_up(pool, "relay")
    assert not leader.relay.asks_for  # type: ignore[union-attr]


async def begins_anew(toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID, amount: int) -> None:
    """The topic is another one from one moment to the next. What comes then may still be told, and nothing after that."""
    assert toy.relay is not None
    leader = toy.relay

    async def goes_no_further() -> bool:
        last, told = await pool.fetchrow("select (select max(position) from events), position from checkpoints where name = 'relay'")
        return bool(leader.asks_for) or told == last

    toy.start_relay()
    await add(toy, *[community] * 3)
    await caught_up(pool, "relay")
    await topic.wipe()
    for further in (amount, 1):
        await asyncio.gather(*(toy.log.append(append(community)) for _ in range(further)))
        toy.wake()
        await until(goes_no_further, 20)
    assert leader.asks_for.startswith("republish")


@pytest.mark.fault(row="kafka-wiped", invariants="I3 I4")
@pytest.mark.parametrize("amount", [1, 3, 30])
async def test_a_topic_that_begins_anew_under_a_relay_is_known_by_what_is_told_next(
    toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID, amount: int
):
    """Also where the new one holds more by then than the old one did, and whoever leads next."""
    await begins_anew(toy, topic, pool, community, amount)
    told = len(await topic.records())
    await toy.supervisor.stop()
    leader = await app_of(TOY, beside=toy)
    leader.start_relay()
    assert (await refusal(leader)).startswith("republish")
    assert len(await topic.records()) == told, "nothing more is told before all is told again"
    await operate(App(TOY, toy.settings), "republish", [])
    await topic.holds(told + 4 + amount)
    await caught_up(pool, "relay")
    assert is_chained((await topic.heard())[told:])
    assert not leader.relay.asks_for  # type: ignore[union-attr]


@pytest.mark.twin(row="kafka-wiped", caught_by="I4")
async def test_twin_that_does_not_look_where_what_it_tells_comes_to_lie_is_caught(
    toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay, "ANEW", 0)
    with pytest.raises(AssertionError):
        await begins_anew(toy, topic, pool, community, 30)


@pytest.mark.fault(row="kafka-wiped", invariants="I4")
async def test_a_topic_that_begins_anew_is_known_though_nothing_is_told(
    toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay, "LOOKS", 0.1)
    toy.start_relay()
    await add(toy, community)
    await caught_up(pool, "relay")
    await topic.wipe()
    assert (await refusal(toy)).startswith("republish")
    assert await topic.records() == []


async def test_a_topic_that_is_looked_at_while_it_is_told_is_the_right_one(
    toy: App, topic: Topic, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay, "LOOKS", 0.0)
    toy.start_relay()
    for _ in range(20):
        await add(toy, *(uuid4() for _ in range(20)))
        toy.wake()
    await caught_up(pool, "relay")
    assert len(await topic.heard()) == 400 and not toy.supervisor.restarts


async def test_what_comes_once_more_from_a_connection_that_was_given_up_is_no_loss(
        toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID):
    """The network holds a batch back, the relay tells it by another producer, and then it arrives: the topic ends with what is older."""
    toy.start_relay()
    await add(toy, community, community, community)
    await caught_up(pool, "relay")
    await toy.supervisor.stop()
    await topic.put((await topic.records())[0])
    leader = await app_of(TOY, beside=toy)
    leader.start_relay()
    await add(leader, community)
    await caught_up(pool, "relay")
    assert [h.number.position for h in await topic.heard()] == [1, 2, 3, 1, 4] and not leader.supervisor.restarts


async def test_an_event_that_no_topic_takes_is_refused_before_it_is_stored(toy: App, pool: asyncpg.Pool, community: UUID):
    """Stored, nothing behind it would ever be told."""
    toy.commands.publish = lambda event, row: (Public(Long(event.name)),)
    asked = Context(community_id=community, now=datetime.now(UTC))
    with pytest.raises(Refused, match="too_large_to_tell"):
        await toy.commands.handle(uuid4(), Name("x" * 900_001), asked)
    assert await everything(pool) == []


async def test_a_topic_that_lost_its_end_asks_for_republish(toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID):
    toy.start_relay()
    await add(toy, community, community)
    await caught_up(pool, "relay")
    await toy.supervisor.stop()
    first = (await topic.records())[0]
    await topic.wipe()
    await topic.put(first)
    leader = await app_of(TOY, beside=toy)
    leader.start_relay()
    assert (await refusal(leader)).startswith("republish")


@pytest.mark.fault(row="restored-twice", invariants="I3")
@pytest.mark.parametrize("what", ["beyond the log", "another event at that number"])
async def test_a_topic_that_knows_more_than_the_log_asks_for_restored(
    toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID, what: str
):
    """As after a restore of yesterday's backup, which went on and numbered anew."""
    await add(toy, *[community] * (2 if what == "beyond the log" else 3))
    await topic.put(*chain(community, [1, 2, 3]))
    toy.start_relay()
    assert (await refusal(toy)).startswith("restored")
    assert len(await topic.records()) == 3, "nothing may be said before the generation is a new one"
    found = await operate(App(TOY, toy.settings), "restored", [])
    assert found["generation"] == 2
    assert [text.split()[0] for text in found["beyond"]] == ["1.1.0", "1.2.0", "1.3.0"] and found["lost"] == 3
    await add(toy, community)
    new = (await topic.holds(6 if what == "beyond the log" else 7))[3:]
    assert {h.number.generation for h in new} == {2}, "what was said since the restore must not look like what was lost"
    assert [h.event_id for h in new] == [r.event_id for r in await everything(pool)]


@pytest.mark.fault(row="restored-twice", invariants="I3")
async def test_the_same_backup_restored_twice_never_repeats_a_number(
    toy: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID
):
    """The generation is the larger of database and topics, plus one: the database alone would say 2 twice."""
    numbers: list[Number] = []
    for generation in (2, 3):
        await pool.execute("update log_state set generation = 1")
        assert (await operate(App(TOY, toy.settings), "restored", []))["generation"] == generation
        app = await app_of(TOY, beside=toy)
        app.start_relay()
        await add(app, community)
        await caught_up(pool, "relay")
        await app.supervisor.stop()
        numbers = [h.number for h in await topic.heard()]
        owner = await asyncpg.connect(toy.settings.database_url)
        await owner.execute("delete from events; delete from published; update checkpoints set position = 0")
        await owner.close()
    assert numbers == [Number(2, 1, 0), Number(3, 1, 0)]


async def test_nothing_is_told_while_the_last_is_not_acknowledged(
    toy: App, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """One outstanding batch a partition; the checkpoint waits for it."""
    from aiokafka import AIOKafkaProducer

    real, let_go, sent = AIOKafkaProducer.send_batch, asyncio.Event(), list[int]()

    async def slow(self: AIOKafkaProducer, batch: object, *where: object, **more: object) -> "asyncio.Future[object]":
        acknowledged = await real(self, batch, *where, **more)
        sent.append(1)

        async def later() -> object:
            await let_go.wait()
            return await acknowledged

        return asyncio.ensure_future(later())

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", slow)
    toy.start_relay()
    await add(toy, community)
    await until(lambda: len(sent) == 1)
    await add(toy, community)
    await topic.holds(1)
    assert len(sent) == 1 and await pool.fetchval("select position from checkpoints where name = 'relay'") == 0
    let_go.set()
    await caught_up(pool, "relay")
    assert is_chained(await topic.heard())
