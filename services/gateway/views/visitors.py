"""A host's visitors: each pass with its window and what has come of it; name and plate rest sealed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, DateTime, Index, Integer, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.access import (
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

SEALED = JSON().with_variant(JSONB(), "postgresql")

visitors = Table(
    "gateway_visitors", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("pass_id", Uuid, primary_key=True),
    Column("host_id", Uuid), Column("home_id", Uuid), Column("kind", Text), Column("valid_from", DateTime(timezone=True)),
    Column("valid_until", DateTime(timezone=True)), Column("uses", Integer), Column("zones", JSONB), Column("floors", JSONB),
    Column("plate", SEALED), Column("visitor_name", SEALED), Column("arrived_at", DateTime(timezone=True)),
    Column("arrived_by", Text), Column("used", Integer), Column("revoked", Text), Column("position", BigInteger),
    Index("gateway_visitors_by_host", "community_id", "host_id", "position"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, VisitorPassIssued | VisitorPassRevoked | VisitorPassUsed | VisitorPassUseReturned | VisitorArrived):
        yield {"pass_id": event.pass_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, VisitorPassIssued):
        rows.put(
            pass_id=event.pass_id, host_id=event.host_id, home_id=event.home_id, kind=event.kind, valid_from=event.valid_from,
            valid_until=event.valid_until, uses=event.uses, zones=list(event.zones), floors=list(event.floors), plate=event.plate,
            visitor_name=event.visitor_name, used=0, position=row.position)
        return
    known = rows.get(pass_id=event.pass_id) if hasattr(event, "pass_id") else None
    if known is None:
        return
    match event:
        case VisitorPassRevoked(reason=reason):
            rows.put(pass_id=event.pass_id, revoked=reason)
        case VisitorPassUsed():
            rows.put(pass_id=event.pass_id, used=known["used"] + 1)
        case VisitorPassUseReturned():
            rows.put(pass_id=event.pass_id, used=known["used"] - 1)
        case VisitorArrived(at=at, how=how):
            rows.put(pass_id=event.pass_id, arrived_at=at, arrived_by=how)


VISITORS = View(visitors, project, reads, version=2)
VIEWS = (VISITORS,)


def of_host(community_id: UUID, host_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    c = visitors.c
    query = select(c.pass_id.label("id"), *(column for column in c if column.name not in ("community_id", "pass_id", "host_id")))
    query = query.where(c.community_id == community_id, c.host_id == host_id)
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)
