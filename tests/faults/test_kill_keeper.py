"""kill -9 of the keeper between two of its durable steps: the log is as well as before, what was known outside is known, and the next
one goes on. I10."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from cli.keeper.heads import Outside
from cli.verifying import verify
from libs.eventkit.service import App
from tests.eventkit.writers import append
from tests.faults.mortal_keeper import service_with
from tests.keeper.outside import is_anchored, outside_of
from tests.kit import until

ROOT = Path(__file__).parents[2]
NOWHERE = "127.0.0.1:1"
SEALED = "select coalesce(max(upto), 0) from seals"
BLANKED = "select count(*) from events where hash is not null"


class Broken(Exception):
    """I10 does not hold."""


class Kept:
    """A log whose keeper is another process."""

    def __init__(self, app: App, outside: Outside, community: UUID) -> None:
        self.app, self.outside, self.community = app, outside, community
        self.processes: list[asyncio.subprocess.Process] = []

    async def start(self, point: str = "", twin: str = "", kafka: str = "") -> asyncio.subprocess.Process:
        s = self.app.settings
        environment = {
            **os.environ, "DATABASE_URL_TOY": s.database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka or s.kafka,
            "LIFANG_TOPIC_PREFIX": s.topic_prefix, "LIFANG_KAFKA_USER": s.kafka_user, "LIFANG_SECRETS": str(s.secrets),
            "LIFANG_SEALS": str(self.outside.directory), "LIFANG_FAILPOINT": point}
        self.processes.append(await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.mortal_keeper", twin, env=environment, cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL))
        return self.processes[-1]

    async def stop(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def killed(self, point: str, twin: str = "", kafka: str = "") -> None:
        process = await self.start(point, twin, kafka)
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL

    async def say(self, events: int) -> None:
        await self.app.log.append(append(self.community, events=events))

    async def goes_on(self) -> None:
        """Started again it seals what is new, and both places hear of it. Raises Broken."""
        await self.start()
        await self.say(1)
        await until(lambda: is_anchored(self.app, self.outside), 60)
        await self.is_well()

    async def is_well(self) -> None:
        if findings := (await verify(self.app, self.outside))["findings"]:
            raise Broken(f"nobody touched the log: {findings[0]}")

    async def is_found_cut(self, after: int) -> None:
        """By somebody who can write every table."""
        await self.owner("delete from events where position > $1", after)
        await self.owner("delete from seals where upto > $1", after)
        findings = (await verify(self.app, self.outside))["findings"]
        if [(one["position"], one["what"]) for one in findings[:1]] != [(after + 1, "cut off")]:
            raise Broken(f"the log was cut: {findings}")

    async def owner(self, statement: str, *arguments: object) -> None:
        connection = await asyncpg.connect(self.app.settings.database_url)
        await connection.execute(statement, *arguments)
        await connection.close()

    async def number(self, query: str) -> int:
        return int(await (await self.app.database.pool()).fetchval(query))

    async def anchored(self, events: int) -> None:
        """So many events, known in both places; the keeper has ended."""
        await self.say(events)
        await self.start()
        await until(lambda: is_anchored(self.app, self.outside), 60)
        await self.stop()

    async def old(self) -> None:
        """More than a page of what is over, sealed; every reader has passed it, and retention is due."""
        for _ in range(25):
            await self.say(100)
        await self.owner("update events set recorded_at = recorded_at - interval '40 days'")
        await self.owner("select seal_log()")
        await self.owner("update checkpoints set position = 2500 where name = any($1)", [*self.app.checkpoints()])

    async def due(self) -> None:
        await self.owner("update checkpoints set moved_at = moved_at - interval '21 hours' where name like 'retire:%'")


@pytest.fixture
async def log(app_of: Callable[..., Awaitable[App]], tmp_path: Path, community: UUID) -> AsyncIterator[Kept]:
    app = await app_of(service_with())
    found = Kept(app, await outside_of(app, tmp_path / "seals"), community)
    yield found
    await found.stop()


async def killed_when_it_has_sealed(log: Kept, twin: str = "") -> None:
    await log.anchored(3)
    await log.say(2)
    await log.killed("seal.made", twin)
    await log.is_well()
    assert await log.number(SEALED) == 5


async def killed_when_the_file_knows(log: Kept, twin: str = "") -> None:
    """While the topic does not: the file alone has to find what is cut off."""
    await log.anchored(3)
    await log.say(2)
    await log.killed("seal.kept", twin, kafka=NOWHERE)
    await log.is_well()
    await log.is_found_cut(3)


async def killed_when_a_page_is_blanked(log: Kept, twin: str = "") -> None:
    await log.old()
    await log.killed("retention.page", twin)
    assert await log.number(BLANKED) == 2000
    await log.is_well()


@pytest.mark.fault(row="kill-keeper", invariants="I10")
async def test_killed_when_it_has_sealed_the_next_one_says_so_outside(log: Kept):
    await killed_when_it_has_sealed(log)
    await log.goes_on()


@pytest.mark.fault(row="kill-keeper", invariants="I10")
async def test_killed_when_the_file_knows_a_seal_it_is_known(log: Kept):
    await killed_when_the_file_knows(log)


@pytest.mark.fault(row="kill-keeper", invariants="I10")
async def test_killed_when_the_file_knows_a_seal_the_next_one_tells_the_topic(log: Kept):
    await log.anchored(3)
    await log.say(2)
    await log.killed("seal.kept", kafka=NOWHERE)
    await log.goes_on()


@pytest.mark.fault(row="kill-keeper", invariants="I10")
async def test_killed_after_a_page_it_is_said_and_the_rest_goes_when_it_is_due(log: Kept):
    await killed_when_a_page_is_blanked(log)
    await log.due()
    await log.start()

    async def gone() -> bool:
        return await log.number(BLANKED) == 2500

    await until(gone, 60)
    await log.stop()
    await log.goes_on()
    assert await log.number("select sum((data ->> 'count')::int) from events where type = 'retired'") == 2500


@pytest.mark.twin(row="kill-keeper", caught_by="I10")
@pytest.mark.parametrize(("killed", "twin", "found"), [
    (killed_when_it_has_sealed, "known_first", "nobody touched the log: .*cut off"),
    (killed_when_the_file_knows, "written_in_place", r"the log was cut: \[\]"),
    (killed_when_a_page_is_blanked, "blanked_first", "nobody touched the log: .*changed"),
], ids=["seal.made", "seal.kept", "retention.page"])
async def test_the_broken_twin_is_caught(log: Kept, killed: Callable[[Kept, str], Awaitable[None]], twin: str, found: str):
    with pytest.raises(Broken, match=found):
        await killed(log, twin)
