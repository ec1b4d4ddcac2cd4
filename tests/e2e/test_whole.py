"""After what the other tests did to the stack, it is whole: logs, topics, views, marks and outcomes of all services agree."""

from tests.e2e.conftest import Stack
from tests.faults.tally import Tally
from tests.faults.whole import check_all


async def test_all_services_agree(stack: Stack, tally: Tally):
    await check_all(stack.place, tally)
    assert tally.events > 100 and (tally.lost, tally.doubled, tally.stuck) == (0, 0, 0)
