"""Which streams are of which plate, by its blind index. The index stands in no event, so it is looked up once, among the
claims, when a stream is new."""

from uuid import UUID

import asyncpg

Index = tuple[UUID, str]
"""Community and blind index."""


class PlateIndex:
    def __init__(self) -> None:
        self._index_of: dict[str, Index] = {}
        self._streams: dict[Index, set[str]] = {}
        self._new: set[str] = set()

    def look_up(self, stream: str) -> None:
        self.forget(stream)
        self._new.add(stream)

    def forget(self, stream: str) -> Index | None:
        """What it was known under."""
        self._new.discard(stream)
        if (index := self._index_of.pop(stream, None)) is not None:
            self._streams[index].discard(stream)
            if not self._streams[index]:
                del self._streams[index]
        return index

    async def ready(self, pool: asyncpg.Pool) -> None:
        if self._new:
            wanted = set(self._new)
            for row in await pool.fetch("select community_id, stream, value from claims where stream = any($1)", list(wanted)):
                if row["stream"] in self._new:
                    self._index_of[row["stream"]] = index = (row["community_id"], row["value"])
                    self._streams.setdefault(index, set()).add(row["stream"])
            self._new -= wanted

    def of(self, stream: str) -> Index | None:
        return self._index_of.get(stream)

    def ids(self, community_id: UUID, indexes: list[str], category: str) -> list[UUID]:
        """Of the streams of this category with one of these indexes."""
        streams = {s for index in indexes for s in self._streams.get((community_id, index), ())}
        return [UUID(s.partition(":")[2]) for s in sorted(streams) if s.startswith(f"{category}:")]
