"""Which emergency broadcasts were there, and whom has each reached, through which channel?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, and_, or_, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.neighbors.domain.broadcasts import BroadcastEnded, BroadcastSent
from services.neighbors.domain.tellings import ResidentNotTold, ResidentTold, TellingFailed, TellingQueued
from services.neighbors.views import members, receipts

BROADCASTS = Table(
    "broadcasts", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("broadcast_id", Uuid, primary_key=True),
    Column("position", BigInteger), Column("event_id", Uuid), Column("building_id", Uuid), Column("kind", String),
    Column("text", String), Column("incident_id", Uuid), Column("by", Uuid), Column("rule", String), Column("reason", String),
    Column("audience", Integer), Column("sent_at", DateTime(timezone=True)), Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Uuid), Column("ended_reason", String), Column("ended_event_id", Uuid))
Index("broadcasts_by_building", BROADCASTS.c.community_id, BROADCASTS.c.building_id, BROADCASTS.c.position)
TELLINGS = Table(
    "tellings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("telling_id", Uuid, primary_key=True),
    Column("broadcast_id", Uuid), Column("resident_id", Uuid), Column("channel", String), Column("state", String),
    Column("attempts", Integer), Column("reason", String), Column("told_at", DateTime(timezone=True)))
Index("tellings_of_broadcast", TELLINGS.c.community_id, TELLINGS.c.broadcast_id)
Index("tellings_of_resident", TELLINGS.c.community_id, TELLINGS.c.resident_id)
Told = TellingQueued | ResidentTold | TellingFailed | ResidentNotTold


def reads_broadcasts(event: object, row: Recorded) -> Iterable[Where]:
    return [{"broadcast_id": event.broadcast_id}] if isinstance(event, BroadcastSent | BroadcastEnded) else []


def project_broadcasts(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case BroadcastSent():
            rows.put(
                broadcast_id=event.broadcast_id, position=row.position, event_id=row.event_id, building_id=event.building_id,
                kind=event.kind, text=event.text, incident_id=event.incident_id, by=event.by, rule=event.rule,
                reason=event.reason, audience=len(event.recipients), sent_at=row.recorded_at, ended_at=None, ended_by=None,
                ended_reason=None, ended_event_id=None)
        case BroadcastEnded():
            rows.put(
                broadcast_id=event.broadcast_id, ended_at=row.recorded_at, ended_by=event.by, ended_reason=event.reason,
                ended_event_id=row.event_id)


def reads_tellings(event: object, row: Recorded) -> Iterable[Where]:
    return [{"telling_id": event.telling_id}] if isinstance(event, Told) else []


def project_tellings(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case TellingQueued():
            rows.put(
                telling_id=event.telling_id, broadcast_id=event.broadcast_id, resident_id=event.resident_id,
                channel=event.channel, state="waiting", attempts=0, reason=None, told_at=None)
        case TellingFailed():
            rows.put(telling_id=event.telling_id, attempts=event.attempt, reason=event.error)
        case ResidentTold():
            rows.put(
                telling_id=event.telling_id, state="told", attempts=event.attempt, reason=None, told_at=row.recorded_at)
        case ResidentNotTold():
            rows.put(telling_id=event.telling_id, state="not_told", reason=event.reason)


def page_of(building_id: UUID | None, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    """Of all buildings or of one, newest first."""
    query = select(BROADCASTS).order_by(BROADCASTS.c.position.desc()).limit(limit)
    if building_id:
        query = query.where(BROADCASTS.c.building_id == building_id)
    return query.where(BROADCASTS.c.position < before) if before is not None else query


def mine(resident_id: UUID, broadcast_id: UUID | None, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    """Those that were meant for the resident, wherever they live now, and what runs where they live; newest first, or the one of them,
    and when they have read them."""
    read, lives = receipts.TABLE.c, BROADCASTS.c.building_id.in_(members.circle_ids_of(resident_id))
    meant = BROADCASTS.c.broadcast_id.in_(select(TELLINGS.c.broadcast_id).where(TELLINGS.c.resident_id == resident_id))
    query = (
        select(BROADCASTS, read.read_at)
        .select_from(BROADCASTS.outerjoin(
            receipts.TABLE, and_(read.notice_id == BROADCASTS.c.broadcast_id, read.resident_id == resident_id)))
        .where(or_(meant, and_(BROADCASTS.c.ended_at.is_(None), lives)))
        .order_by(BROADCASTS.c.position.desc()).limit(limit))
    if broadcast_id:
        query = query.where(BROADCASTS.c.broadcast_id == broadcast_id)
    return query.where(BROADCASTS.c.position < before) if before is not None else query


def one(broadcast_id: UUID) -> Select[tuple[object, ...]]:
    return select(BROADCASTS).where(BROADCASTS.c.broadcast_id == broadcast_id)


def tellings_of(broadcast_id: UUID, resident_id: UUID | None = None) -> Select[tuple[object, ...]]:
    """To everybody, or to one resident."""
    c = TELLINGS.c
    query = select(TELLINGS).where(c.broadcast_id == broadcast_id).order_by(c.resident_id, c.channel)
    return query.where(c.resident_id == resident_id) if resident_id else query


def reached(tellings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each resident once: told where one channel has taken it, waiting where one still may, else not told. `channels`: what
    became of each, and why."""
    by_resident: defaultdict[UUID, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for telling in tellings:
        by_resident[telling["resident_id"]][telling["channel"]] = telling
    found = []
    for resident_id, channels in by_resident.items():
        states = {telling["state"] for telling in channels.values()}
        found.append({
            "resident_id": resident_id, "state": next(s for s in ("told", "waiting", "not_told") if s in states),
            "channels": [
                {"channel": channel, **{k: telling[k] for k in ("state", "reason", "attempts", "told_at")}}
                for channel, telling in channels.items()]})
    return found


BROADCASTS_VIEW = View(table=BROADCASTS, project=project_broadcasts, reads=reads_broadcasts)
TELLINGS_VIEW = View(table=TELLINGS, project=project_tellings, reads=reads_tellings)
