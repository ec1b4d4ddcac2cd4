"""S10: each service writes its own topics and reads what it hears, a subscriber reads what is open, and nobody else anything.

The table is written by hand; what is in force comes from the contracts. Every pair of user and topic is asked for, on the real broker.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from cli import subscriber
from cli.place import Place
from cli.stack import secrets as kept
from cli.stack.kafka_admin import administering
from libs.contracts.topics import HEARS, TOPICS
from libs.eventkit.settings import scram
from tests.conftest import Servers
from tests.security.broker import asking

IDENTITY, ACCESS, DEVICES, PARKING, ALARM, NEIGHBORS = (
    f"lifang.{name}.v1" for name in ("identity", "access", "devices", "parking", "alarm", "neighbors"))
KEYS, SEALS, GOVERNMENT = "lifang.keys.v1", "lifang.seals.v1", "gov.incidents.v1"
ALL = {IDENTITY, ACCESS, DEVICES, PARKING, ALARM, NEIGHBORS, KEYS, SEALS, GOVERNMENT}
MAY_WRITE = {
    "identity": {IDENTITY, KEYS},
    "access": {ACCESS, KEYS},
    "devices": {DEVICES, KEYS},
    "parking": {PARKING, KEYS},
    "alarm": {ALARM, KEYS},
    "neighbors": {NEIGHBORS, KEYS},
    "gateway": {GOVERNMENT, KEYS},
}
MAY_READ = {
    "identity": {IDENTITY, KEYS},
    "access": {ACCESS, IDENTITY, DEVICES, PARKING, ALARM, KEYS},
    "devices": {DEVICES, IDENTITY, ACCESS, PARKING, KEYS},
    "parking": {PARKING, IDENTITY, ACCESS, DEVICES, KEYS},
    "alarm": {ALARM, IDENTITY, ACCESS, DEVICES, KEYS},
    "neighbors": {NEIGHBORS, IDENTITY, ALARM, KEYS},
    "gateway": {GOVERNMENT, IDENTITY, ACCESS, DEVICES, PARKING, ALARM, NEIGHBORS, KEYS},
}


@pytest.fixture(scope="module")
async def place(servers: Servers) -> Place:
    if not os.environ.get("LIFANG_TEST_KAFKA_USER"):
        pytest.skip("this Kafka asks nobody who they are: it is not a stack's own")
    return Place(Path(os.environ["LIFANG_TEST_STATE"]))


@pytest.fixture
async def city(place: Place) -> AsyncIterator[str]:
    """A subscriber of all that is open."""
    name = f"city-{uuid4().hex[:8]}"
    await subscriber.add(place, name, [])
    yield name
    await subscriber.remove(place, name)


def login(place: Place, servers: Servers, user: str) -> tuple[str, str, str]:
    return servers.kafka, user, kept.read(place, f"kafka-{user}")


@pytest.mark.parametrize("service", sorted(MAY_WRITE))
async def test_a_service_writes_and_reads_exactly_what_the_table_says(place: Place, servers: Servers, service: str):
    async with asking(*login(place, servers, service)) as asked:
        assert {topic for topic in ALL if await asked.may_write(topic)} == MAY_WRITE[service]
        assert {topic for topic in ALL if await asked.may_read(topic)} == MAY_READ[service]
        groups = {other for other in MAY_WRITE if await asked.may_group(f"lifang.{other}.g1")}
        assert groups == {service}, "the groups of others would let it move what they have read"


async def test_the_keeper_writes_and_reads_the_seals_and_nothing_else(place: Place, servers: Servers):
    async with asking(*login(place, servers, "keeper")) as asked:
        assert {topic for topic in ALL if await asked.may_write(topic)} == {SEALS}
        assert {topic for topic in ALL if await asked.may_read(topic)} == {SEALS}
        assert not [g for g in ("keeper.g1", "lifang.keeper.g1", "lifang.access.g1") if await asked.may_group(g)]


async def test_the_table_is_of_every_topic_and_every_service(place: Place):
    async with administering(place) as admin:
        found = {t for t in await admin._client.list_topics() if t.startswith(("lifang.", "gov."))}
    assert found == ALL
    assert set(MAY_WRITE) == set(MAY_READ) == {p.parent.name for p in Path(__file__).parents[2].glob("services/*/main.py")}


@pytest.mark.parametrize("service", sorted(MAY_WRITE))
def test_what_a_service_hears_is_what_the_rules_are_made_from(service: str):
    wired = import_module(f"services.{service}.main").SERVICE
    assert (wired.hears, wired.topic or wired.name) == (HEARS[service], TOPICS[service])


async def test_a_subscriber_sees_what_is_open_and_nothing_else(place: Place, servers: Servers, city: str):
    async with asking(*login(place, servers, city)) as asked:
        assert {topic for topic in ALL if await asked.may_read(topic)} == {GOVERNMENT}
        assert not [topic for topic in ALL if await asked.may_write(topic)]
        assert [await asked.may_group(g) for g in (f"{city}.one", f"{city}x", "other.one", "lifang.gateway.g1")] == [True] + [False] * 3


async def test_a_subscriber_of_named_topics_sees_those_and_no_longer_the_others(place: Place, servers: Servers, city: str):
    async with asking(*login(place, servers, city)) as asked:
        await subscriber.add(place, city, ["gov.other.v1"])
        assert not await asked.may_read(GOVERNMENT), "also on a connection that was there before"
        assert [one["topics"] for one in await subscriber.listed(place) if one["name"] == city] == [["gov.other.v1"]]


async def test_who_is_removed_reads_nothing_more_and_cannot_come_back(place: Place, servers: Servers):
    name = f"gone-{uuid4().hex[:8]}"
    await subscriber.add(place, name, [])
    known = login(place, servers, name)
    async with asking(*known) as asked:
        assert await asked.may_read(GOVERNMENT)
        await subscriber.remove(place, name)
        assert not await asked.may_read(GOVERNMENT)
    with pytest.raises(KafkaError):
        async with asking(*known):
            pass
    assert name not in {one["name"] for one in await subscriber.listed(place)}
    assert not (place.secrets / f"kafka-{name}").exists()


@pytest.mark.parametrize(("name", "topics"), [
    ("access", []), ("admin", []), ("keeper", []), ("X", []), ("a b", []), ("a", []), ("city", [ACCESS]), ("city", [GOVERNMENT, KEYS])])
async def test_no_subscriber_is_a_service_or_reads_what_is_not_open(place: Place, name: str, topics: list[str]):
    with pytest.raises(ValueError):
        await subscriber.add(place, name, topics)


@pytest.mark.parametrize("how", ["nothing", "wrong password", "another's password", "no such user"])
async def test_who_does_not_say_who_they_are_is_refused(place: Place, servers: Servers, how: str):
    secure = {
        "nothing": {},
        "wrong password": scram("access", "guess"),
        "another's password": scram("access", kept.read(place, "kafka-alarm")),
        "no such user": scram("nobody", kept.read(place, "kafka-alarm")),
    }[how]
    consumer = AIOKafkaConsumer(GOVERNMENT, bootstrap_servers=servers.kafka, request_timeout_ms=3000, **secure)
    try:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(consumer.start(), 10)
    finally:
        await consumer.stop()


async def test_a_consumer_of_anothers_group_or_topic_is_refused(place: Place, servers: Servers):
    user = scram("neighbors", kept.read(place, "kafka-neighbors"))
    for topic, group, error in ((IDENTITY, "lifang.access.g1", GroupAuthorizationFailedError),
                                (DEVICES, None, TopicAuthorizationFailedError)):
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka, group_id=group, auto_offset_reset="earliest", **user)
        try:
            with pytest.raises(error):
                await consumer.start()
                await asyncio.wait_for(consumer.getone(), 10)
        finally:
            await consumer.stop()


async def test_no_password_stands_in_a_command_an_environment_or_a_log(place: Place):
    secret = {p.name: p.read_text().strip() for p in place.secrets.glob("kafka-*")}
    assert len(secret) > len(TOPICS) and len(set(secret.values())) == len(secret)
    shown = "".join(p.read_text(errors="replace") for p in place.log.rglob("*.log"))
    for process in psutil.process_iter():
        try:
            shown += " ".join((*process.cmdline(), *process.environ().values()))
        except psutil.Error:
            continue
    assert [name for name, value in secret.items() if value in shown] == []
    for path in (*place.secrets.iterdir(), place.kafka / "server.properties"):
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} can be read by others"


async def test_a_rule_that_the_table_does_not_have_goes_at_the_next_start(place: Place, servers: Servers):
    from cli.stack.kafka_admin import provide
    from cli.stack.kafka_rules import Rule

    async with administering(place) as admin:
        await admin.change({Rule("neighbors", "read", "topic", DEVICES)}, set())
    async with asking(*login(place, servers, "neighbors")) as asked:
        assert await asked.may_read(DEVICES)
        await provide(place)
        assert not await asked.may_read(DEVICES)
        assert await asked.may_read(IDENTITY)


def test_the_rules_ask_for_words_that_kafka_knows():
    from cli.stack import kafka_rules

    assert all(re.fullmatch(r"[a-z.0-9-]+", rule.name) for rule in kafka_rules.of_the_stack())
