"""Which lifts are there, and which relay takes them to which floor?"""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Column, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.domain.lifts import LiftInstalled

TABLE = Table(
    "lifts", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("lift_id", Uuid, primary_key=True),
    Column("name", String), Column("building_id", Uuid), Column("device_id", Uuid), Column("floors", JSONB),
    Column("version", Integer))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"lift_id": event.lift_id}] if isinstance(event, LiftInstalled) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    if isinstance(event, LiftInstalled):
        rows.put(**msgspec.structs.asdict(event) | {"version": row.version})


def page_of(after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.lift_id).limit(limit)
    return query.where(TABLE.c.lift_id > after) if after else query


VIEW = View(table=TABLE, project=project, reads=reads)
