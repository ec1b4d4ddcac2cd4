"""What live followers are shown: rows of the log's shared tail, each with its event and, once asked for, its frame."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from libs.eventkit.log import Log
from libs.eventkit.recorded import Catalogue, Recorded, UnknownVersion
from libs.eventkit.tail import KEPT
from services.gateway.audience import cloud_event

log = logging.getLogger(__name__)


class Seen(Struct):
    """A row with its event, None where we do not know its type or version; its frames are made when first asked for."""

    row: Recorded
    event: Any | None
    _frames: dict[bool | None, bytes] = {}

    def frame(self, at_home: bool | None = None) -> bytes:
        """The server-sent event: `id` is the position in the gateway's log; `at_home` as `audience.shown_to` says."""
        if at_home not in self._frames:
            body = msgspec.json.encode(cloud_event(self.event, self.row, at_home))
            self._frames[at_home] = b"id: %d\ndata: %s\n\n" % (self.row.position, body)
        return self._frames[at_home]


class Shown:
    """Decoded once for all followers."""

    def __init__(self, log_: Log, catalogue: Catalogue) -> None:
        self._log, self._catalogue = log_, catalogue
        self._seen: OrderedDict[int, Seen] = OrderedDict()

    async def after(self, position: int, grown: asyncio.Event) -> Sequence[Seen]:
        """The next rows; none at the log's end. `grown`: `wake.next`, as it was before asking."""
        return [self._of(row) for row in await self._log.tail.after(position, grown)]

    def _of(self, row: Recorded) -> Seen:
        seen = self._seen.get(row.position)
        if seen is None:
            seen = self._seen[row.position] = Seen(row, readable(self._catalogue, row))
            if len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return seen


def readable(catalogue: Catalogue, row: Recorded) -> Any | None:
    """The event; None for one that we do not know in this type or version."""
    try:
        return catalogue.read(row)
    except (UnknownVersion, msgspec.MsgspecError) as error:
        log.warning("position %d is not shown: %s", row.position, type(error).__name__)
        return None
