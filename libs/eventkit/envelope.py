"""Public events on the wire: CloudEvents 1.0, Kafka protocol binding, binary mode (`ce_*` headers), JSON body."""
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID, uuid5
import msgspec
from aiokafka.partitioner import DefaultPartitioner
from libs.eventkit.commands import LARGEST, Public
from libs.eventkit.recorded import Meta, Number, Recorded, tag_of

PARTITIONS = 4  # never changes: a community's events must stay in one partition
VERSION = Annotated[int, msgspec.Meta(gt=0, lt=2**31)]
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # which PostgreSQL's jsonb cannot hold; behind another backslash it is six characters
Headers = list[tuple[str, bytes]]
_partition, _community, _object = DefaultPartitioner(), lru_cache(UUID), msgspec.json.Decoder(dict[str, msgspec.Raw])
_time, _version = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)]), msgspec.json.Decoder(VERSION)
class Unreadable(Exception):
    """A record that is no event of ours; it is kept aside whole."""
class Heard(msgspec.Struct, frozen=True):
    """A record read from a topic, ready to go into the log."""
    community_id: UUID
    number: Number
    previous: Number
    event_id: UUID
    type: str
    schema: int
    data: str
    meta: Meta
@lru_cache(4096)
def key_of(community_id: UUID) -> bytes:
    return str(community_id).encode()
@lru_cache(4096)
def partition_of(community_id: UUID) -> int:
    """murmur2 of the key, as every Kafka client does it."""
    return int(_partition(key_of(community_id), [*range(PARTITIONS)], [*range(PARTITIONS)]))
def public_id(event_id: UUID, n: int) -> UUID:
    """The first public event of a private one has its id; further ones have ids derived from it."""
    return event_id if n == 0 else uuid5(event_id, str(n))
def rfc3339(moment: datetime | None) -> str:
    return str(msgspec.to_builtins(moment.astimezone(UTC))) if moment else ""
def headers(row: Recorded, public: Public, n: int, source: str, schema: int, previous: Number) -> Headers:
    """What goes with the n-th public event of `row`; attributes without a value are left out."""
    meta, subject, (ce_source, ce_type, ce_schema) = row.meta, public.subject or row.subject, _same(source, tag_of(public.body), schema)
    more = (("ce_lifangcausedby", meta.caused_by and " ".join(map(str, meta.caused_by))), ("ce_lifangcorrelation", meta.correlation),
            ("ce_traceparent", meta.traceparent), ("ce_lifangrequestedat", meta.requested_at and rfc3339(meta.requested_at)),
            ("ce_lifangoccurredat", meta.occurred_at and rfc3339(meta.occurred_at)))
    return [("ce_specversion", b"1.0"), ("ce_id", str(public_id(row.event_id, n)).encode()), ce_source, ce_type,
        *([("ce_subject", subject.encode())] if subject else ()), ("ce_time", rfc3339(row.recorded_at).encode()),
        ("content-type", b"application/json"), ("ce_partitionkey", key_of(row.community_id)),
        ("ce_lifangposition", f"{row.generation}.{row.position}.{n}".encode()), ("ce_lifangprevious", str(previous).encode()), ce_schema,
        *[(k, v.encode()) for k, v in more if v]]
@lru_cache(1024)
def _same(source: str, kind: str, schema: int) -> Headers:
    return [("ce_source", f"/lifang/{source}".encode()), ("ce_type", kind.encode()), ("ce_lifangschema", str(schema).encode())]
def attributes(row: Recorded, public: Public, n: int, source: str, schema: int, previous: Number) -> dict[str, str]:
    return {"datacontenttype" if k == "content-type" else k[3:]: v.decode() for k, v in headers(row, public, n, source, schema, previous)}
def _moment(text: str | None) -> datetime | None:
    return _time.decode(f'"{text}"') if text else None
def read(raw: Sequence[tuple[str, bytes]], body: bytes | None) -> Heard:
    """Raises Unreadable for a missing or malformed header, a body that is not UTF-8 JSON, or one too large."""
    if body is None or len(body) > LARGEST:
        raise Unreadable("no body" if body is None else "too large")
    try:
        ce, text = {k[3:]: v.decode() for k, v in raw if v and k.startswith("ce_")}, body.decode()
        if (b"\\u0000" in body and ESCAPED_NUL.search(body)) or "\0" in "".join(ce.values()):
            raise Unreadable("NUL")
        _object.decode(text)
        meta = Meta(correlation=ce.get("lifangcorrelation", ""), caused_by=tuple(UUID(i) for i in ce.get("lifangcausedby", "").split()),
            requested_at=_moment(ce.get("lifangrequestedat")), occurred_at=_moment(ce.get("lifangoccurredat")),
            traceparent=ce.get("traceparent", ""), subject=ce.get("subject", ""), source_time=_moment(ce["time"]))
        return Heard(_community(ce["partitionkey"]), Number.parse(ce["lifangposition"]), Number.parse(ce["lifangprevious"]), UUID(ce["id"]),
                     ce["type"], _version.decode(ce["lifangschema"]), text, meta)
    except (KeyError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}"[:200]) from error
