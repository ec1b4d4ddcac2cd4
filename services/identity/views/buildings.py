"""Which buildings stand in the community?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.buildings import BuildingRegistered

TABLE = Table(
    "buildings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("building_id", Uuid, primary_key=True),
    Column("name", String), Column("units", Integer))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"building_id": event.building_id}] if isinstance(event, BuildingRegistered) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, BuildingRegistered):
        rows.put(building_id=event.building_id, name=event.name, units=event.units)


def page_of(after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE.c.building_id.label("id"), TABLE.c.name, TABLE.c.units).order_by(TABLE.c.building_id)
    return (query.where(TABLE.c.building_id > after) if after else query).limit(limit)


VIEW = View(table=TABLE, project=project, reads=reads)
