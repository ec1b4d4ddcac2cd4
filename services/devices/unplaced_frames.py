"""Keeps a few of the frames that are no panel's word, sealed, for whoever looks after the installation."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid5

from libs.eventkit.commands import Context
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import seal
from libs.eventkit.recorded import NOWHERE, uuid7
from libs.eventkit.service import App
from services.devices.adapters.dc09 import Frame
from services.devices.device_book import KnownDevice
from services.devices.domain.unplaced import KeepUnplaced
from services.devices.intake import RAW

AT_ONCE, A_SECOND, REMEMBERED = 32, 20, 10_000


class UnplacedFrames:
    """However fast strangers send, `A_SECOND` frames at most are looked at for keeping; the rest is answered and gone."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._in_order, self._waiting = asyncio.Lock(), 0
        self._second, self._taken = 0.0, 0
        self._full: set[tuple[UUID, str, str]] = set()

    async def keep(self, frame: Frame, reason: str, device: KnownDevice | None) -> None:
        """Under the panel and its community where there is one, else in no community. Raises what the database says while it
        is away."""
        now = datetime.now(UTC)
        stream = uuid5(device.device_id if device else NOWHERE, f"unplaced {now.date().isoformat()}")
        account = frame.account[:16]
        if (stream, account, reason) in self._full or not self._may():
            return
        self._waiting += 1
        try:
            async with self._in_order:
                kept = await self._keep(frame, account, reason, device, stream, now)
        finally:
            self._waiting -= 1
        if not kept:
            self._full = self._full if len(self._full) < REMEMBERED else set()
            self._full.add((stream, account, reason))

    def _may(self) -> bool:
        second = asyncio.get_running_loop().time() // 1
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= A_SECOND and self._waiting < AT_ONCE

    async def _keep(
        self, frame: Frame, account: str, reason: str, device: KnownDevice | None, stream: UUID, now: datetime,
    ) -> bool:
        community, body_id = device.community_id if device else NOWHERE, uuid7()
        key = await self.app.keyring.key_for(community, f"unplaced:{stream}", RAW)
        body = seal(key.dek, key.key_id, body_id, "body", frame.raw)
        command = KeepUnplaced(account, reason, body, len(frame.raw), device.device_id if device else None)
        context = Context(community_id=community, now=now, correlation=str(uuid7()))
        first = [KeyCreated(key.key_id)] if key.is_new else []
        done = await self.app.commands.handle(stream, command, context, first=first)
        if done.outcome.events and key.is_new:
            await self.app.keyring.announced(key.key_id)
        return bool(done.outcome.events)
