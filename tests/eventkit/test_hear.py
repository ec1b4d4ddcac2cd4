"""Hearing: each public event once, in order; what is missing is named and keeps its own community waiting, nobody else's."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from libs.eventkit import hear
from libs.eventkit.envelope import partition_of
from libs.eventkit.service import App
from libs.eventkit.status import status
from tests.eventkit.topics import Message, Topic, chain, said, topic_of
from tests.eventkit.writers import patch_function
from tests.faults.proxy import proxy_to
from tests.kit import everything, until
from tests.toy.main import ECHO

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())


@pytest.fixture
async def echo(app_of: AppOf) -> App:
    return await app_of(LISTENER)


@pytest.fixture
async def pool(echo: App) -> asyncpg.Pool:
    return await echo.database.pool()


@pytest.fixture
async def topic(echo: App) -> AsyncIterator[Topic]:
    async with topic_of(echo.settings) as found:
        yield found


async def heard(pool: asyncpg.Pool, community: UUID | None = None) -> list[int]:
    return [int(r[0]) for r in await pool.fetch(
        "select source_position from events where source = 'toy' and ($1::uuid is null or community_id = $1) order by position",
        community)]


async def hears(pool: asyncpg.Pool, community: UUID, *positions: int) -> None:
    async def all_of_it() -> bool:
        return await heard(pool, community) == list(positions)

    await until(all_of_it)


async def judged(app: App, count: int) -> dict[str, int]:
    """Waits until this many records have been answered for."""
    assert app.hearing is not None
    counts = app.hearing.counts
    await until(lambda: sum(counts.values()) >= count)
    return counts


async def test_what_is_said_is_heard_in_order_as_it_was_said(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    messages = chain(community, [1, 4, 9])
    await topic.put(*messages)
    echo.start_worker()
    await hears(pool, community, 1, 4, 9)
    rows = await everything(pool)
    assert [r.data.encode() for r in rows] == [m.body for m in messages]
    assert [(r.source, r.type, r.stream, r.community_id) for r in rows] == [("toy", "toy.added", None, community)] * 3
    assert [r.position for r in rows] == [1, 2, 3] and rows[0].subject.startswith("account:")
    assert rows[0].meta.source_time is not None


@pytest.mark.fault(row="duplicates", invariants="I4 I6")
async def test_what_comes_three_times_and_out_of_order_is_heard_once(echo: App, topic: Topic, pool: asyncpg.Pool):
    """The way of a relay that dies often: it goes back and says everything from there again."""
    communities = [uuid4() for _ in range(4)]
    chains = [chain(c, range(1, 31)) for c in communities]
    order = [m for step in zip(*chains, strict=True) for m in step]
    dice = random.Random(7)
    again = [m for n in range(0, len(order), 10) for _ in range(3) for m in order[max(0, n - dice.randrange(10)):n + 10]]
    echo.start_worker()
    await topic.put(*again)
    for community in communities:
        await hears(pool, community, *range(1, 31))
    counts = await judged(echo, len(again))
    assert counts == {"taken": 120, "known": len(again) - 120, "repeated": 0, "missing": 0, "unreadable": 0, "unknown": 0}


async def test_two_that_changed_places_wait_for_what_is_between(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    first, second, third = chain(community, [1, 2, 3])
    echo.start_worker()
    await topic.put(first, third, second)
    await hears(pool, community, 1, 2)
    await topic.put(first, second, third)
    await hears(pool, community, 1, 2, 3)
    assert await pool.fetchval("select count(*) from gaps") == 0


async def a_missing_record_is_named(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID) -> None:
    """A record was deleted from the topic: the range is named, only its community waits, and `republish` mends it."""
    other = uuid4()
    mine, theirs = chain(community, [1, 5, 6, 7]), chain(other, [2, 3, 4])
    echo.start_worker()
    await topic.put(mine[0], *mine[2:], *theirs)
    await hears(pool, other, 2, 3, 4)
    assert (await judged(echo, 6))["missing"] == 2 and await heard(pool, community) == [1]
    found = await status(echo)
    gap = found["gaps"][0]
    assert (gap["topic"], gap["community_id"], gap["after"], gap["upto"]) == (topic.name, str(community), "1.1.0", "1.5.0")
    assert not found["ready"] and any("republish" in text for text in found["why"])

    async def serves_the_others() -> bool:
        return bool((await status(echo))["serves"])

    now = datetime.now(UTC)
    echo.verifier.learn("k1", bytes(range(32)), now, now)
    echo.start_api()
    await until(serves_the_others)
    assert len((await status(echo))["gaps"]) == 1
    await topic.put(*mine, *theirs)
    await hears(pool, community, 1, 5, 6, 7)
    assert (await status(echo))["gaps"] == [] and await heard(pool, other) == [2, 3, 4]


@pytest.mark.fault(row="kafka-wiped", invariants="I3")
async def test_a_missing_record_is_named_and_only_its_community_waits(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    await a_missing_record_is_named(echo, topic, pool, community)


@pytest.mark.twin(row="kafka-wiped", caught_by="I3")
async def test_twin_whose_mark_ignores_what_went_before_is_caught(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    await patch_function(echo.settings, "hear_batch", {r"elsif \(r_previous_generation.*?then": "elsif false then"})
    with pytest.raises(AssertionError):
        await a_missing_record_is_named(echo, topic, pool, community)
    assert await heard(pool, community) == [1, 6, 7], "it has not noticed"


async def test_an_id_that_is_there_is_not_stored_again(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    event_id = uuid4()
    echo.start_worker()
    await topic.put(said(community, 1, event_id=event_id), said(community, 2, 1, event_id=event_id), said(community, 3, 2))
    await hears(pool, community, 1, 3)
    assert (await judged(echo, 3))["repeated"] == 1


async def test_a_later_generation_goes_on_and_an_earlier_one_is_known(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    echo.start_worker()
    await topic.put(*chain(community, [1, 2, 3]))
    await topic.put(said(community, 3, 2, generation=2), said(community, 4, 3), said(community, 4, 3, generation=2, previous_generation=2))
    await hears(pool, community, 1, 2, 3, 3, 4)
    rows = await everything(pool)
    assert [r.number.generation for r in rows if r.number] == [1, 1, 1, 2, 2]
    assert (await judged(echo, 6))["known"] == 1


async def test_after_restored_everything_is_read_again_and_the_known_dropped(
    echo: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID
):
    echo.start_worker()
    await topic.put(*chain(community, [1, 2, 3]))
    await hears(pool, community, 1, 2, 3)
    await echo.supervisor.stop()
    owner = await asyncpg.connect(echo.settings.database_url)
    await owner.execute("delete from events where position > 1; update marks set position = 1; update log_state set generation = 2")
    await owner.close()
    restored = await app_of(LISTENER, beside=echo)
    restored.start_worker()
    await hears(pool, community, 1, 2, 3)
    assert (await judged(restored, 3))["known"] == 1


# what cannot be read


def good(community: UUID) -> Message:
    return said(community, 1)


BAD: dict[str, Callable[[Message], Message]] = {
    "no body": lambda m: replace(m, body=None),
    "not JSON": lambda m: replace(m, body=b"{"),
    "not an object": lambda m: replace(m, body=b"[1]"),
    "not UTF-8": lambda m: replace(m, body=b'{"a":"\xff"}'),
    "NUL in the body": lambda m: replace(m, body=b'{"a":"\\u0000"}'),
    "a control character": lambda m: replace(m, body=b'{"a":"\x01"}'),
    "half a surrogate": lambda m: replace(m, body=b'{"a":"\\ud800"}'),
    "a hundred thousand brackets": lambda m: replace(m, body=b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "too large": lambda m: replace(m, body=b'{"a":"' + b"a" * 900_000 + b'"}'),
    "a number without end": lambda m: replace(m, body=b'{"a":' + b"9" * 5000 + b"}"),
    "no headers": lambda m: replace(m, headers=[]),
    "no community": lambda m: m.without("ce_partitionkey"),
    "no number": lambda m: m.without("ce_lifangposition"),
    "a number that is none": lambda m: m.having(ce_lifangposition=b"1.x.0"),
    "a number beyond all bounds": lambda m: m.having(ce_lifangposition=b"1.99999999999999999999.0"),
    "a version beyond all bounds": lambda m: m.having(ce_lifangschema=b"99999999999"),
    "a time without a zone": lambda m: m.having(ce_time=b"2026-01-01T00:00:00"),
    "a time that is none": lambda m: m.having(ce_lifangrequestedat=b"yesterday"),
    "NUL in a header": lambda m: m.having(ce_type=b"toy\0added"),
    "NUL in the subject": lambda m: m.having(ce_subject=b"a\0b"),
    "a header of bytes": lambda m: m.having(ce_type=b"\xff"),
    "a header without a value": lambda m: replace(m, headers=[*m.without("ce_type").headers, ("ce_type", None)]),  # type: ignore[list-item]
    "causes that are none": lambda m: m.having(ce_lifangcausedby=b"me you"),
}
HARMLESS = {"half a surrogate", "a number without end", "a control character"}
"""These may as well be taken, as long as the database takes them too."""


async def test_what_cannot_be_read_is_kept_aside_whole_and_stops_nobody(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    echo.start_worker()
    bad = {what: spoil(good(uuid4())) for what, spoil in BAD.items()}
    for message in bad.values():
        await topic.put(replace(message, community_id=community))
    await topic.put(*chain(community, [1, 2]))
    await hears(pool, community, 1, 2)
    await judged(echo, len(bad) + 2)
    kept = {bytes(r["body"] or b""): r["reason"] for r in await pool.fetch("select body, reason from kept_aside")}
    for what, message in bad.items():
        assert what in HARMLESS or (message.body or b"") in kept, what
    count = await pool.fetchval("select count(*) from kept_aside")
    assert len(bad) - len(HARMLESS) <= count <= len(bad)


async def test_whatever_is_taken_the_database_takes_too(echo: App, pool: asyncpg.Pool):
    """Random bodies, as JSON as chance makes them: each is taken or unreadable, none ends the hearing."""
    dice = random.Random(11)
    words = [b"{", b"}", b'"a":', b'"', b"\\u00e4", b"\\ud83d", b"\\", b"\x7f", b"\t", b"1e999", b"-0", b"01", b"NaN", b"null", b",",
             b"[", b"]", "里".encode(), b"\xc0\x80", b"/**/", b"true", b"1.", b"\xef\xbb\xbf", b" ", b"\\x"]
    for _ in range(400):
        body = b'{"a":' + b"".join(dice.choices(words, k=dice.randrange(1, 5))) + b"}"
        await _taken(echo, body)


async def _taken(app: App, body: bytes) -> None:
    from aiokafka import ConsumerRecord

    message = replace(said(uuid4(), 1), body=body)
    record: Any = ConsumerRecord(
        app.settings.topic("toy"), 0, 0, 0, 0, b"", body, None, 0, 0, tuple(message.headers))
    assert app.hearing is not None
    await app.hearing._take([record])


# what happens to the listener


async def test_nothing_is_passed_over_while_the_database_is_away(
    echo: App, app_of: AppOf, topic: Topic, pool: asyncpg.Pool, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The records are fetched, the database fails, the consumer ends and begins again: they must come once more."""
    monkeypatch.setattr(hear, "HINT", 0.0)
    async with proxy_to(echo.settings.database_url) as (proxy, url):
        app = App(LISTENER, echo.settings.model_copy(update={"database_url": url}))
        await app.open()
        app.start_worker()
        messages = chain(community, range(1, 7))
        await topic.put(*messages[:2])
        await hears(pool, community, 1, 2)
        proxy.refuse = True
        proxy.cut()
        await topic.put(*messages[2:4])
        await until(lambda: app.supervisor.restarts.get("hear", 0) >= 2)
        await topic.put(*messages[4:])
        proxy.refuse = False
        await hears(pool, community, 1, 2, 3, 4, 5, 6)
        assert await pool.fetchval("select count(*) from gaps") == 0
        await app.close()


async def test_a_stale_copy_of_the_mark_lets_nothing_in_twice(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    """A listener that was stopped past its session wakes up and stores what another has stored meanwhile."""
    from aiokafka import ConsumerRecord

    def records() -> list[Any]:
        return [ConsumerRecord(topic.name, 0, n, 0, 0, b"", m.body, None, 0, 0, tuple(m.headers)) for n, m in enumerate(messages)]

    messages = chain(community, range(1, 21))
    assert echo.hearing is not None
    await asyncio.gather(*(echo.hearing._take(records()[n:]) for n in (0, 0, 0)))
    assert await heard(pool, community) == list(range(1, 21))


async def test_lag_says_how_far_behind(echo: App, topic: Topic, pool: asyncpg.Pool, community: UUID):
    echo.start_worker()
    await topic.put(*chain(community, [1, 2]))
    await hears(pool, community, 1, 2)
    await until(lambda: echo.hearing is not None and echo.hearing.lag() == 0)


async def test_how_far_behind_is_not_known_before_the_broker_has_said_what_there_is(echo: App, topic: Topic, community: UUID):
    """Or whoever rests on having heard everything would do so in the first moments after a long stop."""
    await topic.put(*chain(community, [1, 2, 3]))
    hearing, mine = echo.hearing, TopicPartition(topic.name, partition_of(community))
    assert hearing is not None and hearing.lag() == -1
    async with AIOKafkaConsumer(**echo.settings.broker, auto_offset_reset="earliest", enable_auto_commit=False) as consumer:
        consumer.assign([mine])
        hearing._consumer = consumer
        assert hearing.lag() == -1
        await until(lambda: hearing.lag() == 3)
        await consumer.getone()
        assert hearing.lag() == 2
        hearing._consumer = None
