"""Listeners that come and go, or stand still for longer than their group waits: everything heard once, in order."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from libs.eventkit.recorded import Number
from libs.eventkit.service import App
from tests.eventkit.topics import Topic, chain, topic_of
from tests.faults.findings import Broken, Finding, settle
from tests.faults.tally import Tally
from tests.kit import everything, until
from tests.toy.listener import Listener
from tests.toy.main import ECHO

AppOf = Callable[..., Awaitable[App]]
EACH = 24


class Hall:
    """A topic with several communities, listeners that share it, and the log that they write."""

    def __init__(self, app: App, topic: Topic, pool: asyncpg.Pool, directory: Path, twin: str, tally: Tally) -> None:
        self.app, self.topic, self.pool, self.directory, self.twin, self.tally = app, topic, pool, directory, twin, tally
        self.communities = [uuid4() for _ in range(8)]
        self.told = 0

    def listener(self, member: str) -> Listener:
        return Listener(self.app.settings, member, self.directory, self.twin)

    async def say(self, times: int) -> None:
        """So many more of each community, in turn, so that every listener has something in its hands at the end."""
        begin, self.told = self.told, self.told + times
        for step in zip(*(chain(c, range(1, self.told + 1))[begin:] for c in self.communities), strict=True):
            await self.topic.put(*step)

    async def heard(self) -> bool:
        found = await self.pool.fetch("select community_id, max(source_position) as last from events group by community_id")
        return {r["community_id"]: r["last"] for r in found} == dict.fromkeys(self.communities, self.told)

    async def check(self) -> None:
        rows = await everything(self.pool)
        self.tally.events += len(rows)
        settle(self._findings([(r.community_id, r.number) for r in rows if r.number]), self.tally)

    def _findings(self, rows: list[tuple[UUID, Number]]) -> Iterator[Finding]:
        for community in self.communities:
            found, wanted = [n.position for c, n in rows if c == community], list(range(1, self.told + 1))
            if lost := set(wanted) - set(found):
                yield Finding("I4", f"{len(lost)} of {community} were never heard", lost=len(lost))
            if len(found) > len(set(found)):
                yield Finding("I4", f"{community} heard {len(found)} of {len(wanted)}", doubled=len(found) - len(set(found)))
            if found != sorted(found):
                yield Finding("I6", f"{community} heard in another order")


HallOf = Callable[..., Awaitable[Hall]]


@pytest.fixture
async def hall_of(app_of: AppOf, tmp_path: Path, tally: Tally) -> AsyncIterator[HallOf]:
    opened: list[object] = []

    async def hall(twin: str = "") -> Hall:
        app = await app_of(ECHO)
        context = topic_of(app.settings)
        topic = await context.__aenter__()
        opened.append(context)
        return Hall(app, topic, await app.database.pool(), tmp_path, twin, tally)

    yield hall
    for context in opened:
        await context.__aexit__(None, None, None)  # type: ignore[attr-defined]


@asynccontextmanager
async def listening(hall: Hall, *members: str) -> AsyncIterator[list[Listener]]:
    found = [hall.listener(member) for member in members]
    try:
        for listener in found:
            await listener.start()
        yield found
    finally:
        for listener in found:
            await listener.stop(signal.SIGKILL)


async def members(hall: Hall, count: int) -> None:
    """Waits until the group has so many."""
    group = f"{hall.app.settings.topic_prefix}.echo.g1"
    admin = AIOKafkaAdminClient(**hall.app.settings.broker)
    await admin.start()

    async def there() -> bool:
        described = (await admin.describe_consumer_groups([group]))[0].to_object()["groups"][0]
        return described["state"] == "Stable" and len(described["members"]) == count

    try:
        await until(there, 60)
    finally:
        await admin.close()


async def storm(hall: Hall) -> None:
    """Members come and go, by themselves and by force, and each time the partitions are dealt anew; some always has been told meanwhile."""
    async with listening(hall, "0"):
        for n, number in enumerate((signal.SIGTERM, signal.SIGKILL)):
            await hall.say(EACH // 6)
            async with listening(hall, f"a{n}", f"b{n}") as two:
                await members(hall, 3)
                await hall.say(EACH // 6)
                await two[0].stop(number)
                await hall.say(EACH // 6)
                await two[1].stop(signal.SIGTERM)
            hall.tally.rounds = n + 1
        await hall.say(1)
        await until(hall.heard, 60)
    await hall.check()


@pytest.mark.fault(row="rebalance-storm", invariants="I4 I6")
async def test_whoever_comes_and_goes_everything_is_heard_once(hall_of: HallOf):
    await storm(await hall_of())


@pytest.mark.twin(row="rebalance-storm", caught_by="I4")
async def test_twin_that_remembers_in_the_process_is_caught(hall_of: HallOf):
    with pytest.raises(Broken) as broken:
        await storm(await hall_of("known_to_the_process"))
    assert broken.value.invariant == "I4"


async def stood_still(hall: Hall) -> None:
    """One of two stands still while it has something in its hands; the group waits ten seconds and gives the other what it had; then the
    first goes on with what it had in its hands."""
    async with listening(hall, "0", "1") as (first, _):
        await members(hall, 2)
        await hall.say(EACH)
        await until(lambda: hall.pool.fetchval("select count(*) > 0 from marks") if not hall.twin else True)
        first.send(signal.SIGSTOP)
        await hall.say(EACH)
        await members(hall, 1)
        await until(hall.heard, 60)
        first.send(signal.SIGCONT)
        await members(hall, 2)
        await hall.say(3)
        await until(hall.heard, 60)
    await hall.check()


@pytest.mark.fault(row="stopped-listener", invariants="I4 I6")
async def test_a_listener_that_stood_still_past_its_session_hears_nothing_twice(hall_of: HallOf):
    await stood_still(await hall_of())


@pytest.mark.twin(row="stopped-listener", caught_by="I4")
async def test_twin_that_reads_its_mark_in_another_transaction_is_caught(hall_of: HallOf):
    with pytest.raises(Broken) as broken:
        await stood_still(await hall_of("mark_read_outside"))
    assert broken.value.invariant == "I4"
