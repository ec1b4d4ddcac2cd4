"""What alerts rest on is told for as long as it is so, by whichever process is asked."""

from pathlib import Path
from uuid import UUID

from libs.eventkit.service import App
from tests.conftest import Databases
from tests.toy.main import TOY
from tests.toy.process import Toy

OF_TOY = '{service="toy"} '


async def measured(toy: Toy, name: str) -> float:
    lines = (await toy.http.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"lifang_{name}{OF_TOY}")).rpartition(" ")[2])


async def test_gaps_are_measured_until_they_are_closed(databases: Databases, tmp_path: Path, community: UUID):
    settings = await databases.make(TOY)
    toy, app = Toy(settings, settings, tmp_path, part="api"), App(TOY, settings)
    try:
        await toy.start()
        pool = await app.database.pool()
        assert [await measured(toy, name) for name in ("gaps", "log_generation")] == [0, 1]
        await pool.execute("insert into gaps values ('lifang.toy.v1', $1, 1, 7, 0)", community)
        assert await measured(toy, "gaps") == 1
        await pool.execute("delete from gaps")
        assert await measured(toy, "gaps") == 0
        await pool.execute("update log_state set generation = 2")
        assert await measured(toy, "log_generation") == 2
    finally:
        await toy.close()
        await app.close()
        await databases.drop(settings)
