"""Who has used up what an account may look at, or guess? For those who look after accounts."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.askers import ProbingFound

TABLE = Table(
    "probing_findings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("finding_id", Uuid, primary_key=True),
    Column("person_id", Uuid), Column("role", String), Column("kind", String), Column("most", Integer), Column("seconds", Integer),
    Column("at", DateTime(timezone=True)), Column("position", BigInteger))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"finding_id": row.event_id}] if isinstance(event, ProbingFound) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, ProbingFound):
        rows.put(
            finding_id=row.event_id, person_id=event.person_id, role=event.role, kind=event.kind, most=event.limit,
            seconds=event.seconds, at=event.at, position=row.position)


VIEW = View(table=TABLE, project=project, reads=reads)


def page_of(before: int | None, limit: int, person_id: UUID | None = None) -> Select[tuple[object, ...]]:
    c = TABLE.c
    query = select(
        c.finding_id.label("id"), c.person_id, c.role, c.kind, c.most, c.seconds, c.at, c.position).order_by(c.position.desc())
    query = query.where(c.person_id == person_id) if person_id else query
    return (query.where(c.position < before) if before is not None else query).limit(limit)
