"""Who was shown a resident's personal data in the clear, when, for what, and what of it: for the resident to read."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.identity import ResidentLookedAt
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.door_events import said_at
from services.gateway.views.my_home import RESIDENTS, residents

looks = Table(
    "gateway_looks", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("resident_id", Uuid), Column("by_id", Uuid), Column("role", Text), Column("purpose", Text), Column("what", JSONB),
    Column("at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("gateway_looks_by_resident", "community_id", "resident_id", "position"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidentLookedAt):
        yield {"event_id": row.event_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, ResidentLookedAt):
        rows.put(
            event_id=row.event_id, resident_id=event.resident_id, by_id=event.by, role=event.role, purpose=event.purpose,
            what=list(event.what), at=said_at(row), position=row.position)


LOOKS = View(looks, project, reads)
VIEWS = (LOOKS,)
USED = (LOOKS, RESIDENTS)


def at_resident(community_id: UUID, resident_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """Newest first, with the sealed name of whoever looked, where they are known by one; one row more than `limit`."""
    c, who = looks.c, residents.alias("who")
    query = (
        select(c.event_id.label("id"), c.role, c.purpose, c.what, c.at, c.position, who.c.name, who.c.erased)
        .select_from(looks)
        .outerjoin(who, (who.c.community_id == c.community_id) & (who.c.resident_id == c.by_id))
        .where(c.community_id == community_id, c.resident_id == resident_id))
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)
