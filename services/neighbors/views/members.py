"""Who belongs to which circle, since when?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Select, Table, Uuid, func, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.neighbors.domain.circles import MemberJoined, MemberLeft

TABLE = Table(
    "members", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("circle_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("building_id", Uuid), Column("joined_at", DateTime(timezone=True)))
Index("members_by_resident", TABLE.c.community_id, TABLE.c.resident_id)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    if isinstance(event, MemberJoined | MemberLeft):
        return [{"circle_id": event.circle_id, "resident_id": event.resident_id}]
    return []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case MemberJoined():
            rows.put(
                circle_id=event.circle_id, resident_id=event.resident_id, building_id=event.building_id,
                joined_at=row.recorded_at)
        case MemberLeft(circle_id=circle_id, resident_id=resident_id):
            rows.remove({"circle_id": circle_id, "resident_id": resident_id})


def circles_of(resident_id: UUID) -> Select[tuple[object, ...]]:
    """The buildings' first, each with how many belong to it."""
    c, others = TABLE.c, TABLE.alias()
    count = select(func.count()).where(others.c.circle_id == c.circle_id).correlate(TABLE).scalar_subquery()
    return (
        select(c.circle_id.label("id"), c.building_id, c.joined_at, count.label("members"))
        .where(c.resident_id == resident_id).order_by(c.building_id.nulls_last()))


def circle_ids_of(resident_id: UUID) -> Select[tuple[UUID]]:
    return select(TABLE.c.circle_id).where(TABLE.c.resident_id == resident_id)


VIEW = View(table=TABLE, project=project, reads=reads)
