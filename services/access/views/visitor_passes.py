"""Which visitors are expected, by whom, and who of them has come? Plate and name stay sealed."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.domain.pass_history import (
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)

TABLE = Table(
    "visitor_passes", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("pass_id", Uuid, primary_key=True),
    Column("kind", String), Column("home_id", Uuid), Column("host_id", Uuid),
    Column("valid_from", DateTime(timezone=True)), Column("valid_until", DateTime(timezone=True)), Column("uses", Integer),
    Column("zones", JSONB), Column("floors", JSONB), Column("plate", JSONB), Column("visitor_name", JSONB),
    Column("entries", Integer), Column("arrived_at", DateTime(timezone=True)), Column("revoked", String))
Index("visitor_passes_by_host", TABLE.c.community_id, TABLE.c.host_id, TABLE.c.pass_id)
Said = VisitorPassIssued | VisitorPassRevoked | VisitorPassUsed | VisitorPassUseReturned | VisitorArrived


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"pass_id": event.pass_id}] if isinstance(event, Said) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case VisitorPassIssued():
            told = {k: v for k, v in msgspec.to_builtins(event).items() if k in TABLE.c}
            rows.put(**told, entries=0, arrived_at=None, revoked=None)
        case VisitorPassRevoked(pass_id=pass_id, reason=reason):
            rows.put(pass_id=pass_id, revoked=reason)
        case VisitorPassUsed(pass_id=pass_id) | VisitorPassUseReturned(pass_id=pass_id):
            before = (rows.get(pass_id=pass_id) or {}).get("entries", 0)
            rows.put(pass_id=pass_id, entries=before + (1 if isinstance(event, VisitorPassUsed) else -1))
        case VisitorArrived(pass_id=pass_id, at=at):
            rows.put(pass_id=pass_id, arrived_at=at)


def page_of(host_id: UUID | None, after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.pass_id).limit(limit)
    if host_id:
        query = query.where(TABLE.c.host_id == host_id)
    return query.where(TABLE.c.pass_id > after) if after else query


def one(pass_id: UUID) -> Select[tuple[object, ...]]:
    return select(TABLE).where(TABLE.c.pass_id == pass_id)


VIEW = View(table=TABLE, project=project, reads=reads)
