"""Who belongs to which circle, what staff told it, and who has read that."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Select, Table, Text, Uuid, func, select

from libs.contracts.neighbors import CircleJoined, CircleLeft, NoticePosted, NoticeRead, NoticeWithdrawn
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

METADATA = MetaData()

circles = Table(
    "gateway_circles", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("circle_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("building_id", Uuid),
    Index("gateway_circles_by_resident", "community_id", "resident_id"),
)
notices = Table(
    "gateway_notices", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("circle_id", Uuid), Column("building_id", Uuid), Column("category", Text), Column("title", Text), Column("text", Text),
    Column("posted_by", Uuid), Column("audience", Integer), Column("posted_at", DateTime(timezone=True)),
    Column("withdrawn_at", DateTime(timezone=True)), Column("withdrawn_by", Uuid), Column("event_id", Uuid),
    Column("position", BigInteger),
    Index("gateway_notices_by_circle", "community_id", "circle_id", "position"),
    Index("gateway_notices_by_time", "community_id", "position"),
)
# of notices and broadcasts: whoever has read one has read it since then
receipts = Table(
    "gateway_receipts", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("read_at", DateTime(timezone=True)),
)


def circles_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, CircleJoined | CircleLeft):
        yield {"circle_id": event.circle_id, "resident_id": event.resident_id}


def project_circles(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case CircleJoined():
            rows.put(circle_id=event.circle_id, resident_id=event.resident_id, building_id=event.building_id)
        case CircleLeft():
            for left in rows.where(circle_id=event.circle_id, resident_id=event.resident_id):
                rows.remove(left)


def notices_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, NoticePosted | NoticeWithdrawn):
        yield {"notice_id": event.notice_id}


def project_notices(rows: Rows, event: Any, row: Recorded) -> None:
    said = row.meta.source_time or row.recorded_at
    match event:
        case NoticePosted():
            rows.put(
                notice_id=event.notice_id, circle_id=event.circle_id, building_id=event.building_id, category=event.category,
                title=event.title, text=event.text, posted_by=event.by, audience=event.audience, posted_at=said,
                event_id=row.event_id, position=row.position)
        case NoticeWithdrawn():
            if rows.get(notice_id=event.notice_id) is not None:
                rows.put(notice_id=event.notice_id, withdrawn_at=said, withdrawn_by=event.by)


def receipts_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, NoticeRead):
        yield {"notice_id": event.notice_id, "resident_id": event.resident_id}


def project_receipts(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, NoticeRead) and rows.get(notice_id=event.notice_id, resident_id=event.resident_id) is None:
        rows.put(notice_id=event.notice_id, resident_id=event.resident_id, read_at=row.meta.source_time or row.recorded_at)


CIRCLES = View(circles, project_circles, circles_read)
NOTICES = View(notices, project_notices, notices_read)
RECEIPTS = View(receipts, project_receipts, receipts_read)
VIEWS = (CIRCLES, NOTICES, RECEIPTS)


def circles_of(community_id: UUID, resident_id: UUID) -> Select[Any]:
    c = circles.c
    return select(c.circle_id, c.building_id).where(c.community_id == community_id, c.resident_id == resident_id)


def all_notices(community_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """Newest first, withdrawn ones too, each with how many have read it; one row more than `limit`."""
    c, r = notices.c, receipts.c
    read = select(func.count()).select_from(receipts).where(
        r.community_id == c.community_id, r.notice_id == c.notice_id).correlate(notices).scalar_subquery()
    query = select(
        c.notice_id.label("id"), *(column for column in c if column.name not in ("community_id", "notice_id")), read.label("read"),
    ).where(c.community_id == community_id)
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)
