"""A device that cannot push: a terminal's stream is read into the log, and what a break swallowed is found by search; a camera is
pulled."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest

from libs.eventkit.commands import Context, Done
from libs.eventkit.service import App
from services.devices import streams
from services.devices.adapters import onvif
from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.report import Report
from services.devices.device_book import KnownDevice, book_of
from services.devices.domain.registry import Description, RegisterDevice
from services.devices.domain.reports import BodyUnreadable, DeviceReported
from services.devices.intake import Intake
from services.devices.main import SERVICE
from services.devices.streams import Stream
from tests.devices.bodies import access_json
from tests.devices.onvif_bodies import MOTION, TYPE, message, soap
from tests.devices.test_alert_reader import Site, running, site  # noqa: F401  # fixtures
from tests.devices.test_pull_reader import Camera, CameraOf, camera_of, cameras  # noqa: F401  # fixtures
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]


async def test_what_a_terminal_streams_is_in_the_log_and_a_break_loses_nothing(app_of: AppOf, site: Site, community: UUID) -> None:  # noqa: F811
    app, device = await app_of(SERVICE), uuid4()
    other = await app_of(SERVICE, beside=app)
    (app.settings.secrets / "device-password-streamed").write_text("made-up-word")
    about = Description(
        "hikvision-terminal", "door", "S1", base_url=f"http://{site.listen}", user="admin",
        password_secret="device-password-streamed", stream=True)
    now = datetime.now(UTC)
    await app.commands.handle(
        device, RegisterDevice(device, about, "hash", now + timedelta(days=1)), Context(community_id=community, now=now))

    async def reports() -> list[DeviceReported]:
        events = [app.catalogue.read(row) for row in await app.log.read(0, 5000)]
        return [e for e in events if isinstance(e, DeviceReported) and e.told.kind == "card_read"]

    async def has(serials: list[int]) -> bool:
        return {e.told.serial for e in await reports()} >= set(serials)

    app.start_api()
    other.start_api()
    await until(lambda: _heard(app))
    first = await site.card(2)
    await until(lambda: has(first))
    assert all(e.live for e in await reports())
    assert await site.cut() == 1, "two processes, and one of them reads"
    swallowed = await site.card(3)
    await until(lambda: has(swallowed))
    await until(lambda: _heard(app, 1))
    later = await site.card(1)
    await until(lambda: has(later))
    told = [e.told.serial for e in await reports()]
    assert sorted(told) == [*first, *swallowed, *later], "each once"


async def test_a_terminal_that_was_reset_is_searched_from_its_new_numbers_on(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    device = KnownDevice(uuid4(), community, Description("hikvision-terminal", "door", "S1"))

    def stream() -> Stream:
        return Stream(app, book_of(app), device, httpx.AsyncClient(), Terminal("http://192.0.2.1", "admin", "made-up-word"))

    async def cards(*serials: int, reader: int) -> int | None:
        for serial in serials:
            at = {"dateTime": datetime.now(UTC).isoformat(timespec="seconds")}
            await reading.take(access_json(outer=at, serialNo=serial, cardReaderNo=reader), "application/json")
        return reading.reader._last_serial()

    reading = stream()
    assert await cards(1, 2, 700, reader=1) == 700
    assert await cards(1, 2, 3, reader=2) == 3
    again = stream()
    await again.begin()
    assert again.reader._last_serial() == 3, "also after a start"
    assert await cards(9, reader=2) == 9
    assert [reading.reader._gaps.get_nowait() for _ in range(2)] == [(2, 700), (3, 9)]


@pytest.fixture
async def pulling(app_of: AppOf, camera_of: CameraOf, community: UUID) -> tuple[App, Camera, UUID]:  # noqa: F811
    """A registered camera that is to be pulled."""
    app, camera, device = await app_of(SERVICE), camera_of("digest"), uuid4()
    (app.settings.secrets / "device-password-pulled").write_text("made-up-word")
    about = Description(
        "onvif-camera", "yard", "S2", base_url=f"http://{camera.listen}", user="admin", password_secret="device-password-pulled",
        stream=True)
    now = datetime.now(UTC)
    await app.commands.handle(
        device, RegisterDevice(device, about, "hash", now + timedelta(days=1)), Context(community_id=community, now=now))
    return app, camera, device


async def test_what_a_camera_sees_is_pulled_into_the_log(pulling: tuple[App, Camera, UUID]) -> None:
    app, camera, device = pulling
    app.start_api()
    await until(lambda: _heard(app, 1))
    assert await _seen(app, device) == [], "how things stand is history"
    await camera.sees(1)
    await until(lambda: _seen(app, device))
    await camera.sees(2)
    await until(lambda: _sees(app, device, 2))


async def test_a_password_that_is_changed_or_was_missing_is_signed_in_with(
    pulling: tuple[App, Camera, UUID], caplog: pytest.LogCaptureFixture,
) -> None:
    app, camera, device = pulling
    secret = app.settings.secrets / "device-password-pulled"
    right = secret.read_text()
    secret.write_text("another-word")
    app.start_api()
    await until(lambda: "http_401" in caplog.text)
    secret.unlink()
    await until(lambda: "FileNotFoundError" in caplog.text)
    secret.write_text(right)
    await until(lambda: _heard(app, 1))
    await camera.sees(1)
    await until(lambda: _sees(app, device, 1))


async def test_what_was_pulled_when_the_lease_was_lost_is_in_the_log_too(
    pulling: tuple[App, Camera, UUID], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    app, camera, device = pulling
    pool, take, bodies = await app.database.pool(), Intake.take, list[bytes]()
    lease = int.from_bytes(sha256(streams.LEASE.encode()).digest()[:8], "big", signed=True)

    async def fails(self: Intake, body: bytes, content_type: str, reports: list[Report]) -> Done:
        if reports[0].history or len(bodies) == 3:
            return await take(self, body, content_type, reports)
        bodies.append(body)
        if len(bodies) == 1:
            await pool.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1"
                " and (classid::bigint << 32 | objid::bigint) = $1", lease)
            await asyncio.Future()  # until the reader is cancelled
        raise ConnectionError("the log is away")

    monkeypatch.setattr(Intake, "take", fails)
    app.start_api()
    await until(lambda: _heard(app, 1))
    await camera.sees(1)
    await until(lambda: _sees(app, device, 1))
    assert "alert_streams failed and is started again" in caplog.text and len(set(bodies)) == 1

    async def pulled_again() -> bool:
        return bool((await camera.state())["subscriptions"])

    await until(pulled_again)
    await camera.sees(2)
    await until(lambda: _sees(app, device, 2))


async def test_when_the_process_that_reads_ends_another_one_does(pulling: tuple[App, Camera, UUID]) -> None:
    app, camera, device = pulling
    await book_of(app).memory.catch_up()

    async def subscriptions() -> int:
        return int((await camera.state())["subscriptions"])

    async def subscribed() -> bool:
        return await subscriptions() == 1

    async with httpx.AsyncClient(trust_env=False) as client:
        first, second = (streams.Streams(app, book_of(app), client) for _ in range(2))
        reading = asyncio.create_task(first.run())
        await until(subscribed)
        waiting = asyncio.create_task(second.run())
        await camera.sees(1)
        await until(lambda: _sees(app, device, 1))
        assert await subscriptions() == 1, "one of the two reads"
        reading.cancel()
        await asyncio.wait([reading])
        await until(subscribed)
        await camera.sees(2)
        await until(lambda: _sees(app, device, 2))
        waiting.cancel()
        await asyncio.wait([waiting])
    assert await subscriptions() == 0, "and whoever ends has left"


async def test_what_the_log_never_takes_is_kept_and_does_not_stand_in_the_way(
    pulling: tuple[App, Camera, UUID], monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, camera, device = pulling
    take, tried = Intake.take, list[bytes]()

    async def fails(self: Intake, body: bytes, content_type: str, reports: list[Report]) -> Done:
        if any(report.detail.get("objectId") == "1" for report in reports):
            tried.append(body)
            raise ValueError("what nobody had thought of")
        return await take(self, body, content_type, reports)

    monkeypatch.setattr(Intake, "take", fails)
    monkeypatch.setattr(streams, "TRIES", 3)
    app.start_api()
    await until(lambda: _heard(app, 1))
    await camera.sees(1)
    await camera.sees(2)

    async def second_seen() -> bool:
        return "2" in await _seen(app, device)

    await until(second_seen)
    events = [app.catalogue.read(row) for row in await app.log.read(0, 5000)]
    kept = [e for e in events if isinstance(e, BodyUnreadable) and e.device_id == device]
    assert [e.code for e in kept] == [streams.NOT_STORED] and len(tried) == 3 and len(set(tried)) == 1
    assert await _seen(app, device) == ["2"]


async def test_what_waited_for_the_log_has_happened_when_it_was_heard_and_is_no_replay(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = await app_of(SERVICE)
    device = KnownDevice(uuid4(), community, Description("onvif-camera", "yard", "S2"))
    bodies, take, heard = streams.Bodies(app, book_of(app), device, onvif.read), Intake.take, datetime.now(UTC)

    async def tell(number: int, after: timedelta) -> None:
        monkeypatch.setattr(streams, "datetime", SimpleNamespace(now=lambda _: heard + after))
        said = message(MOTION, {"IsMotion": "true", "ObjectId": str(number)}, time=f"{(heard + minutes[number]):%Y-%m-%dT%H:%M:%SZ}")
        await bodies.take(soap(said), TYPE)

    async def away(self: Intake, body: bytes, content_type: str, reports: list[Report]) -> Done:
        raise ConnectionError("the log is away")

    minutes = [timedelta(), timedelta(), timedelta(minutes=20)]
    await tell(0, minutes[0])
    monkeypatch.setattr(Intake, "take", away)
    with pytest.raises(ConnectionError):
        await tell(1, minutes[1])
    monkeypatch.setattr(Intake, "take", take)
    await tell(1, timedelta(minutes=15))
    await tell(2, minutes[2])
    events = [app.catalogue.read(row) for row in await app.log.read(0, 5000)]
    told = [e for e in events if isinstance(e, DeviceReported)]
    assert [(e.live, e.received_at - heard) for e in told] == [(True, minute) for minute in minutes]


async def test_a_process_ends_though_what_it_pulled_cannot_be_stored(
    pulling: tuple[App, Camera, UUID], monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, _, _ = pulling
    tried = list[bytes]()

    async def away(self: Intake, body: bytes, content_type: str, reports: list[Report]) -> Done:
        tried.append(body)
        raise ConnectionError("the log is away")

    monkeypatch.setattr(Intake, "take", away)
    monkeypatch.setattr(streams, "FAREWELL", 0.1)
    await book_of(app).memory.catch_up()
    async with httpx.AsyncClient(trust_env=False) as client:
        reading = asyncio.create_task(streams.Streams(app, book_of(app), client).run())
        await until(lambda: bool(tried))
        reading.cancel()
        done, _ = await asyncio.wait([reading], timeout=10)
    assert done


async def _seen(app: App, device: UUID) -> list[object]:
    """The numbers of what happened before a camera."""
    events = [app.catalogue.read(row) for row in await app.log.read(0, 5000)]
    return [e.told.detail.get("objectId") for e in events if isinstance(e, DeviceReported) and e.device_id == device and e.live]


async def _sees(app: App, device: UUID, last: int) -> bool:
    """Whether it is in the log from 1 to the last, each once and in order."""
    return await _seen(app, device) == [str(n + 1) for n in range(last)]


async def _heard(app: App, least: int = 0) -> bool:
    pool = await app.database.pool()
    return bool(await pool.fetchval("select count(*) > $1 from events where type = 'device_reported'", least))
