"""What devices say, on a real log: once, from day to day, whichever process takes it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from cli.keeper.retiring import retire
from libs.eventkit.commands import Context
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.devices.adapters.report import Report
from services.devices.device_book import KnownDevice, book_of
from services.devices.domain.registry import Description, RegisterDevice, RetireDevice
from services.devices.domain.reports import (
    BodyReceived,
    BodyUnreadable,
    CloseDay,
    DayBegun,
    DayClosed,
    DeviceReported,
    SerialGapFound,
)
from services.devices.intake import UNREADABLE_KEPT, Intake, day_id
from services.devices.main import SERVICE
from services.devices.past_days import close_past_days
from services.devices.retention import RETENTION

E = TypeVar("E")
AppOf = Callable[..., Awaitable[App]]
EVENING = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
MORNING = EVENING + timedelta(hours=8)


@pytest.fixture
def device(community: UUID) -> KnownDevice:
    return KnownDevice(uuid4(), community, Description("hikvision-terminal", "South gate", "K1"))


def card(serial: int, history: bool = False) -> Report:
    return Report(
        kind="card_read", code="5/1", serial=serial, history=history, card_number="0000000017", person_name="Jane Doe",
        device_time=EVENING, device_time_raw=EVENING.isoformat())


async def take(app: App, device: KnownDevice, report: Report, now: datetime = EVENING) -> int:
    """How many reports were new."""
    intake = Intake(app, book_of(app), device, Context(community_id=device.community_id, now=now))
    before = len(await said(app, DeviceReported))
    await intake.take(b"raw Jane Doe", "text/plain", [report])
    return len(await said(app, DeviceReported)) - before


async def said(app: App, kind: type[E]) -> list[E]:
    events = [app.catalogue.read(row) for row in await app.log.read(0)]
    return [event for event in events if isinstance(event, kind)]


async def test_a_day_goes_on_with_what_the_day_before_knew(app_of: AppOf, device: KnownDevice) -> None:
    app = await app_of(SERVICE)
    other = await app_of(SERVICE, beside=app)
    assert [await take(app, device, card(1)), await take(app, device, card(4))] == [1, 1]
    assert await take(other, device, card(4), MORNING) == 0
    assert await take(app, device, card(1, history=True), MORNING) == 0
    assert await take(app, device, card(3), MORNING) == 1
    late_process = await take(other, device, card(5), EVENING)
    assert late_process == 1
    assert [event.day.day for event in await said(app, DayBegun)] == [1, 2]
    assert [(gap.after, gap.before) for gap in await said(app, SerialGapFound)] == [(1, 4)]


async def test_the_alarm_of_a_panel_that_boots_alike_is_kept_each_time(app_of: AppOf, device: KnownDevice) -> None:
    """Without a battery its numbers and its clock begin anew whenever mains come back."""
    app, booted = await app_of(SERVICE), datetime(2000, 1, 1, 0, 0, 9, tzinfo=UTC)
    fire = Report(kind="panel_signal", code="1110", mark="ADM-CID 0001 005", device_time=booted, device_time_raw="00:00:09,01-01-2000")
    for now in (EVENING, EVENING + timedelta(weeks=1), EVENING + timedelta(weeks=14)):
        assert [await take(app, device, fire, now + timedelta(seconds=n)) for n in (0, 5, 60)] == [1, 0, 0], "and once"


async def test_one_day_takes_what_two_processes_bring_at_midnight(app_of: AppOf, device: KnownDevice) -> None:
    app = await app_of(SERVICE)
    other = await app_of(SERVICE, beside=app)
    assert await take(app, device, card(1)) == 1
    both = [(each, card(2 + n // 2), now) for n, (each, now) in enumerate(
        [(app, EVENING), (other, MORNING), (app, MORNING), (other, EVENING), (app, EVENING), (other, EVENING)])]
    await asyncio.gather(*(take(each, device, report, now) for each, report, now in both))
    assert sorted(event.told.serial or 0 for event in await said(app, DeviceReported)) == [1, 2, 3, 4]
    assert [event.day.day for event in await said(app, DayBegun)] == [1, 2]


async def test_a_day_that_was_closed_by_a_process_that_died_is_followed_by_the_one_it_named(app_of: AppOf, device: KnownDevice) -> None:
    """The gap between closing a day and beginning the next: whoever comes then, with whatever clock, goes on."""
    app = await app_of(SERVICE)
    assert await take(app, device, card(1)) == 1
    context = Context(community_id=device.community_id, now=MORNING)
    close = CloseDay(device.device_id, EVENING.date(), MORNING.date())
    await app.commands.handle(day_id(device.device_id, EVENING.date()), close, context)
    other = await app_of(SERVICE, beside=app)
    assert await take(other, device, card(1), EVENING) == 0, "what the closed day knew is still known"
    assert [await take(other, device, card(2), EVENING), await take(app, device, card(3), MORNING)] == [1, 1]
    assert [event.day for event in await said(app, DayBegun)] == [EVENING.date(), MORNING.date()]


async def test_the_last_day_of_a_device_that_fell_silent_is_closed_and_goes(app_of: AppOf, device: KnownDevice) -> None:
    """And what has to be known of it is known when the device speaks again, weeks later and in a process that has just started."""
    app = await app_of(SERVICE)
    await registered(app, device)
    assert [await take(app, device, card(1)), await take(app, device, card(4))] == [1, 1]
    await close_past_days(app, book_of(app), EVENING)
    await close_past_days(app, book_of(app), EVENING + timedelta(minutes=30))
    assert await said(app, DayClosed) == [], "a device that speaks goes on by itself"
    for days in range(3):
        await close_past_days(app, book_of(app), MORNING + timedelta(days=days))
    assert [event.day for event in await said(app, DayClosed)] == [EVENING.date()]
    assert [event.day for event in await said(app, DayBegun)] == [EVENING.date(), MORNING.date()], "nobody's word is in the next one"
    await retired(app)
    assert await said(app, BodyReceived) == await said(app, DeviceReported) == []
    other, late = await app_of(SERVICE, beside=app), MORNING + timedelta(days=60)
    assert [await take(other, device, card(4), late), await take(other, device, card(6), late)] == [0, 1]
    assert [event.findings for event in await said(app, DeviceReported)] == [("replay_unmarked",)], "how its clock went is known still"


async def test_the_last_day_of_a_device_that_was_retired_is_closed_too(app_of: AppOf, device: KnownDevice) -> None:
    app = await app_of(SERVICE)
    await registered(app, device)
    assert await take(app, device, card(1)) == 1
    await app.commands.handle(device.device_id, RetireDevice(device.device_id), Context(community_id=device.community_id, now=EVENING))
    await close_past_days(app, book_of(app), MORNING)
    assert [event.day for event in await said(app, DayClosed)] == [EVENING.date()]


async def registered(app: App, device: KnownDevice) -> None:
    command = RegisterDevice(device.device_id, device.description, "hash", MORNING)
    await app.commands.handle(device.device_id, command, Context(community_id=device.community_id, now=EVENING))


async def retired(app: App) -> None:
    """As the keeper does forty days later, when everybody has read everything."""
    owner = await asyncpg.connect(app.settings.database_url)
    await owner.execute("update events set recorded_at = recorded_at - interval '40 days'")
    await owner.execute("select seal_log()")
    await owner.close()
    pool, names = await app.database.pool(), list(app.checkpoints())
    await pool.execute("update checkpoints set position = (select max(position) from events) where name = any($1)", names)
    await retire(app.database, RETENTION, names, datetime.now(UTC), False)


async def test_nobody_is_named_outside_a_seal(app_of: AppOf, device: KnownDevice) -> None:
    app = await app_of(SERVICE)
    await take(app, device, card(1))
    rows = await app.log.read(0)
    assert not any("Jane" in row.data or "0000000017" in row.data for row in rows)
    (received,), (reported,) = await said(app, BodyReceived), await said(app, DeviceReported)
    number = reported.told.card_number
    assert number is not None
    assert await app.keyring.open_all([received.body, number]) == [b"raw Jane Doe", b"0000000017"]


async def test_the_beginning_of_an_unreadable_body_is_kept(app_of: AppOf, device: KnownDevice) -> None:
    app = await app_of(SERVICE)
    intake = Intake(app, book_of(app), device, Context(community_id=device.community_id, now=EVENING))
    await intake.keep_unreadable(b"x" * 100_000, "text/plain", "truncated")
    (kept,) = await said(app, BodyUnreadable)
    assert (kept.code, kept.size) == ("truncated", 100_000) and isinstance(kept.body, Sealed)
    assert await app.keyring.open(kept.body) == b"x" * UNREADABLE_KEPT
