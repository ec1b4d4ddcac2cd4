"""Which doors are there, and what opens them?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Boolean, Column, Integer, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.domain.doors import DoorInstalled

TABLE = Table(
    "doors", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("door_id", Uuid, primary_key=True),
    Column("name", String), Column("zone", String), Column("device_id", Uuid), Column("door_no", Integer),
    Column("evacuation", Boolean), Column("version", Integer))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"door_id": event.door_id}] if isinstance(event, DoorInstalled) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, DoorInstalled):
        rows.put(
            door_id=event.door_id, name=event.name, zone=event.zone, device_id=event.device_id, door_no=event.door_no,
            evacuation=event.evacuation, version=row.version)


def page_of(after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.door_id).limit(limit)
    return query.where(TABLE.c.door_id > after) if after else query


VIEW = View(table=TABLE, project=project, reads=reads)
