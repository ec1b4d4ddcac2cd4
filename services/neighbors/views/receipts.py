"""Who has read which notice or broadcast?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.neighbors.domain.receipts import NoticeRead

TABLE = Table(
    "receipts", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("position", BigInteger), Column("read_at", DateTime(timezone=True)))
Index("receipts_in_order", TABLE.c.community_id, TABLE.c.notice_id, TABLE.c.position)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"notice_id": event.notice_id, "resident_id": event.resident_id}] if isinstance(event, NoticeRead) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, NoticeRead):
        rows.put(
            notice_id=event.notice_id, resident_id=event.resident_id, position=row.position, read_at=row.recorded_at)


def page_of(notice_id: UUID, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    """The last ones first."""
    c = TABLE.c
    query = select(c.resident_id, c.read_at, c.position).where(c.notice_id == notice_id).order_by(c.position.desc()).limit(limit)
    return query.where(c.position < before) if before is not None else query


VIEW = View(table=TABLE, project=project, reads=reads)
