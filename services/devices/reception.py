"""From a panel's frame to the log, and only then to its answer: what is acknowledged is on disk.

Each panel's frames are taken in their order, as many at a time as wait, so that a storm shares commits. Where the log cannot
take a frame there is no answer, and the panel sends it again.

Which panel speaks is said by the account. An encrypted frame is of the panel whose key opens it; a panel that has a key is
heard encrypted only, so that nobody fakes or silences it in plain. Of several panels in plain under one account, in different
communities, the one first registered is meant.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.db import is_away
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.devices.adapters import dc09
from services.devices.adapters.dc09 import Frame
from services.devices.adapters.dc09_crypto import key_of
from services.devices.adapters.dc09_frames import Piece
from services.devices.adapters.report import Report
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.liveness import offset
from services.devices.intake import Intake
from services.devices.line_watch import LineWatch
from services.devices.unplaced_frames import UnplacedFrames

log = logging.getLogger(__name__)
BATCH, BATCH_BYTES = 64, 65_536
KEY_KEPT = 30.0
"""Seconds for which a key is not read anew from its secret."""
CLOCK_KEPT = 900.0
"""Seconds for which a link test says how a panel's clock goes."""
CATCH_UP = 1.0
"""Seconds between looks for a panel that has just been registered elsewhere: strangers must not drive them."""


class Waiting(Struct):
    raw: bytes
    reports: list[Report]
    stored: "asyncio.Future[None]"


class Reception:
    def __init__(self, app: App, book: DeviceBook, lines: LineWatch) -> None:
        self.app, self.book, self.lines = app, book, lines
        self.unplaced = UnplacedFrames(app)
        self._waiting: dict[UUID, deque[Waiting]] = {}
        self._working: dict[UUID, asyncio.Task[None]] = {}
        self._keys: dict[UUID, tuple[float, bytes | None]] = {}
        self._clocks: dict[UUID, tuple[float, float]] = {}
        self._caught_up = float("-inf")

    def read(self, piece: Piece) -> Frame:
        return dc09.read(piece, datetime.now(UTC), lambda account: (key for _, key in self._keyed(account)))

    async def reply(self, piece: Piece, frame: Frame) -> bytes | None:
        """The answer to a frame, once what it says is stored; None where nothing is to be answered, or can be yet."""
        if frame.reply == "none" or (frame.verdict == "nak" and not frame.key):
            return dc09.answer(frame, datetime.now(UTC))
        try:
            await self.book.memory.fresh()
            if not self.book.panels(frame.account) and await self._looked_again():
                frame = self.read(piece)
            return await self._placed(frame)
        except Exception as error:
            if not (is_away(error) or isinstance(error, Problem)):
                log.error("a frame could not be taken: %s", type(error).__name__)
            return None

    async def stop(self) -> None:
        for task in self._working.values():
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def _placed(self, frame: Frame) -> bytes | None:
        device, reason = self._whose(frame)
        if device is None or reason:
            await self.unplaced.keep(frame, reason, device)
            return dc09.answer(frame, datetime.now(UTC), "DUH" if reason == "not_encrypted" else "")
        self.lines.heard(device)
        if frame.is_link_test:
            self._learn(device, frame)
        else:
            await self._stored(device, frame)
        return dc09.answer(frame, datetime.now(UTC))

    def _learn(self, device: KnownDevice, frame: Frame) -> None:
        """A link test tells the time of the panel's clock: a clock that was lost makes no history of the next alarm."""
        skew = offset(dc09.moment(frame.inner.stamp), datetime.now(UTC))
        if skew is not None:
            self._clocks[device.device_id] = (asyncio.get_running_loop().time(), skew)

    def _clock(self, device: KnownDevice) -> float | None:
        told_at, skew = self._clocks.get(device.device_id, (float("-inf"), None))
        return skew if asyncio.get_running_loop().time() - told_at <= CLOCK_KEPT else None

    def _whose(self, frame: Frame) -> tuple[KnownDevice | None, str]:
        """The panel, and why the frame is not its word (empty where it is)."""
        panels = self.book.panels(frame.account)
        if frame.key is not None:
            device = next((panel for panel, key in self._keyed(frame.account) if key == frame.key), None)
            late = "time_out_of_range" if frame.verdict == "nak" else ""
            return device, late if device else "account_unknown"
        if frame.encrypted:
            keyed = [panel for panel in panels if panel.description.key_secret]
            return next(iter(keyed or panels), None), "encrypted_no_key" if panels else "account_unknown"
        plain = next((panel for panel in panels if not panel.description.key_secret), None)
        if plain is not None:
            return plain, ""
        if not frame.type:
            return None, "format"
        return next(iter(panels), None), "not_encrypted" if panels else "account_unknown"

    def _keyed(self, account: str) -> Iterator[tuple[KnownDevice, bytes]]:
        for panel in self.book.panels(account):
            if panel.description.key_secret and (key := self._key(panel)) is not None:
                yield panel, key

    def _key(self, panel: KnownDevice) -> bytes | None:
        """None where the secret is missing or no key: then nothing opens, and nothing in plain is taken either."""
        now = asyncio.get_running_loop().time()
        read_at, key = self._keys.get(panel.device_id, (float("-inf"), None))
        if now - read_at > KEY_KEPT:
            try:
                key = key_of(self.app.settings.secret(panel.description.key_secret))
            except (OSError, ValueError) as error:
                log.error("the key of panel %s cannot be used: %s", panel.device_id, type(error).__name__)
                key = None
            self._keys[panel.device_id] = (now, key)
        return key

    async def _looked_again(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._caught_up < CATCH_UP:
            return False
        self._caught_up = now
        await self.book.memory.catch_up()
        return True

    # one panel's frames, in order

    async def _stored(self, device: KnownDevice, frame: Frame) -> None:
        """Returns when the frame is in the log; raises what kept it from there."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(device.device_id, deque())
        waiting.append(Waiting(b"\n" + frame.raw + b"\r", dc09.reports(frame), stored))
        working = self._working.get(device.device_id)
        if working is None or working.done():  # ended before it began, it has not said so itself
            self._working[device.device_id] = asyncio.create_task(self._work(device, waiting))
        await stored

    async def _work(self, device: KnownDevice, waiting: deque[Waiting]) -> None:
        try:
            while waiting:
                batch = [waiting.popleft()]
                while waiting and len(batch) < BATCH and sum(len(one.raw) for one in batch) < BATCH_BYTES:
                    batch.append(waiting.popleft())
                await self._take(device, batch)
        finally:
            for one in waiting:
                one.stored.cancel()
            self._waiting.pop(device.device_id, None)
            self._working.pop(device.device_id, None)

    async def _take(self, device: KnownDevice, batch: list[Waiting]) -> None:
        context = Context(community_id=device.community_id, now=datetime.now(UTC), correlation=str(uuid7()))
        try:
            await Intake(self.app, self.book, device, context, clock=self._clock(device)).take(
                b"".join(one.raw for one in batch), dc09.CONTENT_TYPE, [report for one in batch for report in one.reports])
        except Exception as error:
            if len(batch) > 1 and not is_away(error):  # one that cannot be taken harms none of its neighbours
                for one in batch:
                    await self._take(device, [one])
                return
            for one in batch:
                _end(one.stored, error)
        except BaseException:
            for one in batch:
                one.stored.cancel()
            raise
        else:
            for one in batch:
                _end(one.stored, None)


def _end(stored: "asyncio.Future[None]", error: Exception | None) -> None:
    if stored.done():  # whoever waited is gone
        return
    if error is not None:
        stored.set_exception(error)
    else:
        stored.set_result(None)
