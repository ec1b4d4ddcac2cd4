"""Permits to park: whose, for which vehicle, in which lot, how long, and what a month costs in fen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, MetaData, Select, Table, Uuid, select

from libs.contracts.parking import PermitHeld
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.cars import CARS, cars
from services.gateway.views.lanes import LOTS, lots

State = Literal["not_yet_valid", "valid", "expired", "ended"]

permits = Table(
    "gateway_permits", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("right_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("lot_id", Uuid), Column("person_id", Uuid), Column("vehicle_id", Uuid),
    Column("valid_from", DateTime(timezone=True)), Column("valid_until", DateTime(timezone=True)), Column("monthly", BigInteger),
    Column("ended", Boolean),
    Index("gateway_permits_by_person", "community_id", "person_id"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, PermitHeld):
        yield {"right_id": event.right_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if not isinstance(event, PermitHeld):
        return
    if not event.ended:
        rows.put(
            right_id=event.right_id, event_id=row.event_id, lot_id=event.lot_id, person_id=event.person_id,
            vehicle_id=event.vehicle_id, valid_from=event.valid_from, valid_until=event.valid_until, monthly=event.monthly,
            ended=False)
    elif rows.get(right_id=event.right_id) is not None:  # what it was is not said again
        rows.put(right_id=event.right_id, event_id=row.event_id, ended=True)


PERMITS = View(permits, project, reads)
VIEWS = (PERMITS,)
USED = (PERMITS, LOTS, CARS)


def state(permit: dict[str, Any], now: datetime) -> State:
    """Half-open: at `valid_until` it is valid no more."""
    if permit["ended"]:
        return "ended"
    if permit["valid_from"] is not None and now < permit["valid_from"]:
        return "not_yet_valid"
    return "valid" if permit["valid_until"] is None or now < permit["valid_until"] else "expired"


def of_person(community_id: UUID, person_id: UUID) -> Select[Any]:
    """The one that counts longest first; with the lot's name (none: every lot), and the vehicle's plate and keeper."""
    p = permits.c
    return (
        select(
            p.right_id.label("id"), p.event_id, p.lot_id, lots.c.name.label("lot_name"), p.vehicle_id, p.valid_from, p.valid_until,
            p.monthly, p.ended, cars.c.plate, cars.c.keeper_id)
        .select_from(permits)
        .outerjoin(lots, (lots.c.community_id == p.community_id) & (lots.c.lot_id == p.lot_id))
        .outerjoin(cars, (cars.c.community_id == p.community_id) & (cars.c.vehicle_id == p.vehicle_id))
        .where(p.community_id == community_id, p.person_id == person_id)
        .order_by(p.ended, p.valid_until.desc().nulls_first(), p.right_id))
