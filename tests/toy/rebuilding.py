"""`python -m tests.toy.rebuilding [TWIN]`: a rebuild of toy's view in a process that can be killed; broken twins of it by name."""

import asyncio
import sys
from typing import Any

import msgspec

from cli import rebuilding
from cli.rebuild_failpoints import reach
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from tests.toy.main import TOY
from tests.toy.sums import VIEW

rebuilding.AT_ONCE = 1  # each community in a transaction of its own


def progress_before_rows() -> None:
    """What is to be copied is remembered as done, then copied."""
    real = rebuilding._write

    async def write(database: Any, new: Any, some: Any) -> tuple[int, int]:
        pool = await database.folds()
        await pool.execute("update rebuilds set after = $1", some[-1].community_id)
        reach("rebuild.copied")
        return await real(database, new, some)

    rebuilding._write = write


def progress_forgotten() -> None:
    """What is copied is not remembered, and the table without its key to notice."""
    real = rebuilding._write

    async def write(database: Any, new: Any, some: Any) -> tuple[int, int]:
        pool = await database.folds()
        kept = await pool.fetchval("select after from rebuilds")
        rebuilding.reach = lambda name: None
        found = await real(database, new, some)
        await pool.execute("update rebuilds set after = $1", kept)
        reach("rebuild.written")
        return found

    rebuilding._write = write


def switched_before_it_has_caught_up() -> None:
    async def not_yet(*_: Any) -> None:
        pass

    rebuilding._catch_up = not_yet


def _in_two_steps(failpoint: str) -> None:
    """The tables change places, and the checkpoint afterwards."""
    real = rebuilding._exchange

    async def exchange(owner: Any, view: Any, new: Any) -> int:
        before = await owner.fetchval("select position from checkpoints where name = $1", view.name)
        rebuilding.reach = lambda name: None
        position = await real(owner, view, new)
        await owner.execute("update checkpoints set position = $2 where name = $1", view.name, before - 1)
        await owner.execute("commit")
        reach(failpoint)
        await owner.execute("begin")
        await owner.execute("update checkpoints set position = $2 where name = $1", view.name, position)
        return position

    rebuilding._exchange = exchange


def tables_first() -> None:
    _in_two_steps("rebuild.exchanged")


def checkpoint_last() -> None:
    _in_two_steps("rebuild.switched")


TWINS = {f.__name__: f for f in (
    progress_before_rows, progress_forgotten, switched_before_it_has_caught_up, tables_first, checkpoint_last)}


async def main() -> None:
    app = App(TOY, settings_for("toy"))
    done = await rebuilding.rebuild(app.database, VIEW, app.catalogue)
    await app.close()
    print(msgspec.json.encode(done).decode())


if __name__ == "__main__":
    for name in sys.argv[1:]:
        TWINS[name]()
    asyncio.run(main())
