"""All logs of the installation as one look sees them: nothing that was acknowledged is missing, in its own log, at whoever hears it, or
in a view."""

import asyncio
import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
from msgspec import Struct

from libs.contracts.topics import TOPICS
from libs.eventkit.recorded import Number
from libs.eventkit.service import Service
from libs.eventkit.settings import Settings
from tests.deploy.k8s.running.cluster import Cluster
from tests.faults import of_logs
from tests.faults.findings import Finding
from tests.faults.of_logs import Log, log_of
from tests.kit import until

SERVICES: dict[str, Service] = {name: importlib.import_module(f"services.{name}.main").SERVICE for name in TOPICS}
BEHIND = """
select name from checkpoints where name = any($1) and position < (select coalesce(max(position), 0) from events)"""
CAUGHT_UP = 180.0
"""Seconds in which everybody has heard everything once it is quiet."""
Connections = Mapping[str, asyncpg.Connection]


class Seen(Struct):
    """`events`: in all logs; `heard`: of these, what was heard from others; `views`: that were compared with their fold."""

    events: int = 0
    heard: int = 0
    acknowledged: int = 0
    views: int = 0
    findings: list[Finding] = []


class Records:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def check(self, acknowledged: Sequence[tuple[str, int]] = ()) -> Seen:
        """Once everybody has caught up. Raises AssertionError where somebody does not."""
        password = self._cluster.secret("postgres", "db-postgres")
        with self._cluster.reached("pod/postgres-0", 5432) as port:
            logs = asyncio.run(logs_at(f"postgresql://postgres:{password}@127.0.0.1:{port}"))
        return Seen(
            sum(len(log.events) for log in logs.values()), sum(row.source is not None for log in logs.values() for row in log.events),
            len(acknowledged), sum(len(log.views) for log in logs.values()), [*found_in(logs), *lost(logs, acknowledged)])


async def logs_at(server: str) -> dict[str, Log]:
    async with AsyncExitStack() as stack:
        there: dict[str, asyncpg.Connection] = {}
        for name in SERVICES:
            there[name] = await asyncpg.connect(f"{server}/{name}", timeout=20)
            stack.push_async_callback(there[name].close)
        last = await end_of_all(there)
        try:
            await until(lambda: nothing_is_behind(there), CAUGHT_UP)
        except AssertionError as error:
            raise AssertionError(f"behind, from {last} to {await end_of_all(there)}: {await behind(there)}") from error
        return {name: await log_of(there[name], SERVICES[name].views) for name in SERVICES}


async def end_of_all(there: Connections) -> int:
    return sum([int(await one.fetchval("select coalesce(max(position), 0) from events")) for one in there.values()])


async def nothing_is_behind(there: Connections) -> bool:
    """And nothing has come while we looked."""
    before = await end_of_all(there)
    return not await behind(there) and await end_of_all(there) == before


async def behind(there: Connections) -> list[str]:
    """Views, relays and whoever hears."""
    found, said = list[str](), dict[str, dict[UUID, Number]]()
    for name, service in SERVICES.items():
        readers = [*(view.name for view in service.views), *(["relay"] if service.publish else [])]
        found += [f"{name}: {row[0]}" for row in await there[name].fetch(BEHIND, readers)]
        said[name] = {r[0]: Number(*r[1:]) for r in await there[name].fetch("select community_id, generation, position, n from published")}
    for name, service in SERVICES.items():
        marks = {(r[0], r[1]): Number(*r[2:]) for r in await there[name].fetch(
            "select topic, community_id, generation, position, n from marks")}
        found += [f"{name}: hears {source}" for source in service.hears
                  for community, number in said[source].items() if marks.get((topic_of(source), community), Number()) < number]
    return found


def topic_of(source: str) -> str:
    return Settings(service="", database_url="", topic_prefix="lifang").topic(SERVICES[source].topic or source)


def found_in(logs: Mapping[str, Log]) -> Iterator[Finding]:
    for name, log in logs.items():
        service, catalogue = SERVICES[name], SERVICES[name].catalogue()
        yield from of_logs.positions_and_versions_run(log.events)
        yield from of_logs.nothing_waits(log)
        yield from of_logs.outcome_is_in_the_log(log)
        yield from of_logs.claim_has_its_stream(log)
        for source in service.hears:
            told = of_logs.published(logs[source].events, SERVICES[source].catalogue(), SERVICES[source].publish or (lambda event, row: ()))
            yield from of_logs.heard_up_to_the_mark(log, source, topic_of(source), told)
        for view in service.views:
            yield from of_logs.view_is_the_fold(log, catalogue, view)


def lost(logs: Mapping[str, Log], acknowledged: Sequence[tuple[str, int]]) -> Iterator[Finding]:
    """Whatever was answered with a position stands there, as something that the service itself has said."""
    own = {name: {row.position for row in log.events if row.source is None} for name, log in logs.items()}
    for service, position in acknowledged:
        if position not in own[service]:
            yield Finding("I1", f"{service} acknowledged {position}, which is not in its log", lost=1)
