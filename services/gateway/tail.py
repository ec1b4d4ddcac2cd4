"""The end of the log, read once for all who follow it live. Nobody has a queue: each follower has a position."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from libs.eventkit.log import Log
from libs.eventkit.recorded import Catalogue, Recorded, UnknownVersion
from libs.eventkit.subscriptions import BATCH, Wake
from services.gateway.audience import cloud_event

log = logging.getLogger(__name__)
KEPT = 2000
"""Rows kept in memory; whoever is further behind reads the log itself."""
LOOKED = 1.0
"""Seconds for which nobody looks again after one has found nothing, unless woken."""


class Seen(Struct):
    """A row with its event, None where we do not know its type or version; its frame is made when first asked for."""

    row: Recorded
    event: Any | None
    _frame: bytes = b""

    def frame(self) -> bytes:
        """The server-sent event: `id` is the position in the gateway's log."""
        if not self._frame:
            body = msgspec.json.encode(cloud_event(self.event, self.row))
            self._frame = b"id: %d\ndata: %s\n\n" % (self.row.position, body)
        return self._frame


class Tail:
    """Positions have no gaps, so what is kept is one run of them and a row is found by counting."""

    def __init__(self, log_: Log, catalogue: Catalogue, wake: Wake) -> None:
        self._log, self._catalogue, self._wake = log_, catalogue, wake
        self._kept: deque[Seen] = deque(maxlen=KEPT)
        self._end = 0
        self._reading = asyncio.Lock()
        self._empty: tuple[asyncio.Event, float] | None = None

    async def after(self, position: int) -> Sequence[Seen]:
        """The next rows, at most BATCH; none at the log's end. Take `wake.next` before asking."""
        async with self._reading:
            if position >= self._end:
                return await self._further(position)
            begin = self._end - len(self._kept)
            if position >= begin:
                return list(islice(self._kept, position - begin, position - begin + BATCH))
        return self._seen(await self._log.read(position, BATCH))

    async def _further(self, position: int) -> Sequence[Seen]:
        if position > self._end:
            self._kept.clear()
            self._end, self._empty = position, None
        grown, now = self._wake.next, asyncio.get_running_loop().time()
        if self._empty is not None and self._empty[0] is grown and now - self._empty[1] < LOOKED:
            return ()
        found = self._seen(await self._log.read(position, BATCH))
        self._empty = None if found else (grown, now)
        self._kept.extend(found)
        self._end = position + len(found)
        return found

    def _seen(self, rows: Sequence[Recorded]) -> list[Seen]:
        return [Seen(row, readable(self._catalogue, row)) for row in rows]


def readable(catalogue: Catalogue, row: Recorded) -> Any | None:
    """The event; None for one that we do not know in this type or version."""
    try:
        return catalogue.read(row)
    except (UnknownVersion, msgspec.MsgspecError) as error:
        log.warning("position %d is not shown: %s", row.position, type(error).__name__)
        return None
