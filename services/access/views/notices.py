"""What is a person told? A visitor has arrived; a pass was ended by somebody else. A fold of the log: nothing is lost."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.notices import notice_of

TABLE = Table(
    "notices", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("position", BigInteger), Column("person_id", Uuid), Column("kind", String), Column("pass_id", Uuid),
    Column("detail", String), Column("at", DateTime(timezone=True)))
Index("notices_by_person", TABLE.c.community_id, TABLE.c.person_id, TABLE.c.position)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    notice = notice_of(event, row)
    return [{"notice_id": notice.notice_id}] if notice else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if notice := notice_of(event, row):
        rows.put(
            notice_id=notice.notice_id, position=row.position, person_id=notice.person_id, kind=notice.kind,
            pass_id=notice.pass_id, detail=notice.detail, at=notice.at)


def page_of(person_id: UUID, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).where(TABLE.c.person_id == person_id).order_by(TABLE.c.position.desc()).limit(limit)
    return query.where(TABLE.c.position < before) if before is not None else query


VIEW = View(table=TABLE, project=project, reads=reads)
