"""Public events on the wire: CloudEvents 1.0, Kafka protocol binding, binary mode (`ce_*` headers), JSON body."""
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID, uuid5
import msgspec
from aiokafka.partitioner import DefaultPartitioner
from msgspec import Struct
from libs.eventkit.commands import Public
from libs.eventkit.recorded import Meta, Number, Recorded, tag_of

PARTITIONS = 4  # never changes: a community's events must stay in one partition
VERSION = Annotated[int, msgspec.Meta(gt=0, lt=2**31)]
LARGEST = 900_000  # bytes of a body that a topic takes; the broker's own limit is 1 MiB with headers

Headers = list[tuple[str, bytes]]
_partition = DefaultPartitioner()

class Unreadable(Exception):
    """A record that is no event of ours; it is kept aside whole."""

class Heard(Struct, frozen=True):
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
def partition_of(community_id: UUID) -> int:
    """murmur2 of the key, as every Kafka client does it."""
    return int(_partition(str(community_id).encode(), [*range(PARTITIONS)], [*range(PARTITIONS)]))
def public_id(event_id: UUID, n: int) -> UUID:
    """The first public event of a private one has its id; further ones have ids derived from it."""
    return event_id if n == 0 else uuid5(event_id, str(n))
def rfc3339(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""

def attributes(row: Recorded, public: Public, n: int, source: str, schema: int, previous: Number) -> dict[str, str]:
    """The CloudEvents attributes of the n-th public event of `row`."""
    meta = row.meta
    found = {
        "specversion": "1.0", "id": str(public_id(row.event_id, n)), "source": f"/lifang/{source}", "type": tag_of(public.body),
        "subject": public.subject or row.subject, "time": rfc3339(row.recorded_at), "datacontenttype": "application/json",
        "partitionkey": str(row.community_id), "lifangposition": str(Number(row.generation, row.position, n)),
        "lifangprevious": str(previous), "lifangschema": str(schema), "lifangcausedby": " ".join(map(str, meta.caused_by)),
        "lifangcorrelation": meta.correlation, "traceparent": meta.traceparent,
        "lifangrequestedat": rfc3339(meta.requested_at), "lifangoccurredat": rfc3339(meta.occurred_at)}
    return {k: v for k, v in found.items() if v}
def headers(found: dict[str, str]) -> Headers:
    return [("content-type" if k == "datacontenttype" else f"ce_{k}", v.encode()) for k, v in found.items()]

def read(raw: Sequence[tuple[str, bytes]], body: bytes | None) -> Heard:
    """Raises Unreadable for a missing or malformed header, a body that is not UTF-8 JSON, or one too large."""
    if body is None or len(body) > LARGEST:
        raise Unreadable("no body" if body is None else "too large")
    try:
        ce = {k[3:]: (v or b"").decode() for k, v in raw if k.startswith("ce_")}
        text = body.decode()
        if "\\u0000" in text or "\0" in "".join(ce.values()):
            raise Unreadable("NUL")
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return Heard(
            community_id=UUID(ce["partitionkey"]), number=Number.parse(ce["lifangposition"]),
            previous=Number.parse(ce["lifangprevious"]), event_id=UUID(ce["id"]), type=ce["type"],
            schema=msgspec.convert(ce["lifangschema"], VERSION, strict=False), data=text,
            meta=Meta(
                correlation=ce.get("lifangcorrelation", ""),
                caused_by=tuple(UUID(i) for i in ce.get("lifangcausedby", "").split()),
                requested_at=_moment(ce.get("lifangrequestedat")), occurred_at=_moment(ce.get("lifangoccurredat")),
                traceparent=ce.get("traceparent", ""), subject=ce.get("subject", ""), source_time=_moment(ce["time"])))
    except (KeyError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}"[:200]) from error
def _moment(text: str | None) -> datetime | None:
    if (moment := datetime.fromisoformat(text) if text else None) and moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
