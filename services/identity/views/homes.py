"""Which homes are there, and in which building and unit?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, Index, Integer, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.homes import HomeRegistered

TABLE = Table(
    "homes", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("home_id", Uuid, primary_key=True),
    Column("building_id", Uuid), Column("unit", Integer), Column("label", String))
Index("homes_by_building", TABLE.c.community_id, TABLE.c.building_id, TABLE.c.home_id)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"home_id": event.home_id}] if isinstance(event, HomeRegistered) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, HomeRegistered):
        rows.put(home_id=event.home_id, building_id=event.building_id, unit=event.unit, label=event.label)


def page_of(building_id: UUID | None, after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    c = TABLE.c
    query = select(c.home_id.label("id"), c.building_id, c.unit, c.label).order_by(c.home_id).limit(limit)
    if building_id:
        query = query.where(c.building_id == building_id)
    return query.where(c.home_id > after) if after else query


VIEW = View(table=TABLE, project=project, reads=reads)
