"""Events as the log keeps them: own ones (stream, version) and heard ones (source, number)."""
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
import asyncpg
import msgspec

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
NOWHERE = UUID(int=0)  # the community of what belongs to no community
COLUMNS = ("position, generation, community_id, stream, version, event_id, type, schema, data, meta,"
           " source, source_generation, source_position, source_n, recorded_at")
class UnknownVersion(Exception):
    """A known type in a version that this code does not know: a newer writer runs beside us."""
class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """`caused_by`: ids of the events and the command that it rests on. `requested_at`: when the first service recorded what was asked.
    `occurred_at`: what device or person claims; nothing is ordered by it. `retired`: retention's event, alone left of a blanked row."""
    correlation: str = ""
    caused_by: tuple[UUID, ...] = ()
    requested_at: datetime | None = None
    occurred_at: datetime | None = None
    principal: str = ""
    traceparent: str = ""
    subject: str = ""
    source_time: datetime | None = None
    retired: UUID | None = None
class Number(msgspec.Struct, frozen=True, order=True):
    """The place of a public event in its topic: generation, position in the source's log, index among its siblings."""
    generation: int = 0
    position: int = 0
    n: int = 0
    def __str__(self) -> str:
        return f"{self.generation}.{self.position}.{self.n}"
    @classmethod
    def parse(cls, text: str) -> "Number":
        """Raises ValueError on anything but three dotted integers of at most 63 bits."""
        generation, position, n = map(int, text.split("."))
        if not (0 <= generation < 2**31 and 0 <= position < 2**63 and 0 <= n < 2**31):
            raise ValueError("number out of range")
        return cls(generation, position, n)
_meta = msgspec.json.Decoder(Meta)
class Recorded(msgspec.Struct, frozen=True):
    """One row of the log, its body not yet decoded."""
    position: int
    generation: int
    community_id: UUID
    stream: str | None
    version: int | None
    event_id: UUID
    type: str
    schema: int
    data: str
    meta: Meta
    source: str | None
    number: Number | None
    recorded_at: datetime
    @classmethod
    def of(cls, row: asyncpg.Record) -> "Recorded":
        """From the COLUMNS, in their order."""
        p, g, c, s, v, e, t, schema, data, meta, source, generation, position, n, at = row
        return cls(p, g, c, s, v, e, t, schema, data, _meta.decode(meta), source, Number(generation, position, n) if source else None, at)
    @property
    def subject(self) -> str:
        return self.stream or self.meta.subject
class Retired(msgspec.Struct, frozen=True, tag="retired"):
    """Of the rows `first` … `upto` of this community, `count` of these types, older than `before`, are blanked, as class `name` says."""
    name: str
    types: tuple[str, ...]
    first: int
    upto: int
    count: int
    before: datetime
class Retention(msgspec.Struct, frozen=True):
    """What has served its purpose is blanked where it stands; `Retired` says so, and views fold it. A class: rows of heard contracts, and
    whole own streams of these categories, whose last event is so many `days` old; where `ends` names types, only those in which one of
    them has happened. LIFANG_RETENTION_<NAME> sets other days, not below the `least` that its purpose needs."""
    name: str
    days: int
    heard: tuple[type[msgspec.Struct], ...] = ()
    own: tuple[str, ...] = ()
    ends: tuple[type[msgspec.Struct], ...] = ()
    least: int = 1
def tag_of(kind: Any) -> str:
    """The stored name of an event or of its type."""
    return str(kind.__struct_config__.tag)

class Catalogue:
    """The event types that a service can read, by stable name. `upcasts`: by (type, version), what makes the plain body one of the next."""
    def __init__(self, types: Iterable[type[msgspec.Struct]], upcasts: Mapping[tuple[str, int], Upcast] | None = None) -> None:
        self.upcasts = upcasts or {}
        self.types: dict[str, type[msgspec.Struct]] = {tag_of(t): t for t in types}
        self._decoders = {name: msgspec.json.Decoder(t) for name, t in self.types.items()}
        self.versions = {n: 1 + max((v for t, v in self.upcasts if t == n), default=0) for n in self.types}
    def read(self, row: Recorded, strict: bool = False) -> Any | None:
        """The event, lifted to the current version; None for a type that is not ours to know, or what is retired. Raises UnknownVersion;
        `strict`: also for a type that is not known, since a newer writer has said it. For whoever may pass over nothing."""
        if row.meta.retired is not None or (decoder := self._decoders.get(row.type)) is None:
            if strict and row.meta.retired is None and row.type != "event_skipped":
                raise UnknownVersion(f"{row.type} is not known")
            return None
        if row.schema == (current := self.versions[row.type]):
            return decoder.decode(row.data)
        if row.schema > current:
            raise UnknownVersion(f"{row.type} version {row.schema}, known up to {current}")
        body = msgspec.json.decode(row.data)
        for version in range(row.schema, current):
            body = self.upcasts[row.type, version](body)
        return msgspec.convert(body, self.types[row.type])
def uuid7() -> UUID:
    """A time-ordered random id (RFC 9562, version 7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
