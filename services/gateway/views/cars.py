"""The vehicles of homes and who keeps them; the plate rests sealed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Index, MetaData, Select, Table, Text, Uuid, select

from libs.contracts.identity import VehicleRegistered, VehicleRemoved, VehicleVerified
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.visitors import SEALED

cars = Table(
    "gateway_cars", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("vehicle_id", Uuid, primary_key=True),
    Column("home_id", Uuid), Column("keeper_id", Uuid), Column("plate", SEALED), Column("vehicle_class", Text),
    Column("verified", Boolean),
    Index("gateway_cars_by_keeper", "community_id", "keeper_id"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, VehicleRegistered | VehicleVerified | VehicleRemoved):
        yield {"vehicle_id": event.vehicle_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case VehicleRegistered():
            rows.put(
                vehicle_id=event.vehicle_id, home_id=event.home_id, keeper_id=event.keeper_id, plate=event.plate,
                vehicle_class=event.vehicle_class, verified=event.verified)
        case VehicleVerified():
            if rows.get(vehicle_id=event.vehicle_id) is not None:
                rows.put(vehicle_id=event.vehicle_id, verified=True)
        case VehicleRemoved():
            for gone in rows.where(vehicle_id=event.vehicle_id):
                rows.remove(gone)


CARS = View(cars, project, reads)
VIEWS = (CARS,)


def of_keeper(community_id: UUID, keeper_id: UUID) -> Select[Any]:
    c = cars.c
    return select(c.vehicle_id.label("id"), c.home_id, c.plate, c.vehicle_class, c.verified).where(
        c.community_id == community_id, c.keeper_id == keeper_id).order_by(c.vehicle_id)
