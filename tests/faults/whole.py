"""One look at all services of a running stack, after anything that was done to it: what holds for the toy's logs holds for theirs.

For each of them: positions run 1…n, the topic holds what the log has published, whoever hears it has taken just that, every view is the
fold of its log, outcomes and claims are about what is there, and nobody is parked, damaged, kept aside or behind a gap.
"""

import importlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import asyncpg
from msgspec import Struct

from cli import status
from cli.place import Place
from cli.stack import secrets
from cli.stack.kafka_rules import ADMIN
from libs.eventkit.envelope import Heard
from libs.eventkit.recorded import Catalogue, Number
from libs.eventkit.service import App, Service
from libs.eventkit.settings import Settings, scram
from tests.eventkit.topics import lying_in
from tests.faults import of_logs
from tests.faults.findings import Finding, settle
from tests.faults.of_logs import Log, Said, log_of
from tests.faults.tally import Tally
from tests.kit import until


class Part(Struct, frozen=True):
    """One service as it was found. `topic`: with the partition of each record."""

    service: Service
    catalogue: Catalogue
    topic_name: str
    log: Log
    topic: list[tuple[int, Heard]]


async def check_all(place: Place, tally: Tally) -> None:
    """Waits until everybody has come up to what the others had said, and read its own log, then looks. Raises Broken."""
    parts = await _parts(place, tally)
    settle((finding for part in parts.values() for finding in (*alone(part), *among(part, parts))), tally)


async def check_each(place: Place, tally: Tally) -> None:
    """As check_all, but for what the topics have: they keep what a log has lost, and whoever has heard it keeps that too."""
    settle((finding for part in (await _parts(place, tally)).values() for finding in alone(part)), tally)


async def _parts(place: Place, tally: Tally) -> dict[str, Part]:
    found = await until(lambda: (s := status.look(place))["ready"] and s, timeout=90)
    services = {name: importlib.import_module(f"services.{name}.main").SERVICE for name in found["databases"]}
    async with AsyncExitStack() as stack:
        databases = {name: await stack.enter_async_context(_database(found, name)) for name in services}
        said = {name: await of_logs.numbers_of(database) for name, database in databases.items()}
        for name, service in services.items():
            await until(lambda n=name, s=service: _has_heard(databases[n], s, said), timeout=60)  # type: ignore[misc]
        for name, service in services.items():
            readers = App(service, Settings(service=name, database_url="", secrets=place.secrets, demo=True)).checkpoints()
            end = await databases[name].fetchval("select coalesce(max(position), 0) from events")
            await until(lambda n=name, r=readers, e=end: _have_read(databases[n], r, e), timeout=60)  # type: ignore[misc]
        broker = {"bootstrap_servers": str(found["kafka"]["bootstrap"])} | scram(ADMIN, secrets.read(place, f"kafka-{ADMIN}"))
        parts = {name: await _part(databases[name], service, broker) for name, service in services.items()}
    tally.events += sum(len(part.log.events) for part in parts.values())
    return parts


@asynccontextmanager
async def _database(found: Mapping[str, dict[str, str]], name: str) -> AsyncIterator[asyncpg.Connection]:
    """As nobody but the superuser sees it: row-level security holds for owners too."""
    connection = await asyncpg.connect(found["databases"][name].replace(f"{name}_owner@", "postgres@"))
    try:
        yield connection
    finally:
        await connection.close()


async def _has_heard(database: asyncpg.Connection, service: Service, said: Mapping[str, Mapping[UUID, Number]]) -> bool:
    marks = await of_logs.marks_of(database)
    return all(marks.get((_topic(source), community), Number()) >= number
               for source in service.hears for community, number in said[source].items())


async def _have_read(database: asyncpg.Connection, readers: Iterable[str], end: int) -> bool:
    """A reader goes on behind an event once it has been handled, or parked."""
    checkpoints = await of_logs.checkpoints_of(database)
    return min((checkpoints[name] for name in readers), default=end) >= end


def _topic(name: str) -> str:
    return Settings(service="", database_url="", topic_prefix="lifang").topic(name)


async def _part(database: asyncpg.Connection, service: Service, broker: dict[str, str]) -> Part:
    topic = _topic(service.topic or service.name)
    log = await log_of(database, service.views)
    return Part(service, service.catalogue(), topic, log, await lying_in(broker, topic))


def alone(part: Part) -> Iterator[Finding]:
    """What its database says of itself."""
    yield from of_logs.positions_and_versions_run(part.log.events)
    yield from of_logs.nothing_waits(part.log)
    for view in part.service.views:
        yield from of_logs.view_is_the_fold(part.log, part.catalogue, view)
    yield from of_logs.outcome_is_in_the_log(part.log)
    yield from of_logs.claim_has_its_stream(part.log)


def among(part: Part, parts: Mapping[str, Part]) -> Iterator[Finding]:
    """What it has told, and heard of the others. `parts`: all of them, of which this one hears some."""
    yield from of_logs.topic_is_the_published_log(
        _told(part), (h for _, h in part.topic if h.number <= part.log.numbers.get(h.community_id, Number())))
    for source in part.service.hears:
        theirs = parts[source]
        yield from of_logs.heard_up_to_the_mark(
            part.log, source, theirs.topic_name, of_logs.published(theirs.log.events, theirs.catalogue, theirs.service.publish or _nothing))
    yield from of_logs.message_is_of_its_community(part.log.events, part.topic)


def _told(part: Part) -> dict[UUID, list[Said]]:
    """What its relay had told when we looked; the log may have grown."""
    found = of_logs.published(part.log.events, part.catalogue, part.service.publish or _nothing)
    return {community: [one for one in said if one[1] <= part.log.numbers.get(community, Number())]
            for community, said in found.items() if community in part.log.numbers}


def _nothing(event: object, row: object) -> tuple[()]:
    return ()
