"""When was each supervised line last heard? In the memory of the process that listens; only silence and its end are events.

Where listening begins, or has stood still, every line counts as heard at that moment: our own absence is nobody's silence.
"""

import asyncio
import logging
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.db import is_away
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from libs.eventkit.tail import set_within
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.lines import FindSilent, HearAgain

log = logging.getLogger(__name__)
LOOK = 1.0
"""Seconds between looks."""
STALLED = 5.0
"""Seconds by which a look may be late before what was not heard in that time counts for nothing."""


class LineWatch:
    def __init__(self, app: App, book: DeviceBook, look: float = LOOK) -> None:
        self.app, self.book, self.look = app, book, look
        self._heard: dict[UUID, tuple[float, datetime]] = {}
        self._since: dict[UUID, float] = {}
        self._silent: set[UUID] = set()
        self._back = asyncio.Event()

    def heard(self, device: KnownDevice) -> None:
        """A valid frame of this panel has come."""
        if device.description.supervise > 0:
            self._heard[device.device_id] = (asyncio.get_running_loop().time(), datetime.now(UTC))
            if device.device_id in self._silent:
                self._back.set()

    async def watch(self) -> None:
        """For as long as this process listens."""
        clock = asyncio.get_running_loop().time
        self._heard.clear()
        self._since.clear()
        await self.book.memory.catch_up()
        self._silent = set(self.book.silent)
        looked = clock()
        while True:
            if clock() - looked > self.look + STALLED:
                self._since = dict.fromkeys(self._since, clock())
            looked = clock()
            for device in self.book.supervised():
                await self._judge(device, looked)
            self._back.clear()
            await set_within(self._back, self.look)

    async def _judge(self, device: KnownDevice, now: float) -> None:
        """What cannot be recorded now is tried at the next look."""
        device_id, limit = device.device_id, device.description.supervise
        at, last = self._heard.get(device_id, (0.0, None))
        quiet = now - max(at, self._since.setdefault(device_id, now))
        try:
            if device_id in self._silent:
                if last is not None:
                    await self._say(device, HearAgain(device_id))
                    self._silent.discard(device_id)
            elif quiet > limit:
                await self._say(device, FindSilent(device_id, limit, quiet, last))
                self._silent.add(device_id)
                if self._heard.get(device_id, (0.0, None))[1] == last:
                    self._heard.pop(device_id, None)
        except Exception as error:
            log.log(logging.WARNING if is_away(error) else logging.ERROR, "line of panel %s: %s", device_id, type(error).__name__)

    async def _say(self, device: KnownDevice, command: Struct) -> None:
        context = Context(community_id=device.community_id, now=datetime.now(UTC), correlation=str(uuid7()))
        await self.app.commands.handle(device.device_id, command, context)
