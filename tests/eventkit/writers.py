"""Appends for tests, and whole processes that do nothing else."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import asyncpg

from libs.eventkit.db import Database
from libs.eventkit.log import Append, Key, Log, NewEvent
from libs.eventkit.recorded import Meta
from libs.eventkit.settings import Settings


def append(
    community: UUID, *, stream: str = "", expected: int = 0, events: int = 1, type: str = "added", schema: int = 1,
    data: bytes = b'{"amount":1}', claims: Sequence[tuple[str, str | None]] = (), key: Key | None = None, outcome: bytes = b"{}",
) -> Append:
    new = [NewEvent(uuid4(), type, schema, data, Meta()) for _ in range(events)]
    return Append(community, stream or f"account:{uuid4()}", expected, new, claims, key, outcome)


async def write_in_processes(settings: Settings, community: UUID, processes: int, writers: int, each: int) -> list[UUID]:
    """Ids of the events that the processes say were acknowledged."""
    async def one() -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.eventkit.writers", settings.database_url, str(settings.secrets), str(community),
            str(writers), str(each), stdout=asyncio.subprocess.PIPE)
        answer, _ = await process.communicate()
        assert process.returncode == 0
        return answer

    return [UUID(line) for answer in await asyncio.gather(*(one() for _ in range(processes))) for line in answer.decode().split()]


async def patch_function(settings: Settings, name: str, changes: Mapping[str, str]) -> None:
    """Makes a broken twin of a database function. Raises AssertionError where a pattern is not in it exactly once."""
    owner = await asyncpg.connect(settings.database_url)
    text = str(await owner.fetchval("select pg_get_functiondef(oid) from pg_proc where proname = $1", name))
    for pattern, text_instead in changes.items():
        text, count = re.subn(pattern, text_instead, text, flags=re.DOTALL)
        assert count == 1, pattern
    await owner.execute("create sequence if not exists positions")
    await owner.execute(f"grant usage on sequence positions to {settings.service}_log")
    await owner.execute(text)
    await owner.close()


async def main(url: str, secrets: str, community: str, writers: str, each: str) -> None:
    database = Database(Settings(service="toy", database_url=url, secrets=secrets))
    log = Log(database)

    async def writer() -> None:
        stream = f"account:{uuid4()}"
        for version in range(int(each)):
            command = append(UUID(community), stream=stream, expected=version)
            assert (await log.append(command)).verdict == "ok"
            print(command.events[0].event_id)

    await asyncio.gather(*(writer() for _ in range(int(writers))))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
