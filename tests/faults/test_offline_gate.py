"""A gate's reader was alone for a day, with a clock that is wrong, and tells everything when it is back: once, and nothing opens. I7 I8."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.contracts.devices import DeviceReported as Told
from libs.eventkit.commands import Context
from libs.eventkit.service import App
from services.devices.adapters.report import Kind, Report
from services.devices.device_book import KnownDevice, book_of
from services.devices.domain import reports
from services.devices.domain.liveness import Clock, Liveness
from services.devices.domain.registry import Description
from services.devices.domain.reports import DeviceReported
from services.devices.intake import Intake
from services.devices.main import SERVICE
from services.devices.publishing import publish
from tests.faults import of_logs
from tests.faults.findings import Broken, Finding, settle
from tests.faults.of_logs import log_of
from tests.faults.tally import Tally

AppOf = Callable[..., Awaitable[App]]
DAY, HOURS = timedelta(hours=24), timedelta(hours=3)
WRONG = pytest.mark.parametrize("wrong", [-HOURS, HOURS], ids=["behind", "ahead"])
"""The clock is three hours behind, or ahead; it has been so since before."""
CARDS = 60


def read(serial: int, at: datetime, wrong: timedelta, kind: Kind = "card_read") -> Report:
    """Asks for a decision, as a reader does that waits for an answer."""
    claimed = at + wrong
    return Report(kind=kind, code="5/1", serial=serial, card_number=f"{serial:010}", device_time=claimed, awaits_decision=True,
                  device_time_raw=claimed.isoformat())


async def back_after_a_day(app: App, community: UUID, tally: Tally, wrong: timedelta) -> None:
    """Before: live. Then a day alone, told twice, the second time by a search that marks it as history. Then live again."""
    device = KnownDevice(uuid4(), community, Description("hikvision-terminal", "South gate", "K1"))
    now = datetime.now(UTC)
    alone = [read(2 + n, now - DAY + n * DAY / (CARDS + 1), wrong, "tamper" if n % 20 == 7 else "card_read") for n in range(CARDS)]

    async def told(reports: list[Report], at: datetime) -> None:
        intake = Intake(app, book_of(app), device, Context(community_id=community, now=at))
        for n in range(0, len(reports), 10):
            await intake.take(b"raw", "text/plain", reports[n:n + 10])

    await told([read(1, now - DAY, wrong)], now - DAY)
    await told(alone, now)
    await told([replace(one, history=True) for one in alone], now)
    await told([read(CARDS + 2, now, wrong)], now)
    pool = await app.database.pool()
    async with pool.acquire() as connection:
        log = await log_of(connection, ())
    tally.rounds, tally.events = 2 * CARDS, len(log.events)
    settle(_findings(app, log), tally)


def _findings(app: App, log: of_logs.Log) -> list[Finding]:
    said = [event for row in log.events if isinstance(event := app.catalogue.read(row), DeviceReported)]
    serials = [event.told.serial or 0 for event in said]
    wanted, found = list(range(1, CARDS + 3)), list[Finding]()
    asking = [public.body for event, row in ((app.catalogue.read(row), row) for row in log.events) if event is not None
              for public in publish(event, row) if isinstance(public.body, Told) and (public.body.awaits_decision or public.body.live)]
    if late := [body.serial for body in asking if body.serial not in (1, CARDS + 2)]:
        found.append(Finding("I7", f"{len(late)} of yesterday's cards would be decided now", doubled=len(late)))
    if sorted(serials) != wanted:
        found.append(Finding("I8" if set(wanted) - set(serials) else "I4", f"told {serials}", len(set(wanted) - set(serials)),
                             len(serials) - len(set(serials))))
    return [*found, *of_logs.positions_and_versions_run(log.events), *of_logs.nothing_waits(log)]


@pytest.mark.fault(row="offline-gate", invariants="I3 I4 I7 I8")
@WRONG
async def test_a_day_that_is_told_late_is_merged_once_and_opens_nothing(app_of: AppOf, community: UUID, tally: Tally, wrong: timedelta):
    await back_after_a_day(await app_of(SERVICE), community, tally, wrong)


@pytest.mark.twin(row="offline-gate", caught_by="I7")
@WRONG
async def test_twin_that_trusts_the_devices_clock_is_caught(
    app_of: AppOf, community: UUID, tally: Tally, monkeypatch: pytest.MonkeyPatch, wrong: timedelta,
):
    """What the device's clock says was now is now: each time it is told, the clock is what it says anew."""
    def trusting(history: bool, device_time: datetime | None, clock: Clock, now: datetime) -> Liveness:
        return Liveness(live=not history, skew=None if device_time is None else (device_time - now).total_seconds())

    monkeypatch.setattr(reports, "is_live", trusting)
    with pytest.raises(Broken) as broken:
        await back_after_a_day(await app_of(SERVICE), community, tally, wrong)
    assert broken.value.invariant == "I7"
