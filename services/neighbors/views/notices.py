"""What has been told to which circle: for a resident, with what they have read; for staff, with how many have."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    and_,
    func,
    select,
    tuple_,
)

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.neighbors.domain.notices import NoticePosted, NoticeWithdrawn
from services.neighbors.views import members, receipts

TABLE = Table(
    "notices", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("position", BigInteger), Column("circle_id", Uuid), Column("building_id", Uuid), Column("category", String),
    Column("title", String), Column("text", String), Column("by", Uuid), Column("audience", Integer),
    Column("posted_at", DateTime(timezone=True)), Column("withdrawn_at", DateTime(timezone=True)))
Index("notices_by_circle", TABLE.c.community_id, TABLE.c.circle_id, TABLE.c.position)

_SHOWN = tuple(TABLE.c[name] for name in (
    "circle_id", "building_id", "category", "title", "text", "posted_at", "position"))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"notice_id": event.notice_id}] if isinstance(event, NoticePosted | NoticeWithdrawn) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case NoticePosted():
            rows.put(
                notice_id=event.notice_id, position=row.position, circle_id=event.circle_id, building_id=event.building_id,
                category=event.category, title=event.title, text=event.text, by=event.by, audience=event.audience,
                posted_at=row.recorded_at, withdrawn_at=None)
        case NoticeWithdrawn(notice_id=notice_id):
            rows.put(notice_id=notice_id, withdrawn_at=row.recorded_at)


def mine(resident_id: UUID, after: tuple[int, int] | None, limit: int) -> Select[tuple[object, ...]]:
    """Those of the circles that the resident belongs to: what they have not read first, then the newest. `after`: `seen`
    (0 or 1) and position of the last one that was shown."""
    read = receipts.TABLE.c
    found = (
        select(
            TABLE.c.notice_id.label("id"), *_SHOWN, read.read_at,
            (read.read_at.is_not(None)).cast(Integer).label("seen"))
        .select_from(TABLE.outerjoin(
            receipts.TABLE, and_(read.notice_id == TABLE.c.notice_id, read.resident_id == resident_id)))
        .where(TABLE.c.withdrawn_at.is_(None), TABLE.c.circle_id.in_(members.circle_ids_of(resident_id)))
        .subquery())
    query = select(found).order_by(found.c.seen, found.c.position.desc()).limit(limit)
    if after is None:
        return query
    return query.where(tuple_(found.c.seen, -found.c.position) > tuple_(after[0], -after[1]))


def all_of(circle_id: UUID | None, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    """With withdrawn ones, newest first, each with its receipts counted."""
    read = receipts.TABLE.c
    count = select(func.count()).where(read.notice_id == TABLE.c.notice_id).correlate(TABLE).scalar_subquery()
    query = select(
        TABLE.c.notice_id.label("id"), *_SHOWN, TABLE.c.by, TABLE.c.withdrawn_at, TABLE.c.audience, count.label("read"),
    ).order_by(TABLE.c.position.desc()).limit(limit)
    if circle_id:
        query = query.where(TABLE.c.circle_id == circle_id)
    return query.where(TABLE.c.position < before) if before is not None else query


VIEW = View(table=TABLE, project=project, reads=reads)
