"""What says nothing for ever is given up after its bound, and all of it comes all the same; what is only away is waited for."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient
from msgspec.structs import replace

from libs.eventkit import hear, relay, run
from libs.eventkit.service import App
from libs.eventkit.supervise import Supervisor
from tests.eventkit.hanging import hang_once
from tests.eventkit.topics import Topic, chain, topic_of
from tests.eventkit.writers import append
from tests.kit import until
from tests.toy.main import ECHO, service

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())
TOY = replace(service(), reactions=lambda app: (), readers=lambda app: (), timers=lambda app: (), views=())
NEVER = 1e6


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hear, "FETCH", 300)
    monkeypatch.setattr(hear, "BOUND", 5.0)
    monkeypatch.setattr(relay, "BOUND", 5.0)
    monkeypatch.setattr(run, "LOOK", 0.01)


@pytest.fixture
async def echo(app_of: AppOf) -> App:
    return await app_of(LISTENER)


@pytest.fixture
async def topic(echo: App) -> AsyncIterator[Topic]:
    async with topic_of(echo.settings) as found:
        yield found


async def hears(echo: App, positions: list[int], within: float = 40.0) -> None:
    """Each once, in order."""
    pool = await echo.database.pool()

    async def all_of_it() -> bool:
        return [r[0] for r in await pool.fetch("select source_position from events order by position")] == positions

    await until(all_of_it, within)


# hearing


async def a_consumer_that_says_nothing(echo: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, within: float) -> None:
    assert echo.hearing is not None
    hung = hang_once(monkeypatch, hear.AIOKafkaConsumer, "getmany", done_first=False)
    await topic.put(*chain(community, [1, 2, 3]))
    echo.supervisor.start("hear", echo.hearing.run)
    await until(lambda: hung)
    await hears(echo, [1, 2, 3], within)
    assert echo.supervisor.restarts == {"hear": 1} and echo.hearing._consumer not in (None, *hung)


@pytest.mark.fault(row="stuck", invariants="I4")
async def test_a_consumer_that_says_nothing_is_given_up_and_a_new_one_hears_everything(
    echo: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    await a_consumer_that_says_nothing(echo, topic, community, monkeypatch, 40)


@pytest.mark.twin(row="stuck", caught_by="I4")
async def test_twin_that_waits_for_its_consumer_for_ever_is_caught(
    echo: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hear, "BOUND", NEVER)
    with pytest.raises(AssertionError, match="not within"):
        await a_consumer_that_says_nothing(echo, topic, community, monkeypatch, 10)


async def a_consumer_that_brings_nothing(echo: App, topic: Topic, community: UUID, within: float) -> None:
    assert echo.hearing is not None
    messages = chain(community, [1, 2, 3])
    await topic.put(*messages[:2])
    echo.supervisor.start("hear", echo.hearing.run)
    await hears(echo, [1, 2])
    paused = echo.hearing._consumer
    assert paused is not None
    paused.pause(*paused.assignment())
    await topic.put(messages[2])
    await hears(echo, [1, 2, 3], within)
    assert echo.supervisor.restarts == {"hear": 1} and echo.hearing._consumer not in (None, paused)


@pytest.mark.fault(row="stuck", invariants="I4")
async def test_a_consumer_that_brings_nothing_though_its_topic_has_more_is_given_up(echo: App, topic: Topic, community: UUID):
    await a_consumer_that_brings_nothing(echo, topic, community, 40)


@pytest.mark.twin(row="stuck", caught_by="I4")
async def test_twin_that_does_not_look_what_its_topics_have_is_caught(
    echo: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    async def no(*_: Any) -> bool:
        return False

    monkeypatch.setattr(hear.Hearing, "_is_behind", no)
    with pytest.raises(AssertionError, match="not within"):
        await a_consumer_that_brings_nothing(echo, topic, community, 8)


async def test_a_consumer_that_has_all_there_is_is_kept(echo: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch):
    """However often it brings nothing."""
    assert echo.hearing is not None
    looked, real = list[bool](), echo.hearing._is_behind

    async def look(consumer: Any) -> bool:
        looked.append(await real(consumer))
        return looked[-1]

    monkeypatch.setattr(echo.hearing, "_is_behind", look)
    await topic.put(*chain(community, [1, 2]))
    echo.supervisor.start("hear", echo.hearing.run)
    await hears(echo, [1, 2])
    looked.clear()
    await until(lambda: len(looked) > 4)
    assert not any(looked) and echo.supervisor.restarts == {}


# publishing


async def an_acknowledgement_that_never_comes(
    echo: App, toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, arrived: bool, within: float
) -> None:
    assert echo.hearing is not None
    hung = hang_once(monkeypatch, relay.AIOKafkaProducer, "send_batch", done_first=arrived)
    for _ in range(2):
        await toy.log.append(append(community))
    toy.start_relay()
    echo.supervisor.start("hear", echo.hearing.run)
    await until(lambda: hung)
    await toy.log.append(append(community))
    await hears(echo, [1, 2, 3], within)
    told = [h.number.position for h in await topic.heard()]
    assert told == [1, 2] * arrived + [1, 2, 3] and toy.supervisor.restarts == {"relay": 1}


@pytest.fixture
async def toy(app_of: AppOf, echo: App) -> App:
    made = await app_of(TOY)
    settings = made.settings.model_copy(update={"topic_prefix": echo.settings.topic_prefix})
    made.settings = settings
    assert made.relay is not None
    made.relay.settings, made.relay.topic = settings, settings.topic("toy")
    return made


@pytest.mark.fault(row="stuck", invariants="I3 I4")
@pytest.mark.parametrize("arrived", [True, False], ids=["though it arrived", "and it was never sent"])
async def test_a_batch_whose_acknowledgement_never_comes_is_told_again_and_heard_once(
    echo: App, toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch, arrived: bool
):
    await an_acknowledgement_that_never_comes(echo, toy, topic, community, monkeypatch, arrived, 40)


@pytest.mark.twin(row="stuck", caught_by="I3")
async def test_twin_that_waits_for_its_acknowledgement_for_ever_is_caught(
    echo: App, toy: App, topic: Topic, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay, "BOUND", NEVER)
    with pytest.raises(AssertionError, match="not within"):
        await an_acknowledgement_that_never_comes(echo, toy, topic, community, monkeypatch, True, 10)


# what ends the process, and what does not


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(run.os, "kill", lambda pid, number: found.append((pid, number)))
    return found


def count_looks(app: App, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    looks, real = list[int](), app.database.pool

    async def pool() -> Any:
        looks.append(len(looks))
        return await real()

    monkeypatch.setattr(app.database, "pool", pool)
    return looks


async def test_a_log_that_has_begun_another_generation_ends_the_process_in_grace_and_once(
    echo: App, ended: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
):
    pool, looks = await echo.database.pool(), count_looks(echo, monkeypatch)
    looking = asyncio.create_task(run.end_with_its_generation(echo))
    await until(lambda: len(looks) > 3)
    assert ended == [] and not looking.done()
    await pool.execute("update log_state set generation = 2")
    await asyncio.wait_for(looking, 10)
    assert ended == [(os.getpid(), signal.SIGTERM)]


async def ends_nothing_while_all_is_away(echo: App, ended: list[tuple[int, int]]) -> None:
    """However long: many times as often as anything is given up elsewhere. It answers all the while."""
    away = App(LISTENER, echo.settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    away.database = echo.database
    assert away.hearing is not None
    away.hearing.database = echo.database
    dark = App(LISTENER, echo.settings.model_copy(update={"database_url": "postgresql://echo_owner@127.0.0.1:1/x"}))
    for app, name, work in ((away, "hear", away.hearing.run), (dark, "generation", lambda: run.end_with_its_generation(dark))):
        app.supervisor.start(name, work)
    try:
        await until(lambda: away.supervisor.restarts.get("hear", 0) > 2 and dark.supervisor.restarts.get("generation", 0) > 2)
        for app in (away, dark):
            async with AsyncClient(transport=ASGITransport(run.web(app)), base_url="http://echo") as client:
                assert (await client.get("/livez")).status_code == 200
        assert ended == []
    finally:
        await away.supervisor.stop()
        await dark.close()


@pytest.mark.fault(row="kafka-partition", invariants="I14")
@pytest.mark.fault(row="stuck", invariants="I14")
async def test_a_broker_or_a_database_that_is_away_ends_nothing(echo: App, ended: list[tuple[int, int]]):
    await ends_nothing_while_all_is_away(echo, ended)


@pytest.mark.twin(row="kafka-partition", caught_by="I14")
@pytest.mark.twin(row="stuck", caught_by="I14")
@pytest.mark.parametrize("name", ["hear", "generation"])
async def test_twin_that_takes_what_is_away_for_what_is_stuck_is_caught(
    echo: App, ended: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, name: str
):
    real = Supervisor.start

    def start(supervisor: Supervisor, task: str, work: Callable[[], Awaitable[None]]) -> None:
        async def or_end() -> None:
            try:
                await work()
            except Exception:
                run.os.kill(os.getpid(), signal.SIGTERM)
                raise

        real(supervisor, task, or_end if task == name else work)

    monkeypatch.setattr(Supervisor, "start", start)
    with pytest.raises(AssertionError):
        await ends_nothing_while_all_is_away(echo, ended)
