"""The lanes into the car parks and out of them: where each leads, which camera watches it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.parking import LaneInstalled, LotOpened
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

METADATA = MetaData()

lanes = Table(
    "gateway_lanes", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("lane_id", Uuid, primary_key=True),
    Column("lot_id", Uuid), Column("name", Text), Column("direction", Text), Column("zone", Text), Column("device_id", Uuid),
    Column("lane_no", Integer),
)
lots = Table(
    "gateway_lots", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),
    Column("name", Text), Column("spaces", JSONB),
)


def lanes_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, LaneInstalled):
        yield {"lane_id": event.lane_id}


def project_lanes(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LaneInstalled):
        rows.put(
            lane_id=event.lane_id, lot_id=event.lot_id, name=event.name, direction=event.direction, zone=event.zone,
            device_id=event.device_id, lane_no=event.lane_no)


def lots_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, LotOpened):
        yield {"lot_id": event.lot_id}


def project_lots(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LotOpened):
        rows.put(lot_id=event.lot_id, name=event.name, spaces=event.spaces)


LANES = View(lanes, project_lanes, lanes_read)
LOTS = View(lots, project_lots, lots_read)
VIEWS = (LANES, LOTS)


def all_lanes(community_id: UUID) -> Select[Any]:
    """By name, each with its lot."""
    c = lanes.c
    return (
        select(
            c.lane_id.label("id"), c.name, c.direction, c.zone, c.device_id, c.lane_no, c.lot_id, lots.c.name.label("lot_name"))
        .select_from(lanes).outerjoin(lots, (lots.c.community_id == c.community_id) & (lots.c.lot_id == c.lot_id))
        .where(c.community_id == community_id).order_by(c.name, c.lane_id))


def lanes_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(lanes.c.lane_id.label("id"), lanes.c.name).where(lanes.c.community_id == community_id, lanes.c.lane_id.in_(list(ids)))


def lots_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(lots.c.lot_id.label("id"), lots.c.name).where(lots.c.community_id == community_id, lots.c.lot_id.in_(list(ids)))


def all_lots(community_id: UUID) -> Select[Any]:
    c = lots.c
    return select(c.lot_id.label("id"), c.name, c.spaces).where(c.community_id == community_id).order_by(c.name, c.lot_id)
