"""A keeper of the toy's log that dies at a failpoint: `python -m tests.faults.mortal_keeper [TWIN]`.

The twins do the same in an order in which something is lost, or known that is not so, by whoever dies in between."""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from msgspec import json
from msgspec.structs import replace

from cli.keeper import retiring, sealing, works
from cli.keeper.heads import Head, Outside, keep
from cli.keeper.sealing import Sealing
from libs.eventkit.db import Database
from libs.eventkit.failpoints import reach
from libs.eventkit.recorded import Retention
from libs.eventkit.service import App, Service
from libs.eventkit.settings import settings_for
from libs.eventkit.tail import set_within
from tests.toy.main import service

BLANK = """
    with chosen as (
        update events set hash = content_hash(data, meta), data = '{}', meta = '{"retired":"00000000-0000-0000-0000-000000000001"}'
         where position <= 2000 and hash is null returning position)
    select count(*) from chosen"""


def known_first() -> None:
    """The seal is known outside, then it is made."""

    async def seal(self: Sealing) -> None:
        pool, directory = await self.database.pool(), self.outside.directory
        assert directory is not None
        while True:
            async with pool.acquire() as connection, connection.transaction():
                if row := await connection.fetchrow("select * from seal_log()"):
                    keep(directory, Head(self.service, 1, row["n"], row["upto"], row["root"].hex(), row["at"]))
                    reach("seal.made")
            await set_within(self.wake.next, 0.1)

    Sealing._seal = seal  # type: ignore[method-assign]


def written_in_place() -> None:
    """The newest head is emptied, then written."""

    def in_place(directory: Path, head: Head, always: bool = False) -> None:
        (directory / head.service).mkdir(parents=True, exist_ok=True)
        with (directory / head.service / "head").open("wb") as file:
            reach("seal.kept")
            file.write(b"\n" + json.encode(head))

    sealing.keep = in_place  # type: ignore[assignment]


def blanked_first() -> None:
    """A page is blanked, then said to be."""

    async def retire(database: Database, *_: object, since: datetime | None = None) -> dict[str, int]:
        if await (await database.pool()).fetchval(BLANK):
            reach("retention.page")
        return {}

    retiring.retire = retire  # type: ignore[assignment]


TWINS: dict[str, Callable[[], None]] = {
    "": lambda: None, "known_first": known_first, "written_in_place": written_in_place, "blanked_first": blanked_first}


def service_with() -> Service:
    return replace(service(), retention=(Retention("accounts", 30, own=("account",)),))


async def main(twin: str = "") -> None:
    TWINS[twin]()
    app = App(service_with(), settings_for("toy"))
    works.start(app, Outside.of(app.settings))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
