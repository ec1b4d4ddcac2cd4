"""Devices that cannot push are read, all by one process at a time: Hikvision's by its alertStream, and what a break swallowed by
search; ONVIF cameras by pulling.

What is heard goes the way of a push. Heartbeats come every half minute from every device: one in a while is enough to
show that a device is there.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from libs.eventkit.commands import Context, Done
from libs.eventkit.db import is_away
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from libs.eventkit.subscriptions import holding
from services.devices.adapters import hikvision, onvif
from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.report import Report, Unreadable
from services.devices.alert_reader import AlertReader
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.registry import Description
from services.devices.domain.reports import DeviceReported, SerialGapFound
from services.devices.intake import Intake
from services.devices.pull_reader import PullReader

log = logging.getLogger(__name__)
LEASE = "alert streams"
LOOK = 2.0
"""Seconds between looks at which devices are to be read."""
BEAT = timedelta(minutes=5)
FAREWELL = 3.0
"""Seconds for what was pulled and is not stored yet, when the process is to end: the database may be away."""
TRIES = 8
"""After which a pulled body that the log, though it is there, does not take is kept as one that cannot be read: what the camera says
next waits for it. With the pauses of `Patience` that is a minute."""
NOT_STORED = "not_stored"
PULLED = "onvif-camera"
SEARCHED = "application/x-acs-search"
"""What is kept of reports that a search brought: they have no bytes of their own."""

Read = Callable[[bytes, str], list[Report]]


class Streams:
    """Reads the streams of the devices of this book for as long as it runs, all of them in one process at a time."""

    def __init__(self, app: App, book: DeviceBook, client: httpx.AsyncClient) -> None:
        self.app, self.book, self.client = app, book, client
        self._settling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Raises where the lease is lost. Then what was pulled goes on towards the log, since it is here alone; when it is cancelled, for a
        moment."""
        try:
            await holding(self.app.database, LEASE, self._read_all)
        except asyncio.CancelledError:
            if self._settling:
                await asyncio.wait(self._settling, timeout=FAREWELL)
            for task in self._settling:
                task.cancel()
            raise

    async def _read_all(self) -> None:
        reading: dict[tuple[UUID, Description, str], asyncio.Task[None]] = {}
        ending: set[asyncio.Task[None]] = set()
        try:
            while True:
                wanted = {(d.device_id, d.description, self._password(d)): d for d in self.book.streamed()}
                for gone in reading.keys() - wanted.keys():
                    ending.add(task := reading.pop(gone))
                    task.add_done_callback(ending.discard)
                    task.cancel()
                for key, device in wanted.items():
                    if (known := reading.get(key)) is None or known.done():
                        reading[key] = asyncio.create_task(self._read(device))
                await asyncio.sleep(LOOK)
        finally:
            tasks = [*reading.values(), *ending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _password(self, device: KnownDevice) -> str:
        """As it is now: one that was changed is signed in with anew. Empty where it is missing."""
        with suppress(OSError, ValueError):
            return self.app.settings.secret(device.description.password_secret)
        return ""

    async def _read(self, device: KnownDevice) -> None:
        about = device.description
        try:
            terminal = Terminal(about.base_url, about.user, self.app.settings.secret(about.password_secret))
            if about.kind == PULLED:
                await self._pull(PullReader(self.client, terminal, Bodies(self.app, self.book, device, onvif.read).take))
            else:
                stream = Stream(self.app, self.book, device, self.client, terminal)
                await stream.begin()
                await stream.reader.run()
        except Exception as error:
            log.warning("the stream of device %s is taken up again: %s", device.device_id, type(error).__name__)

    async def _pull(self, reader: PullReader) -> None:
        try:
            await reader.run()
        finally:
            self._settling.add(task := asyncio.create_task(reader.settle()))
            task.add_done_callback(self._settling.discard)


class Bodies:
    """What one device tells on its way into the log: what cannot be read is kept too, and of heartbeats one in a while."""

    def __init__(self, app: App, book: DeviceBook, device: KnownDevice, read: Read) -> None:
        self.app, self.book, self.device, self.read = app, book, device, read
        self._beat, self._failures = datetime.min.replace(tzinfo=UTC), 0
        self._since: datetime | None = None

    def intake(self) -> Intake:
        context = Context(community_id=self.device.community_id, now=self._since or datetime.now(UTC), correlation=str(uuid7()))
        return Intake(self.app, self.book, self.device, context)

    async def take(self, body: bytes, content_type: str) -> None:
        """Raises where it is to be given again. It was heard when it was first given: what waited for the log is no replay."""
        self._since = self._since or datetime.now(UTC)
        try:
            await self.stored(body, content_type)
        except Exception as error:
            self._failures += not is_away(error)
            if self._failures < TRIES:
                raise
            log.error("a body of device %s is kept and not read: %s", self.device.device_id, type(error).__name__)
            await self.intake().keep_unreadable(body, content_type, NOT_STORED)
        self._failures, self._since = 0, None

    async def stored(self, body: bytes, content_type: str) -> tuple[Done, list[Report]] | None:
        """What came of the reports in a body; None where there were none to store."""
        intake = self.intake()
        try:
            reports = self.read(body, content_type)
        except Unreadable as unreadable:
            await intake.keep_unreadable(body, content_type, unreadable.code)
            return None
        if all(report.kind == "heartbeat" for report in reports):
            if intake.context.now - self._beat < BEAT:
                return None
            self._beat = intake.context.now
        return await intake.take(body, content_type, reports), reports


class Stream:
    """One Hikvision device's stream on its way into the log."""

    def __init__(self, app: App, book: DeviceBook, device: KnownDevice, client: httpx.AsyncClient, terminal: Terminal) -> None:
        self.app, self._bodies = app, Bodies(app, book, device, hikvision.read)
        self._last: int | None = None
        self.reader = AlertReader(client, terminal, self.take, self.found, lambda: self._last)

    async def begin(self) -> None:
        """What the log has of the device's numbers: a search begins after that."""
        self._last = await self._bodies.intake().last_serial()

    async def take(self, body: bytes, content_type: str) -> None:
        if stored := await self._bodies.stored(body, content_type):
            await self._stored(*stored)

    async def found(self, reports: list[Report]) -> None:
        await self._stored(await self._bodies.intake().take(b"", SEARCHED, reports), reports)

    async def _stored(self, done: Done, reports: list[Report]) -> None:
        numbers = [report.serial for report in reports if report.serial is not None]
        self._last = max(numbers, default=self._last) if self._last is None else max([self._last, *numbers])
        for event_id in done.outcome.events:
            row = await self.app.log.event(event_id)
            event = self.app.catalogue.read(row) if row is not None else None
            match event:
                case SerialGapFound(after=after, before=before):
                    self.reader.fill(after, before)
                case DeviceReported(live=True, told=told) if told.serial is not None and told.serial < (self._last or 0):
                    await self.begin()  # it may count anew
