"""Emergency broadcasts, and of everybody in the building whether a channel has taken it for them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Select, Table, Text, Uuid, func, select
from sqlalchemy.sql import Subquery

from libs.contracts.neighbors import BroadcastEnded, BroadcastSent, ResidentNotTold, ResidentTold
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.notices import receipts

METADATA = MetaData()

broadcasts = Table(
    "gateway_broadcasts", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("broadcast_id", Uuid, primary_key=True),
    Column("building_id", Uuid), Column("kind", Text), Column("text", Text), Column("incident_id", Uuid), Column("sent_by", Uuid),
    Column("rule", Text), Column("reason", Text), Column("audience", Integer), Column("sent_at", DateTime(timezone=True)),
    Column("ended_by", Uuid), Column("ended_for", Text), Column("ended_at", DateTime(timezone=True)), Column("event_id", Uuid),
    Column("position", BigInteger),
    Index("gateway_broadcasts_by_time", "community_id", "position"),
)
# one row a resident and channel; reason is set where the channel has not taken it
told = Table(
    "gateway_told", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("broadcast_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("reason", Text), Column("at", DateTime(timezone=True)), Column("event_id", Uuid), Column("position", BigInteger),
    Index("gateway_told_by_resident", "community_id", "resident_id"),
)


def broadcasts_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, BroadcastSent | BroadcastEnded):
        yield {"broadcast_id": event.broadcast_id}


def project_broadcasts(rows: Rows, event: Any, row: Recorded) -> None:
    said = row.meta.source_time or row.recorded_at
    match event:
        case BroadcastSent():
            rows.put(
                broadcast_id=event.broadcast_id, building_id=event.building_id, kind=event.kind, text=event.text,
                incident_id=event.incident_id, sent_by=event.by, rule=event.rule, reason=event.reason, audience=event.audience,
                sent_at=said, event_id=row.event_id, position=row.position)
        case BroadcastEnded():
            if rows.get(broadcast_id=event.broadcast_id) is not None:
                rows.put(broadcast_id=event.broadcast_id, ended_by=event.by, ended_for=event.reason, ended_at=said)


def told_reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidentTold | ResidentNotTold):
        yield {"broadcast_id": event.broadcast_id, "resident_id": event.resident_id, "channel": event.channel}


def project_told(rows: Rows, event: Any, row: Recorded) -> None:
    """What a channel has taken it has taken, whatever is said of that afterwards."""
    if not isinstance(event, ResidentTold | ResidentNotTold):
        return
    key = {"broadcast_id": event.broadcast_id, "resident_id": event.resident_id, "channel": event.channel}
    known = rows.get(**key)
    if known is not None and known["reason"] is None:
        return
    rows.put(
        **key, reason=event.reason if isinstance(event, ResidentNotTold) else None, at=row.meta.source_time or row.recorded_at,
        event_id=row.event_id, position=row.position)


BROADCASTS = View(broadcasts, project_broadcasts, broadcasts_read)
TOLD = View(told, project_told, told_reads)
VIEWS = (BROADCASTS, TOLD)


def broadcast(community_id: UUID, broadcast_id: UUID) -> Select[Any]:
    c = broadcasts.c
    return select(
        c.broadcast_id.label("id"), *(column for column in c if column.name not in ("community_id", "broadcast_id")),
    ).where(c.community_id == community_id, c.broadcast_id == broadcast_id)


def reached(community_id: UUID, broadcast_ids: Iterable[UUID]) -> Subquery:
    """One row a resident: `reason` and `event_id` of no channel that took it are those of the first that did not."""
    c = told.c
    ranked = select(
        c.broadcast_id, c.resident_id, c.channel, c.reason, c.at, c.event_id, c.position,
        func.row_number().over(
            partition_by=(c.broadcast_id, c.resident_id), order_by=(c.reason.is_not(None), c.position, c.channel)).label("rank"),
    ).where(c.community_id == community_id, c.broadcast_id.in_(list(broadcast_ids))).subquery()
    return select(ranked).where(ranked.c.rank == 1).subquery("reached")


def counted(community_id: UUID, broadcast_ids: Iterable[UUID]) -> Select[Any]:
    """How many residents were told (`reason` null) and how many not, by reason; with the first and the last event that said so."""
    r = reached(community_id, broadcast_ids).c
    first = func.min(r.position).label("first")
    return select(r.broadcast_id, r.reason, func.count().label("residents"), first, func.max(r.position).label("last")).group_by(
        r.broadcast_id, r.reason).order_by(r.broadcast_id, r.reason.nulls_first())


def residents_told(community_id: UUID, broadcast_id: UUID, after: UUID | None, limit: int) -> Select[Any]:
    """Everybody, in the order of their ids; with when they read it. One row more than `limit`."""
    r, read = reached(community_id, [broadcast_id]).c, receipts.c
    query = select(r.resident_id, r.channel, r.reason, r.at, r.event_id, read.read_at).outerjoin(
        receipts, (read.community_id == community_id) & (read.notice_id == r.broadcast_id) & (read.resident_id == r.resident_id))
    query = query.where(r.resident_id > after) if after is not None else query
    return query.order_by(r.resident_id).limit(limit + 1)


def reads_of(community_id: UUID, broadcast_id: UUID) -> Select[Any]:
    r = receipts.c
    return select(func.count().label("read")).where(r.community_id == community_id, r.notice_id == broadcast_id)


def not_told(community_id: UUID, broadcast_ids: Iterable[UUID], most: int) -> Select[Any]:
    """The events that said it of those whom no channel reached, the first ones."""
    r = reached(community_id, broadcast_ids).c
    return select(r.broadcast_id, r.event_id).where(r.reason.is_not(None)).order_by(r.position).limit(most)
