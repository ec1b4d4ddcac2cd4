"""What a relay, the keys and a lease wait for before their work begins is bounded too; each is begun again and does all of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit import keys_topic, relay, subscriptions
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.subscriptions import Subscription, advance, follow, holding
from tests.eventkit.hanging import hang_once
from tests.eventkit.topics import Topic, topic_of
from tests.eventkit.writers import append
from tests.faults.proxy import Proxy, proxy_to
from tests.kit import caught_up, until
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
TOY = replace(service(), reactions=lambda app: (), readers=lambda app: (), timers=lambda app: (), views=())
NAME = "sums"
NEVER = 1e6
ASKED = """select count(*) = 2 from pg_stat_activity
           where datname = current_database() and query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()"""


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(TOY)


@pytest.fixture
async def topic(toy: App) -> AsyncIterator[Topic]:
    async with topic_of(toy.settings) as found:
        yield found


# the relay

CALLS = [(relay.AIOKafkaProducer, "start"), (relay.AIOKafkaConsumer, "topics"), (relay.AIOKafkaConsumer, "beginning_offsets")]
of_calls = pytest.mark.parametrize(("kind", "name"), CALLS, ids=[name for _, name in CALLS])


async def a_relay_that_does_not_begin(
    toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, kind: Any, name: str, within: float
) -> None:
    hung = hang_once(monkeypatch, kind, name, done_first=False)
    for _ in range(2):
        await toy.log.append(append(community))
    assert toy.relay is not None
    toy.supervisor.start("relay", toy.relay.run)
    await until(lambda: hung)
    await caught_up(await toy.database.pool(), "relay", timeout=within)
    assert [h.number.position for h in await topic.heard()] == [1, 2] and toy.supervisor.restarts == {"relay": 1}


@pytest.mark.fault(row="stuck", invariants="I3 I4")
@of_calls
async def test_a_relay_that_does_not_begin_begins_again(
    toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, kind: Any, name: str
):
    monkeypatch.setattr(relay, "BOUND", 5.0)
    await a_relay_that_does_not_begin(toy, topic, community, monkeypatch, kind, name, 40)


@pytest.mark.twin(row="stuck", caught_by="I3")
@of_calls
async def test_twin_that_waits_for_its_beginning_for_ever_is_caught(
    toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, kind: Any, name: str
):
    monkeypatch.setattr(relay, "BOUND", NEVER)
    with pytest.raises(AssertionError, match="not within"):
        await a_relay_that_does_not_begin(toy, topic, community, monkeypatch, kind, name, 8)


# the keys


async def keys_whose_place_is_not_known(toy: App, topic: Topic, monkeypatch: pytest.MonkeyPatch, within: float) -> None:
    hung = hang_once(monkeypatch, keys_topic.AIOKafkaConsumer, "position", done_first=False)
    toy._start_keys()
    await until(lambda: hung)
    await until(lambda: toy.keys_heard is not None and toy.keys_heard.is_set(), within)
    assert toy.supervisor.restarts == {"keys": 1}


@pytest.mark.fault(row="stuck", invariants="I4")
async def test_keys_whose_place_is_not_known_are_read_by_a_new_consumer(toy: App, topic: Topic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keys_topic, "BOUND", 5.0)
    await keys_whose_place_is_not_known(toy, topic, monkeypatch, 40)


@pytest.mark.twin(row="stuck", caught_by="I4")
async def test_twin_that_waits_for_the_place_of_its_keys_for_ever_is_caught(toy: App, topic: Topic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keys_topic, "BOUND", NEVER)
    with pytest.raises(AssertionError, match="not within"):
        await keys_whose_place_is_not_known(toy, topic, monkeypatch, 8)


# a lease


@pytest.fixture
async def two(app_of: AppOf) -> AsyncIterator[tuple[App, App, Proxy]]:
    """Two processes of one service, the second behind a network."""
    first = await app_of(service())
    async with proxy_to(first.settings.database_url) as (proxy, url):
        second = App(service(), first.settings.model_copy(update={"database_url": url}))
        yield first, second, proxy
        await second.supervisor.stop()
        await second.close()


async def a_lease_that_does_not_answer(two: tuple[App, App, Proxy], community: UUID, within: float) -> None:
    """The network forgets the connection that asks for it; then its holder ends."""
    (first, second, proxy), seen = two, list[int]()
    pool, held = await first.database.pool(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await asyncio.Event().wait()

    async def take(rows: Sequence[Recorded], position: int) -> None:
        seen.extend(row.position for row in rows)
        await advance(await second.database.pool(), NAME, position, rows[-1].position)

    holder = asyncio.create_task(holding(first.database, NAME, hold))
    await held.wait()
    second.supervisor.start(NAME, lambda: follow(second.log, second.wake, Subscription(NAME, take)))
    await until(lambda: pool.fetchval(ASKED))
    proxy.forget()
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    await first.log.append(append(community))
    await until(lambda: seen == [1], within)
    assert second.supervisor.restarts == {NAME: 1}


@pytest.mark.fault(row="stuck", invariants="I4")
async def test_who_asks_for_a_lease_and_hears_nothing_asks_again(
    two: tuple[App, App, Proxy], community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "BOUND", 1.0)
    await a_lease_that_does_not_answer(two, community, 40)


@pytest.mark.twin(row="stuck", caught_by="I4")
async def test_twin_that_waits_for_its_lease_for_ever_is_caught(
    two: tuple[App, App, Proxy], community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "BOUND", NEVER)
    with pytest.raises(AssertionError, match="not within"):
        await a_lease_that_does_not_answer(two, community, 8)
