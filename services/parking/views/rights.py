"""Which plates have permits, stand on a list, or come in as a home's vehicle or a guest's? Plates rest sealed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.parking.domain.plate_rights import PlateRightEnded, PlateRightGranted, RenewalAsked, RenewalPaid

TABLE = Table(
    "plate_rights", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("right_id", Uuid, primary_key=True),
    Column("kind", String), Column("plate", JSONB), Column("lot_id", Uuid), Column("valid_from", DateTime(timezone=True)),
    Column("valid_until", DateTime(timezone=True)), Column("uses", Integer), Column("person_id", Uuid), Column("reason", String),
    Column("monthly", BigInteger), Column("space_id", Uuid), Column("version", Integer),
    Index("plate_rights_by_person", "community_id", "person_id"))

Known = (PlateRightGranted, PlateRightEnded, RenewalAsked, RenewalPaid)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"right_id": event.right_id}] if isinstance(event, Known) else []


def project(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case PlateRightGranted():
            rows.put(
                right_id=event.right_id, kind=event.kind, plate=event.plate, lot_id=event.lot_id, valid_from=event.valid_from,
                valid_until=event.valid_until, uses=event.uses, person_id=event.person_id, reason=event.reason,
                monthly=event.monthly, space_id=event.space_id, version=row.version)
        case PlateRightEnded(right_id=right_id):
            for ended in rows.where(right_id=right_id):
                rows.remove(ended)
        case RenewalAsked(right_id=right_id) | RenewalPaid(right_id=right_id):
            for held in rows.where(right_id=right_id):
                rows.put(**{**held, "version": row.version})


VIEW = View(table=TABLE, project=project, reads=reads)


def page_of(after: UUID | None, limit: int, kind: str | None, person_id: UUID | None = None) -> Select[Any]:
    query = select(TABLE).order_by(TABLE.c.right_id).limit(limit)
    query = query.where(TABLE.c.person_id == person_id) if person_id else query
    query = query.where(TABLE.c.kind == kind) if kind else query
    return query.where(TABLE.c.right_id > after) if after else query
