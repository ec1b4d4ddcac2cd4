"""A thousand alarms in a second, and somebody who follows them slowly: none is missed, and nobody's memory grows with it. I8 I9."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest

from libs.eventkit import tail
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.tail import BATCH, Tail
from services.alarm.domain.incident_history import IncidentRaised
from services.alarm.main import SERVICE
from tests.faults import of_logs
from tests.faults.findings import Broken, Finding, settle
from tests.faults.of_logs import log_of
from tests.faults.tally import Tally
from tests.integration.alarm_desk import Desk, desk_at, signal
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]
ALARMS, DRAINED, KEPT = 1000, 10.0, 200


class Follower:
    """Reads the log's shared tail; not before it is let go."""

    def __init__(self, app: App) -> None:
        self.app, self.go, self.seen = app, asyncio.Event(), list[Recorded]()

    async def run(self) -> None:
        await self.go.wait()
        while True:
            grown = self.app.wake.next
            rows = await self.app.log.tail.after(self.seen[-1].position if self.seen else 0, grown)
            self.seen += rows
            if not rows:
                await grown.wait()


async def storm(desk: Desk, tally: Tally) -> None:
    """Raises Broken: I9 where it takes too long, I8 where an alarm is not there, or not seen."""
    loop, slow = asyncio.get_running_loop(), Follower(desk.app)
    following = asyncio.create_task(slow.run())
    signals = [signal("1110", zone) for zone in range(1, ALARMS + 1)]
    begun = loop.time()
    for n in range(0, ALARMS, 100):
        await desk.hears(*signals[n:n + 100])
    try:
        await asyncio.wait_for(desk.settled(), DRAINED * 3)
        took = loop.time() - begun
        slow.go.set()
        pool = await desk.app.database.pool()
        last = await pool.fetchval("select max(position) from events")
        await until(lambda: slow.seen and slow.seen[-1].position >= last, DRAINED)
        async with pool.acquire() as connection:
            log = await log_of(connection, SERVICE.views)
    finally:
        following.cancel()
    tally.rounds, tally.events = ALARMS, len(log.events)
    settle(_findings(desk, log, slow.seen, {s.report_id for s in signals}), tally)
    settle([Finding("I9", f"drained after {took:.1f} s")] if took > DRAINED else [], tally)


def _findings(desk: Desk, log: of_logs.Log, seen: Sequence[Recorded], reports: set[UUID]) -> list[Finding]:
    raised = Counter(event.about.incident_id for row in log.events if isinstance(event := desk.app.catalogue.read(row), IncidentRaised))
    missed = [n for n in range(1, seen[-1].position) if n not in {row.position for row in seen}]
    found = list[Finding]()
    if raised != Counter(reports):
        found.append(Finding("I8", "alarms that raised nothing, or too much", len(reports - raised.keys()), raised.total() - len(raised)))
    if missed:
        found.append(Finding("I8", f"a slow subscriber never saw {len(missed)} events", lost=len(missed)))
    found += [*of_logs.positions_and_versions_run(log.events), *of_logs.nothing_waits(log)]
    for view in SERVICE.views:
        found += of_logs.view_is_the_fold(log, desk.app.catalogue, view)
    if len(desk.app.log.tail._kept) > KEPT:
        found.append(Finding("I9", "what is kept for subscribers grows with them"))
    return found


@pytest.mark.fault(row="alarm-storm", invariants="I3 I5 I8 I9")
async def test_of_a_thousand_alarms_in_a_second_none_is_missed(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch, tally: Tally
):
    monkeypatch.setattr(tail, "KEPT", KEPT)
    async with desk_at(app_of, community, monkeypatch) as desk:
        await storm(desk, tally)
        assert len(await desk.said(IncidentRaised)) == ALARMS
        assert {i["state"] for i in (await desk.get("/incidents?limit=200"))["items"]} == {"raised"}, "only a person ends it"


@pytest.mark.twin(row="alarm-storm", caught_by="I8")
async def test_twin_with_a_queue_that_drops_the_oldest_is_caught(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch, tally: Tally
):
    real = Tail.after

    async def after(self: Tail, position: int, grown: asyncio.Event) -> Sequence[Recorded]:
        if self._kept and position < self._kept[0].position - 1:
            return list(self._kept)[:BATCH]
        return await real(self, position, grown)

    monkeypatch.setattr(tail, "KEPT", KEPT)
    async with desk_at(app_of, community, monkeypatch) as desk:
        monkeypatch.setattr(Tail, "after", after)
        with pytest.raises(Broken) as broken:
            await storm(desk, tally)
    assert broken.value.invariant == "I8"
