"""What is remembered in memory of stays that are no longer open: how each of the last cars left, which are in question, and what was
billed of a day or a pass that a stay which follows may share. A part of `book.py`'s fold."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from services.parking.domain.bill_lines import Line, carried, together
from services.parking.domain.stays import SessionBegun, SessionEnded, SessionQuarantined

FORGOTTEN_EVERY = 1000
JUST_LEFT = 1000
"""So many cars that left last are known by their plates: more than may still be passing an exit."""


class Billed(Struct, frozen=True):
    """Lines of a car's stays that are over; `plate`: where its index is not known in this process yet."""

    community_id: UUID
    lot_id: UUID
    clock: str
    lines: tuple[Line, ...]
    plate: Sealed | None = None

    def counts(self, entry: datetime) -> tuple[Line, ...]:
        return carried(self.lines, entry, self.clock)


class StaysOver:
    """`index_of` gives the blind index of a sealed plate, empty where its key was erased; it raises NotYet while the key has not
    arrived."""

    def __init__(self, index_of: Callable[[UUID, Sealed], Awaitable[str]]) -> None:
        self._open = index_of
        self._in_question: dict[UUID, tuple[SessionBegun, str]] = {}
        self._billed: dict[tuple[UUID, str], Billed] = {}
        self._unopened: dict[UUID, Billed] = {}
        self._left: dict[tuple[UUID, str], SessionEnded] = {}

    def take(self, event: SessionQuarantined | SessionEnded, begun: SessionBegun | None, index: str, row: Recorded) -> None:
        """`begun`: how it began, where it was open until now; `index`: its plate's, empty where that is not known."""
        if begun is not None:
            self._in_question[event.session_id] = begun, index
        if isinstance(event, SessionEnded) and event.session_id in self._in_question:
            if begun is not None and index:
                self._left.pop((event.lot_id, index), None)
                self._left[event.lot_id, index] = event
                if len(self._left) > JUST_LEFT:
                    del self._left[next(iter(self._left))]
            self._keep(event, *self._in_question.pop(event.session_id), row)

    def _keep(self, ended: SessionEnded, begun: SessionBegun, index: str, row: Recorded) -> None:
        """Beside what is known of the plate: what a person has settled afterwards knows nothing of the stays that came between."""
        lines = carried((*begun.earlier, *ended.bill.lines), begun.entered_at, begun.clock) if ended.bill is not None else ()
        if not lines or begun.plate is None:
            return
        at, billed = row.recorded_at, Billed(row.community_id, ended.lot_id, begun.clock, lines, begun.plate)
        if index:
            known = self._billed.get((ended.lot_id, index), billed)
            self._billed[ended.lot_id, index] = replace(billed, lines=together(known.counts(begun.entered_at), lines))
        else:
            self._unopened[ended.session_id] = billed
        if (len(self._billed) + len(self._unopened)) % FORGOTTEN_EVERY == 0:
            self._billed = {key: known for key, known in self._billed.items() if known.counts(at)}
            self._unopened = {key: known for key, known in self._unopened.items() if known.counts(at)}

    def left(self, lot_id: UUID, indexes: list[str]) -> SessionEnded | None:
        """How the last stay in this lot ended of a plate with one of these blind indexes, where that is not long ago."""
        return next((found for index in indexes if (found := self._left.get((lot_id, index))) is not None), None)

    async def billed(self, community_id: UUID, lot_id: UUID, index: str, entry: datetime) -> tuple[Line, ...]:
        """What a stay that begins at `entry` shares a day or a pass with: billed to this plate in this lot. Raises NotYet."""
        for session_id, known in list(self._unopened.items()):
            if (known.community_id, known.lot_id) == (community_id, lot_id):
                opened = await self._open(community_id, known.plate) if known.plate and known.counts(entry) else ""
                if opened:
                    before = self._billed.get((lot_id, opened), known)
                    self._billed[lot_id, opened] = replace(before, lines=together(known.lines, before.lines))
                self._unopened.pop(session_id, None)
        found = self._billed.get((lot_id, index))
        return found.counts(entry) if found is not None and index else ()
