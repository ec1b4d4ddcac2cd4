"""The listener loses its lease, again and again, while panels speak: it comes back each time, and each alarm is told once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

from libs.eventkit.service import App
from libs.eventkit.supervise import Supervisor
from services.devices.listener import Listener
from services.devices.main import SERVICE
from tests.devices.panels import Panel, alarm, registered, signals
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]
PANELS, LOSSES = 20, 2
_LEASE = ("select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database"
          " where l.locktype = 'advisory' and d.datname = current_database() and l.granted and l.pid <> pg_backend_pid()")


async def insisting(listener: Listener, account: str, zone: int) -> None:
    """Calls, and says it again until it is acknowledged."""
    frame = alarm(zone, zone, account)
    while True:
        try:
            if "ACK" in (await (await Panel.call(listener)).says(frame))[0]:
                return
        except OSError:
            await asyncio.sleep(0.01)


async def test_a_lease_that_is_lost_in_a_storm_is_taken_again_and_no_alarm_is_lost_or_doubled(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    accounts = [f"{0x4000 + n:04X}" for n in range(PANELS)]
    for account in accounts:
        await registered(app, community, account)
    listener, supervisor, pool = Listener(app, "127.0.0.1:0"), Supervisor(), await app.database.pool()
    supervisor.start("dc09", listener.run)
    told, over = Counter[str](), asyncio.Event()

    async def speaks(account: str) -> None:
        while not over.is_set():
            await insisting(listener, account, told[account] + 1)
            told[account] += 1

    panels = [asyncio.create_task(speaks(account)) for account in accounts]
    try:
        for n in range(LOSSES):
            await asyncio.wait_for(listener.ready.wait(), 15)
            before = told.copy()
            await until(lambda before=before: all(told[a] > before[a] for a in accounts), 20)  # type: ignore[misc]
            assert await pool.fetch(_LEASE)
            await until(lambda n=n: supervisor.restarts.get("dc09", 0) > n, 20)  # type: ignore[misc]
        await asyncio.wait_for(listener.ready.wait(), 15)
        over.set()
        await asyncio.wait_for(asyncio.gather(*panels), 20)
    finally:
        for task in panels:
            task.cancel()
        await supervisor.stop()
    assert len(await signals(app)) == sum(told.values())
