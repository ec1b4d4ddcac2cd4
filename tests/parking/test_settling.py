"""What a person settles at the lane, and that nothing behind it is held up by that."""

from services.parking.domain.findings import SettleFinding
from services.parking.domain.lots import OpenLot
from tests.kit import caught_up
from tests.parking.conftest import Gate


async def test_who_was_kept_out_and_recognised_afterwards_holds_nothing_up(gate: Gate) -> None:
    """There is no stay to put under the right: parked for that, the finding would wait for ever."""
    lot = OpenLot(gate.lot, "lot", "Asia/Shanghai", {"ground": 9}, False, 900)
    await gate.parking.commands.handle(gate.lot, lot, gate.context())
    await gate.grant("京A12045", "permit")
    assert await gate.sees("in", "京A12D45") == "no"
    (finding,) = await gate.findings()
    settle = SettleFinding(finding.finding_id, "chosen", finding.candidates[0])
    await gate.parking.commands.handle(finding.finding_id, settle, gate.context())
    pool = await gate.parking.database.pool()
    await caught_up(pool, "after_passages")
    assert await pool.fetchval("select count(*) from parked where community_id = $1", gate.community) == 0
    assert await gate.story("right_assigned") == []
