"""Does a log still say what it said? Every row computed anew and compared with its seal, every seal with what is known outside.

The hashes are computed here and not by the database, whose functions are as open to whoever changes its rows as they are.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from cli.keeper.heads import Head, Loss

ROWS = (
    "select position, community_id::text, stream, version, event_id::text, type, schema, source, source_generation, source_position,"
    " source_n, (extract(epoch from recorded_at) * 1000000)::bigint, data::text, meta::text, hash from events order by position")
SEALS = "select n, upto, previous, hashes, root from seals order by n"
BEGINNING = bytes(32)
MOST = 20
"""Findings that are listed; the first is what counts."""
BLANK = '{"retired":"'

Row = Sequence[Any]
Seal = Sequence[Any]


class Finding(Struct, frozen=True):
    """`position`: the first that is concerned; of what is known only by its seal, the first that it may be."""

    position: int
    what: str
    text: str


class Verdict(Struct):
    events: int = 0
    seals: int = 0
    sealed: int = 0
    retired: int = 0
    findings: list[Finding] = []
    losses: list[Loss] = []

    def find(self, position: int, what: str, text: str) -> None:
        self.findings.append(Finding(position, what, text))


class Blanked(Struct):
    """Rows that say that the same event retired them."""

    community_id: str
    first: int
    last: int
    count: int
    types: set[str]


def hash_of(row: Row) -> bytes:
    """As `event_hash` in seal.sql."""
    kept = json.dumps([*row[:12]], ensure_ascii=False).encode()
    return hashlib.sha256(kept + (row[14] if row[14] is not None else content_hash(row[12], row[13]))).digest()


def content_hash(data: str, meta: str) -> bytes:
    """As `content_hash` in seal.sql."""
    content = data.encode()
    return hashlib.sha256(b"%d:%b%b" % (len(content), content, meta.encode())).digest()


class Check:
    """One pass over the log beside its seals, in memory that does not grow with them."""

    def __init__(self, heads: Iterable[Head], progress: Callable[[int], None] = lambda position: None) -> None:
        self.found, self._progress = Verdict(), progress
        self._heads: dict[int, list[Head]] = {}
        for head in heads:
            self._heads.setdefault(head.n, []).append(head)
        self.found.losses = sorted({loss for some in self._heads.values() for head in some for loss in head.losses}, key=lambda one: one.n)
        self._blanked: dict[str, Blanked] = {}
        self._known = 0

    async def run(self, seals: AsyncIterator[Seal], rows: AsyncIterator[Row]) -> Verdict:
        found, n, upto, root = self.found, 0, 0, BEGINNING
        row = await anext(rows, None)
        async for seal in seals:
            expected = self._seal(seal, n, upto, root)
            for position in range(upto + 1, seal[1] + 1):
                while row is not None and row[0] < position:
                    found.find(row[0], "inserted", "no position of this log")
                    row = await self._take(row, rows)
                if row is None:
                    if not any(one.what == "cut off" for one in found.findings):
                        found.find(position, "cut off", f"seal {seal[0]} covers events up to {seal[1]}, the log ends before")
                    break
                if row[0] > position:
                    found.find(position, "missing", f"sealed by {seal[0]}, not in the log")
                    continue
                if expected and hash_of(row) != expected[position - upto - 1]:
                    found.find(position, "changed", f"{row[5]} {row[4]} is not what seal {seal[0]} says")
                row = await self._take(row, rows)
            n, upto, root = seal[0], max(upto, seal[1]), seal[4]
            found.seals, found.sealed = n, upto
            self._compare(seal)
            self._progress(upto)
        await self._tail(row, rows, upto)
        self._end(n, upto)
        found.findings.sort(key=lambda one: one.position)
        del found.findings[MOST:]
        return found

    def _seal(self, seal: Seal, n: int, upto: int, root: bytes) -> list[bytes]:
        """What it says of its rows one by one; nothing where the seal itself cannot be believed."""
        hashes = [seal[3][i:i + 32] for i in range(0, len(seal[3]), 32)]
        whole = hashlib.sha256(seal[2] + seal[3]).digest() == seal[4] and len(hashes) == seal[1] - upto
        if seal[0] != n + 1 or seal[2] != root or not whole:
            self.found.find(upto + 1, "seal changed", f"seal {seal[0]} does not follow from seal {n} and its own rows")
        return hashes if whole else []

    def _compare(self, seal: Seal) -> None:
        known = [head for head in self._heads.pop(seal[0], []) if not is_lost(head, self.found.losses)]
        if all(bytes.fromhex(head.root) == seal[4] for head in known):
            self._known = max([self._known, *(head.upto for head in known)])
        else:
            self.found.find(self._known + 1, "seals rewritten", f"seal {seal[0]} was known outside with another root")

    def _end(self, n: int, upto: int) -> None:
        for head in (head for some in self._heads.values() for head in some if head.n and not is_lost(head, self.found.losses)):
            self.found.find(upto + 1, "cut off", f"seal {head.n} of events up to {head.upto} is known outside, the last one here is {n}")
        for event_id, one in self._blanked.items():
            self.found.find(one.first, "changed", f"blanked, and {event_id}, which should say so, is not in the log")

    async def _tail(self, row: Row | None, rows: AsyncIterator[Row], upto: int) -> None:
        """What is not sealed yet: nothing is known of it but that positions have no gap."""
        position = upto
        while row is not None:
            if row[0] <= upto:
                self.found.find(row[0], "inserted", "no position of this log")
            elif row[0] != position + 1:
                self.found.find(position + 1, "missing", "not yet sealed, and not in the log")
            position = max(position, row[0])
            row = await self._take(row, rows)

    async def _take(self, row: Row, rows: AsyncIterator[Row]) -> Row | None:
        """Notes it and goes on to the next."""
        self.found.events += 1
        if row[14] is not None:
            self._note_blanked(row)
        elif row[5] == "retired" and row[4] in self._blanked:
            self._match(row, self._blanked.pop(row[4]))
        return await anext(rows, None)

    def _note_blanked(self, row: Row) -> None:
        event_id = row[13].removeprefix(BLANK).removesuffix('"}')
        if row[12] != "{}" or row[13] != f'{BLANK}{event_id}"}}' or not _is_id(event_id):
            self.found.find(row[0], "changed", "of what is blanked nothing is left, here something is")
            return
        self.found.retired += 1
        one = self._blanked.setdefault(event_id, Blanked(row[1], row[0], row[0], 0, set()))
        one.last, one.count = row[0], one.count + 1
        one.types.add(row[5])
        if one.community_id != row[1]:
            self.found.find(row[0], "changed", f"blanked, and {event_id}, which should say so, is another community's")

    def _match(self, row: Row, one: Blanked) -> None:
        said = json.loads(row[12])
        if (said["first"], said["upto"], said["count"], set(said["types"]), row[1]) != (
                one.first, one.last, one.count, one.types, one.community_id):
            self.found.find(
                one.first, "changed", f"{one.count} events are blanked here, {said['count']} were retired by {row[4]}")


def is_lost(head: Head, losses: Iterable[Loss]) -> bool:
    """`restored` has said so."""
    return any(head.generation < loss.generation and head.n > loss.n for loss in losses)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
