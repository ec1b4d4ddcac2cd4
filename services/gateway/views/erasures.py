"""Who was erased, since when, and which services have confirmed that they keep nothing of them any more.

Topics are heard independently: a confirmation may come before the erasure that it confirms.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.identity import ResidentErased
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.door_events import said_at

SERVICES = ("identity", "access", "parking", "neighbors", "alarm", "devices", "gateway")
"""Whoever keeps anything of a resident, and so has to confirm."""
CONFIRMED = "erasure_confirmed"

erasures = Table(
    "gateway_erasures", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("erased_at", DateTime(timezone=True)), Column("by_id", Uuid), Column("reason", Text), Column("confirmed", JSONB),
    Column("event_id", Uuid), Column("position", BigInteger),
    Index("gateway_erasures_by_time", "community_id", "position"),
)


def confirmed_by(event: Any, row: Recorded) -> tuple[UUID, str] | None:
    """Of whom, by which service: the gateway's own word is an event of its own log, those of others are contracts."""
    if row.type.rpartition(".")[2] != CONFIRMED:
        return None
    resident_id: UUID = event.resident_id if row.source else event.person_id
    return resident_id, row.type.rpartition(".")[0] or "gateway"


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidentErased):
        yield {"resident_id": event.resident_id}
    elif found := confirmed_by(event, row):
        yield {"resident_id": found[0]}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, ResidentErased):
        known = rows.get(resident_id=event.resident_id) or {}
        if known.get("erased_at") is None:  # said again after a restore: it is erased since the first time
            rows.put(
                resident_id=event.resident_id, erased_at=said_at(row), by_id=event.by, reason=event.reason,
                confirmed=known.get("confirmed") or {}, event_id=row.event_id, position=row.position)
    elif found := confirmed_by(event, row):
        resident_id, service = found
        known = rows.get(resident_id=resident_id) or {}
        said = {"at": said_at(row), "keys": event.keys}
        rows.put(resident_id=resident_id, confirmed={**(known.get("confirmed") or {}), service: said})


ERASURES = View(erasures, project, reads)
VIEWS = (ERASURES,)


def newest(community_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """One row more than `limit`."""
    query = _shown(community_id)
    query = query.where(erasures.c.position < before) if before is not None else query
    return query.order_by(erasures.c.position.desc()).limit(limit + 1)


def of_resident(community_id: UUID, resident_id: UUID) -> Select[Any]:
    return _shown(community_id).where(erasures.c.resident_id == resident_id)


def _shown(community_id: UUID) -> Select[Any]:
    c = erasures.c
    return select(c.resident_id, c.erased_at, c.by_id, c.reason, c.confirmed, c.event_id, c.position).where(
        c.community_id == community_id, c.erased_at.is_not(None))
