"""Which vehicles have the homes? The plate stays sealed; `version` is that of the stream, for If-Match; `findings` is
what staff should look at, `verification` which papers they have seen.
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, func, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.vehicles import (
    TWICE,
    KeeperConfirmed,
    KeeperEnded,
    PlateContested,
    PlateCorrected,
    PlateDisclosed,
    VehicleRegistered,
    VehicleRemoved,
    VehicleVerified,
)
from services.identity.views import residences

TABLE = Table(
    "vehicles", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("vehicle_id", Uuid, primary_key=True),
    Column("home_id", Uuid), Column("keeper_id", Uuid), Column("plate", JSONB), Column("vehicle_class", String),
    Column("verification", String), Column("findings", JSONB),
    Column("registered_at", DateTime(timezone=True)), Column("version", Integer))
Index("vehicles_by_home", TABLE.c.community_id, TABLE.c.home_id, TABLE.c.vehicle_id)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    match event:
        case (VehicleRegistered() | PlateCorrected() | KeeperConfirmed() | KeeperEnded() | VehicleVerified()
              | PlateContested() | PlateDisclosed() | VehicleRemoved()):
            return [{"vehicle_id": event.vehicle_id}]
        case _:
            return []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case VehicleRegistered() | PlateCorrected() | KeeperConfirmed() | KeeperEnded():
            rows.put(
                vehicle_id=event.vehicle_id, home_id=event.home_id, keeper_id=event.keeper_id,
                plate=msgspec.to_builtins(event.plate), vehicle_class=event.vehicle_class, verification=event.how,
                findings=list(event.findings), version=row.version)
            if isinstance(event, VehicleRegistered):
                rows.put(vehicle_id=event.vehicle_id, registered_at=row.recorded_at)
        case VehicleVerified():
            rows.put(vehicle_id=event.vehicle_id, verification=event.how, findings=[], version=row.version)
        case PlateContested():
            rows.put(vehicle_id=event.vehicle_id, findings=[TWICE], version=row.version)
        case PlateDisclosed():
            rows.put(vehicle_id=event.vehicle_id, version=row.version)
        case VehicleRemoved(vehicle_id=vehicle_id):
            rows.remove({"vehicle_id": vehicle_id})


def _query(resident_id: UUID | None) -> Select[tuple[object, ...]]:
    """`resident_id`: only what this resident may see: vehicles kept by whoever lives in the same home now."""
    c, mine, theirs = TABLE.c, residences.TABLE.alias("mine").c, residences.TABLE.alias("theirs").c
    query = select(
        c.vehicle_id.label("id"), c.home_id, c.keeper_id, c.plate, c.vehicle_class, c.verification, c.findings,
        c.registered_at, c.version)
    if resident_id:
        query = query.where(
            c.home_id.in_(select(mine.home_id).where(mine.resident_id == resident_id, mine.until.is_(None))),
            c.keeper_id.in_(select(theirs.resident_id).where(theirs.home_id == c.home_id, theirs.until.is_(None))))
    return query


def page_of(
    resident_id: UUID | None, home_id: UUID | None, doubtful: bool, after: UUID | None, limit: int
) -> Select[tuple[object, ...]]:
    """`doubtful`: only those with findings."""
    query = _query(resident_id).order_by(TABLE.c.vehicle_id)
    if home_id:
        query = query.where(TABLE.c.home_id == home_id)
    if doubtful:
        query = query.where(func.jsonb_array_length(TABLE.c.findings) > 0)
    return (query.where(TABLE.c.vehicle_id > after) if after else query).limit(limit)


def one(resident_id: UUID | None, vehicle_id: UUID) -> Select[tuple[object, ...]]:
    return _query(resident_id).where(TABLE.c.vehicle_id == vehicle_id)


def kept_by(keeper_id: UUID, limit: int) -> Select[tuple[object, ...]]:
    """As its keeper may know it: that somebody else has the same plate is none of it."""
    c = TABLE.c
    return select(c.vehicle_id.label("id"), c.home_id, c.plate, c.vehicle_class, c.verification, c.registered_at).where(
        c.keeper_id == keeper_id).order_by(c.vehicle_id).limit(limit)


VIEW = View(table=TABLE, project=project, reads=reads)
