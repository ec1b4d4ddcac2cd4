"""What has a person to settle at the lanes, and what was settled, how?"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.parking.domain.findings import FindingRaised, FindingSettled

TABLE = Table(
    "parking_findings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("finding_id", Uuid, primary_key=True),
    Column("kind", String), Column("lane_id", Uuid), Column("session_id", Uuid), Column("passage_id", Uuid),
    Column("candidates", JSONB), Column("raised_at", DateTime(timezone=True)), Column("how", String), Column("note", String),
    Column("settled_at", DateTime(timezone=True)), Column("position", BigInteger))


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"finding_id": event.finding_id}] if isinstance(event, FindingRaised | FindingSettled) else []


def project(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case FindingRaised(finding_id=finding_id):
            rows.put(
                finding_id=finding_id, kind=event.kind, lane_id=event.lane_id, session_id=event.session_id,
                passage_id=event.passage_id, candidates=list(event.candidates), raised_at=row.recorded_at, how=None, note=None,
                settled_at=None, position=row.position)
        case FindingSettled(finding_id=finding_id, how=how, note=note):
            if (known := rows.get(finding_id=finding_id)) is not None:
                rows.put(**{**known, "how": how, "note": note, "settled_at": row.recorded_at})


VIEW = View(table=TABLE, project=project, reads=reads)
SHOWN = ("kind", "lane_id", "session_id", "passage_id", "candidates", "raised_at", "how", "note", "settled_at", "position")


def page_of(before: int | None, limit: int, open_only: bool) -> Select[Any]:
    """The newest first."""
    query = select(TABLE).order_by(TABLE.c.position.desc()).limit(limit)
    query = query.where(TABLE.c.settled_at.is_(None)) if open_only else query
    return query.where(TABLE.c.position < before) if before is not None else query


def one(finding_id: UUID) -> Select[Any]:
    return select(TABLE).where(TABLE.c.finding_id == finding_id)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["finding_id"], **{field: row[field] for field in SHOWN}}
