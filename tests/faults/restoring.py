"""Databases of a scene put back as they were, with the tools that `lifang backup` and `lifang restore` use; and what must hold then,
where a topic and its listeners know more than the log."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from cli.migrating.database import migrate_for
from cli.stack import dumping
from cli.stack.backups import Dump
from libs.eventkit.envelope import public_id
from libs.eventkit.recorded import Number
from libs.eventkit.service import App, Service
from libs.eventkit.settings import Settings
from tests.faults import of_logs, of_toy
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.faults.of_logs import log_of
from tests.kit import until
from tests.toy.main import ECHO, TOY
from tests.toy.sums import VIEW

CATALOGUE = ECHO.catalogue()


class Backup(Struct, frozen=True):
    service: Service
    settings: Settings
    dump: Dump
    directory: Path

    @property
    def ports(self) -> dict[str, int]:
        return {"postgres": urlsplit(self.settings.database_url).port or 5432}

    async def put_back(self) -> None:
        """In the place of the live one; nobody of ours works on it."""
        name = database_of(self.settings)

        async def migrate(database: str) -> None:
            url = self.settings.database_url.rpartition("/")[0] + f"/{database}"
            app = App(self.service, self.settings.model_copy(update={"database_url": url}))
            await migrate_for(app)
            await app.close()

        beside = await dumping.put_beside(self.service.name, name, self.dump, "yesterday", self.directory, self.ports, migrate)
        await dumping.swap(name, beside, self.ports)


def database_of(settings: Settings) -> str:
    return urlsplit(settings.database_url).path.strip("/")


async def backup(service: Service, settings: Settings, directory: Path) -> Backup:
    made = Backup(service, settings, Dump("", "", 0, 0, 0, ""), directory)
    return Backup(service, settings, await dumping.dump(database_of(settings), directory, made.ports), directory)


async def toy_backup(scene: Scene) -> Backup:
    return await backup(TOY, scene.toy.settings, scene.toy.directory)


async def echo_backup(scene: Scene) -> Backup:
    return await backup(ECHO, scene.toy.echo, scene.toy.directory)


async def says(scene: Scene, word: str) -> None:
    async def why() -> bool:
        answer = await scene.toy.http.get("/internal/status")
        return answer.status_code == 200 and any(word in text for text in answer.json()["why"])

    await until(why, 20)


async def check_after_a_loss(scene: Scene) -> None:
    """I1 to I6 of a log that begins anew while its topic keeps what was lost. Raises Broken."""
    async with scene.pool.acquire() as ours, scene.echo.acquire() as theirs:
        log, echo = await log_of(ours, [VIEW]), await log_of(theirs, [VIEW])
    topic = await scene.topic.heard()
    scene.tally.events += len(log.events) + len(echo.events)

    def findings() -> Iterator[Finding]:
        yield from of_toy.acknowledged_is_there(log.events, scene.load.answered)
        for one in (log, echo):
            yield from of_logs.positions_and_versions_run(one.events)
            yield from of_logs.nothing_waits(one)
            yield from of_logs.view_is_the_fold(one, CATALOGUE, VIEW)
        yield from no_number_stands_for_two({h.number: h.event_id for h in topic}, [(h.number, h.event_id) for h in topic])
        said = {event_id for ones in of_logs.published(log.events, CATALOGUE, TOY.publish).values() for event_id, _ in ones}
        if lacking := said - {h.event_id for h in topic}:
            yield Finding("I3", f"the topic lacks {len(lacking)} of what the log has for it", lost=len(lacking))
        heard = [row.event_id for row in echo.events if row.source]
        if lacking := {h.event_id for h in topic} - set(heard):
            yield Finding("I4", f"{len(lacking)} were never heard", lost=len(lacking))
        if len(heard) > len(set(heard)):
            yield Finding("I4", "heard twice", doubled=len(heard) - len(set(heard)))
        yield from of_toy.heard_and_noted_once(echo.events)

    settle(findings(), scene.tally)


def no_number_stands_for_two(first: dict[Number, UUID], all_of_them: list[tuple[Number, UUID]]) -> Iterator[Finding]:
    if twice := {number for number, event_id in all_of_them if first[number] != event_id}:
        yield Finding("I3", f"{sorted(map(str, twice))[:3]} stand for two events each", doubled=len(twice))


async def lost(scene: Scene) -> set[tuple[Number, UUID]]:
    """What the topic has and the log has not, found the long way."""
    async with scene.pool.acquire() as connection:
        log = await log_of(connection, [VIEW])
    ids = {row.position: row.event_id for row in log.events}
    return {(h.number, h.event_id) for h in await scene.topic.heard()
            if h.number.position not in ids or public_id(ids[h.number.position], h.number.n) != h.event_id}
