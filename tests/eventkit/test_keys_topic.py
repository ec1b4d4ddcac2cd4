"""Keys on their topic: heard to the end before a service is ready, and a tombstone is one for whoever was set back to before it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from msgspec import json
from msgspec.structs import replace

from cli.migrating.topics import ensure_topics
from cli.operate import operate
from libs.eventkit import keys_topic, status
from libs.eventkit.commands import Context
from libs.eventkit.envelope import partition_of
from libs.eventkit.erasing import EraseKey
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import Erased, Keks, KeyRecord, KeyRing, encrypt, seal
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from tests.kit import caught_up, until
from tests.toy.accounts import Add
from tests.toy.main import ECHO, service

AppOf = Callable[..., Awaitable[App]]
TOY = replace(service(), reactions=lambda app: (), readers=lambda app: (), timers=lambda app: (), views=())


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(TOY)


async def made(app: App, community: UUID):
    """Something sealed under a key that has been announced."""
    key = await app.keyring.key_for(community, "resident:1", "contact")
    asked = Context(community_id=community, now=datetime.now(UTC))
    await app.commands.handle(uuid4(), Add(1), asked, first=[KeyCreated(key.key_id)])
    await app.keyring.announced(key.key_id)
    return seal(key.dek, key.key_id, uuid4(), "phone", "13812345678"), asked


async def heard(app: App) -> list[KeyRecord]:
    """What the topic brings somebody else."""
    found: list[KeyRecord] = []

    class Ring:
        async def news(self, records):
            found.extend(records)
            return []

    read, settings = asyncio.Event(), app.settings.model_copy(update={"service": "elsewhere"})
    hearing = asyncio.create_task(keys_topic.hear_keys(settings, Ring(), read))  # type: ignore[arg-type]
    await asyncio.wait_for(read.wait(), 20)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    return found


async def test_the_tombstone_is_sent_for_what_the_log_says_also_while_the_key_is_there(toy: App, community: UUID):
    """Whoever erases says it first: the relay may be faster than they are."""
    sealed, asked = await made(toy, community)
    await toy.commands.handle(sealed.key_id, EraseKey(sealed.key_id), asked)
    toy.start_relay()
    await caught_up(await toy.database.pool(), "relay")
    assert [r.wrapped is None for r in await heard(toy) if r.key_id == sealed.key_id][-1]


OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
async def sent(toy: App, community: UUID) -> AsyncIterator[tuple[KeyRecord, KeyRecord]]:
    """A key of another service on the topic, wrapped by one key-encryption key and then by the next one, and both still stand there."""
    record = KeyRecord(uuid4(), community, "resident:1", "contact", "identity", "2025")
    was, now = (
        replace(record, kek_id=kek_id, wrapped=encrypt(kek, b"d" * 32, record.bound)) for kek_id, kek in (("2025", OLD), ("2026", NEW)))
    await ensure_topics(toy.settings, ())
    producer = AIOKafkaProducer(**toy.settings.broker)
    await producer.start()
    for each in (was, now):
        await producer.send_and_wait(toy.settings.topic("keys"), json.encode(each), str(each.key_id).encode(), partition_of(community))
    await producer.stop()
    yield was, now


async def hears(app: App, keks: dict[str, bytes]) -> None:
    """As a service that is started, until it has read the topic."""
    app.keyring = KeyRing(await app.database.pool(), "toy", Keks({"contact": keks}))
    read = asyncio.Event()
    hearing = asyncio.create_task(keys_topic.hear_keys(app.settings, app.keyring, read))
    await asyncio.wait_for(read.wait(), 20)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


async def test_after_a_rotation_whoever_starts_again_does_not_go_back_to_the_old_wrapping(toy: App, sent: tuple[KeyRecord, KeyRecord]):
    box = seal(b"d" * 32, sent[0].key_id, uuid4(), "phone", "13812345678")
    for keks in ({"2025": OLD, "2026": NEW}, {"2026": NEW}, {"2026": NEW}):
        await hears(toy, keks)
        assert await toy.keyring.open(box) == b"13812345678"


async def test_record_by_record_the_old_wrapping_is_no_news(toy: App, sent: tuple[KeyRecord, KeyRecord]):
    """Where the two do not come in one fetch."""
    was, now = sent
    ring = KeyRing(await toy.database.pool(), "toy", Keks({"contact": {"2026": NEW}}))
    for record, is_news in ((was, True), (now, True), (was, False), (now, False), (replace(was, wrapped=None), True)):
        found = await ring.news([record])
        assert bool(found) == is_news
        for each in found:
            await ring.store(each)


async def test_a_service_is_not_ready_before_it_has_heard_the_keys(toy: App, community: UUID):
    toy.keys_heard = asyncio.Event()
    assert any("keys are read" in reason for reason in (await status.status(toy))["why"])
    toy.start_relay()
    await until(lambda: toy.keys_heard is not None and toy.keys_heard.is_set())
    assert not any("keys are read" in reason for reason in (await status.status(toy))["why"])


async def set_back(app_of: AppOf, toy: App, community: UUID) -> tuple[App, Sealed]:
    """To before the erasure of a key, as by a restore; the key's topic knows of it."""
    sealed, asked = await made(toy, community)
    was = await toy.keyring.record(sealed.key_id)
    await toy.commands.handle(sealed.key_id, EraseKey(sealed.key_id), asked)
    toy.start_relay()
    await caught_up(await toy.database.pool(), "relay")
    restored = await app_of(TOY)
    assert was is not None
    await restored.keyring.store(was)
    assert await restored.keyring.open(sealed) != Erased()
    restored.settings = restored.settings.model_copy(update={"topic_prefix": toy.settings.topic_prefix})
    return restored, sealed


async def said_of(app: App, sealed: Sealed) -> list[str]:
    return [r.type for r in await app.log.stream(f"key:{sealed.key_id}")]


async def test_set_back_to_before_an_erasure_a_service_erases_again_before_it_is_ready(app_of: AppOf, toy: App, community: UUID):
    restored, sealed = await set_back(app_of, toy, community)
    restored._start_keys()
    await until(lambda: restored.keys_heard is not None and restored.keys_heard.is_set())
    assert await restored.keyring.open(sealed) == Erased()
    assert await said_of(restored, sealed) == [], "what the log lacks is said by `lifang restored`"


@pytest.mark.parametrize("started", [False, True], ids=["beside nobody", "after the service has heard it"])
async def test_restored_says_once_what_the_log_lacks(app_of: AppOf, toy: App, community: UUID, started: bool):
    restored, sealed = await set_back(app_of, toy, community)
    if started:
        restored._start_keys()
        await until(lambda: restored.keys_heard is not None and restored.keys_heard.is_set())
    for again in (1, 0):
        assert (await operate(App(TOY, restored.settings), "restored", []))["erased_again"] == again
        assert await said_of(restored, sealed) == ["key_erased"]
    assert [r.generation for r in await restored.log.stream(f"key:{sealed.key_id}")] == [3], "told anew by each"
    restored.keyring.forget(sealed.key_id)
    assert await restored.keyring.open(sealed) == Erased()


async def test_while_the_keys_cannot_be_read_nothing_has_begun(toy: App, community: UUID):
    await made(toy, community)
    pool = await toy.database.pool()
    with pytest.raises(KafkaError):
        await operate(App(TOY, toy.settings.model_copy(update={"kafka": "127.0.0.1:1"})), "restored", [])
    assert await pool.fetchval("select generation from log_state") == 1


async def test_restored_says_nothing_of_keys_of_others_and_of_those_that_are_alive(app_of: AppOf, toy: App, community: UUID):
    sealed, asked = await made(toy, community)
    await toy.commands.handle(sealed.key_id, EraseKey(sealed.key_id), asked)
    kept, _ = await made(toy, uuid4())
    toy.start_relay()
    await caught_up(await toy.database.pool(), "relay")
    echo = await app_of(ECHO)
    echo.settings = echo.settings.model_copy(update={"topic_prefix": toy.settings.topic_prefix})
    assert (await operate(App(ECHO, echo.settings), "restored", []))["erased_again"] == 0
    assert await echo.keyring.open(sealed) == Erased() and await echo.keyring.open(kept) == b"13812345678"
    assert await echo.log.last() == 0


async def test_a_listener_opens_nothing_once_it_has_heard_the_tombstone(app_of: AppOf, toy: App, community: UUID):
    sealed, asked = await made(toy, community)
    echo = await app_of(ECHO)
    echo.settings = echo.settings.model_copy(update={"topic_prefix": toy.settings.topic_prefix})
    await ensure_topics(echo.settings, ("toy",))
    echo._start_keys()
    toy.start_relay()

    async def opens() -> bool:
        return await echo.keyring.open(sealed) == b"13812345678"

    await until(opens)
    await toy.commands.handle(sealed.key_id, EraseKey(sealed.key_id), asked)

    async def gone() -> bool:
        return await echo.keyring.open(sealed) == Erased()

    await until(gone, 5)
