"""A process that erases what it is asked to, and dies at a failpoint: `python -m tests.faults.mortal_erasing [TWIN]`.

The twins do the same in an order in which something is lost, or said that is not so, by whoever dies in between."""

import asyncio
import sys

from msgspec.structs import replace

from libs.eventkit.erasing import ConfirmErasure, EraseKey, ErasureBegun, erasing
from libs.eventkit.failpoints import reach
from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App, Service
from libs.eventkit.settings import settings_for
from libs.eventkit.subscriptions import follow
from tests.toy.main import service


def destroyed_first(app: App) -> Reaction:
    """A key is destroyed, then said to be erased; and one that is gone already is nobody's concern."""

    async def begun(event: ErasureBegun, row: Recorded) -> list[Do]:
        pool = await app.database.pool()
        alive = await pool.fetch("select key_id from keys where subject = any($1) and wrapped is not null", list(event.subjects))
        for (key_id,) in alive:
            await app.keyring.erase(key_id)
        reach("erasure.logged")
        for (key_id,) in alive:
            await app.commands.handle(key_id, EraseKey(key_id), context_of(row, f"erase {key_id}"))
        return [Do("confirm", event.person_id, ConfirmErasure(event.person_id, len(alive)))]

    return Reaction("erasing", {ErasureBegun: begun})


def confirmed_first(app: App) -> Reaction:
    """It is said that all are gone, and then they go."""

    async def begun(event: ErasureBegun, row: Recorded) -> list[Do]:
        keys = await app.keyring.own(row.community_id, event.subjects)
        for key_id in keys:
            await app.commands.handle(key_id, EraseKey(key_id), context_of(row, f"erase {key_id}"))
        await app.commands.handle(event.person_id, ConfirmErasure(event.person_id, len(keys)), context_of(row, "confirm"))
        reach("erasure.destroyed")
        for key_id in keys:
            await app.keyring.erase(key_id)
        return []

    return Reaction("erasing", {ErasureBegun: begun})


TWINS = {"": erasing, "destroyed_first": destroyed_first, "confirmed_first": confirmed_first}


def service_with(twin: str = "") -> Service:
    return replace(service(), reactions=lambda app: (TWINS[twin](app),), readers=lambda app: (), timers=lambda app: (), views=())


async def main(twin: str = "") -> None:
    app = App(service_with(twin), settings_for("toy"))
    await app.open()
    await asyncio.gather(*(follow(app.log, app.wake, s) for s in app.subscriptions))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
