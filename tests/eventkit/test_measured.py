"""What alerts rest on is told for as long as it is so, by whichever process is asked."""

import asyncio
from pathlib import Path
from uuid import UUID

from libs.eventkit.service import App
from libs.eventkit.subscriptions import holding
from tests.conftest import Databases
from tests.eventkit.writers import append
from tests.kit import until
from tests.toy.main import TOY
from tests.toy.process import Toy

OF_TOY = '{service="toy"} '


async def measured(toy: Toy, name: str) -> float:
    lines = (await toy.http.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"lifang_{name}{OF_TOY}")).rpartition(" ")[2])


async def test_gaps_seals_and_the_keeper_are_measured_until_the_matter_is_over(databases: Databases, tmp_path: Path, community: UUID):
    settings = await databases.make(TOY)
    toy, app = Toy(settings, settings, tmp_path, part="api"), App(TOY, settings)
    try:
        await toy.start()
        pool = await app.database.pool()
        assert [await measured(toy, name) for name in ("gaps", "unsealed_seconds", "kept", "log_generation")] == [0, 0, 0, 1]
        await app.log.append(append(community))
        await pool.execute("update events set recorded_at = recorded_at - interval '1 hour'")
        await pool.execute("insert into gaps values ('lifang.toy.v1', $1, 1, 7, 0)", community)
        assert await measured(toy, "unsealed_seconds") >= 3600 and await measured(toy, "gaps") == 1
        await pool.fetch("select n from seal_log()")
        await pool.execute("delete from gaps")
        assert await measured(toy, "unsealed_seconds") == await measured(toy, "gaps") == 0
        await pool.execute("update log_state set generation = 2")
        assert await measured(toy, "log_generation") == 2
    finally:
        await toy.close()
        await app.close()
        await databases.drop(settings)


async def test_a_keeper_is_there_while_it_holds_the_lease_of_this_log_and_no_other(databases: Databases, tmp_path: Path):
    settings, another = await databases.make(TOY), await databases.make(TOY)
    toy, app, beside = Toy(settings, settings, tmp_path, part="api"), App(TOY, settings), App(TOY, another)
    try:
        await toy.start()
        for kept, keeps in ((False, beside), (True, app)):
            begun = asyncio.Event()

            async def work(begun: asyncio.Event = begun) -> None:
                begun.set()
                await asyncio.Event().wait()

            keeping = asyncio.create_task(holding(keeps.database, "seal", work))
            await begun.wait()
            assert await measured(toy, "kept") == kept
            keeping.cancel()
        await until(lambda: _nobody(toy))
    finally:
        await toy.close()
        for one in (app, beside):
            await one.close()
        await databases.drop(settings, another)


async def _nobody(toy: Toy) -> bool:
    return not await measured(toy, "kept")
