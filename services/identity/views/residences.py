"""Who lives, or lived, in which home, and as what?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, Date, Index, Integer, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.residences import ResidenceEnded, ResidenceStarted

TABLE = Table(
    "residences", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("residence_id", Uuid, primary_key=True),
    Column("resident_id", Uuid), Column("home_id", Uuid), Column("building_id", Uuid), Column("unit", Integer),
    Column("role", String), Column("since", Date), Column("until", Date))
Index("residences_by_home", TABLE.c.community_id, TABLE.c.home_id, TABLE.c.residence_id)
Index("residences_by_resident", TABLE.c.community_id, TABLE.c.resident_id, TABLE.c.residence_id)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"residence_id": event.residence_id}] if isinstance(event, ResidenceStarted | ResidenceEnded) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case ResidenceStarted():
            rows.put(
                residence_id=event.residence_id, resident_id=event.resident_id, home_id=event.home_id,
                building_id=event.building_id, unit=event.unit, role=event.role, since=event.since, until=None)
        case ResidenceEnded():
            rows.put(residence_id=event.residence_id, until=event.until)


def page_of(
    home_id: UUID | None, resident_id: UUID | None, after: UUID | None, limit: int
) -> Select[tuple[object, ...]]:
    c = TABLE.c
    query = select(
        c.residence_id.label("id"), c.resident_id, c.home_id, c.building_id, c.unit, c.role, c.since, c.until,
    ).order_by(c.residence_id)
    if home_id:
        query = query.where(c.home_id == home_id)
    if resident_id:
        query = query.where(c.resident_id == resident_id)
    return (query.where(c.residence_id > after) if after else query).limit(limit)


VIEW = View(table=TABLE, project=project, reads=reads)
