"""What is odd about a device? One row for each kind of oddity with its count, one for each gap in its numbers.

Frames that are nobody's word stand in no community, under the device NOWHERE, one row for each account.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Select, String, Table, Uuid, select, tuple_

from libs.eventkit.recorded import NOWHERE, Recorded
from libs.eventkit.views import Rows, View, Where
from services.devices.domain.reports import BodyUnreadable, DeviceReported, SerialGapClosed, SerialGapFound
from services.devices.domain.unplaced import FrameUnplaced

TABLE = Table(
    "device_findings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("device_id", Uuid, primary_key=True),
    Column("finding", String, primary_key=True),
    Column("mark", String, primary_key=True),
    Column("times", BigInteger), Column("first_at", DateTime(timezone=True)), Column("last_at", DateTime(timezone=True)),
    Column("last_event_id", Uuid), Column("closed_at", DateTime(timezone=True)))


def _named(event: object) -> list[tuple[UUID, str, str]]:
    """(device, finding, mark) of every row that the event speaks of; the mark tells gaps, refusals and accounts apart."""
    match event:
        case DeviceReported(device_id=device_id, findings=findings):
            return [(device_id, finding, "") for finding in findings]
        case BodyUnreadable(device_id=device_id, code=code):
            return [(device_id, "body_unreadable", code)]
        case FrameUnplaced(account=account, reason=reason, device_id=device_id):
            return [(device_id or NOWHERE, reason, account)]
        case SerialGapFound(device_id=device_id, after=after, before=before):
            return [(device_id, "serial_gap", f"{after}..{before}")]
        case SerialGapClosed(device_id=device_id, after=after, before=before):
            return [(device_id, "serial_gap", f"{after}..{before}")]
    return []


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"device_id": d, "finding": f, "mark": m} for d, f, m in _named(event)]


def project(rows: Rows, event: object, row: Recorded) -> None:
    for device_id, finding, mark in _named(event):
        known = rows.get(device_id=device_id, finding=finding, mark=mark)
        if isinstance(event, SerialGapClosed):
            if known is not None:
                rows.put(**{**known, "closed_at": row.recorded_at})
            continue
        rows.put(
            device_id=device_id, finding=finding, mark=mark, times=(known["times"] if known else 0) + 1,
            first_at=known["first_at"] if known else row.recorded_at, last_at=row.recorded_at,
            last_event_id=row.event_id, closed_at=None)


def page_of(device_id: UUID, after: tuple[str, str] | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).where(TABLE.c.device_id == device_id).order_by(TABLE.c.finding, TABLE.c.mark).limit(limit)
    return query.where(tuple_(TABLE.c.finding, TABLE.c.mark) > after) if after else query


def shown(row: dict[str, Any]) -> dict[str, Any]:
    fields = ("finding", "mark", "times", "first_at", "last_at", "last_event_id", "closed_at")
    return {field: row[field] for field in fields}


VIEW = View(table=TABLE, project=project, reads=reads)
