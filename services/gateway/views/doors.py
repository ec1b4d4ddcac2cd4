"""Which doors are there, where, and which device opens them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Select, Table, Text, Uuid, select, true, tuple_

from libs.contracts.access import DoorInstalled
from libs.contracts.devices import DeviceRegistered, DeviceRetired
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.door_events import happenings

METADATA = MetaData()

doors = Table(
    "gateway_doors", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("door_id", Uuid, primary_key=True),
    Column("name", Text),
    Column("zone", Text),
    Column("device_id", Uuid),
    Column("door_no", Integer),
    Column("evacuation", Boolean),
    Column("version", Integer),
    Index("gateway_doors_by_zone", "community_id", "zone"),
)

devices = Table(
    "gateway_devices", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("device_id", Uuid, primary_key=True),
    Column("kind", Text),
    Column("name", Text),
    Column("retired", Boolean),
)


def doors_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, DoorInstalled):
        yield {"door_id": event.door_id}


def project_doors(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, DoorInstalled):
        rows.put(
            door_id=event.door_id, name=event.name, zone=event.zone, device_id=event.device_id,
            door_no=event.door_no, evacuation=event.evacuation, version=event.version)


def devices_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, DeviceRegistered | DeviceRetired):
        yield {"device_id": event.device_id}


def project_devices(rows: Rows, event: Any, row: Recorded) -> None:
    """What happened at a device that was retired is still told by its name."""
    match event:
        case DeviceRegistered():
            rows.put(device_id=event.device_id, kind=event.kind, name=event.name, retired=False)
        case DeviceRetired() if rows.get(device_id=event.device_id) is not None:
            rows.put(device_id=event.device_id, retired=True)


DOORS = View(doors, project_doors, doors_read)
DEVICES = View(devices, project_devices, devices_read)
VIEWS = (DOORS, DEVICES)


def all_doors(community_id: UUID, after: tuple[str, UUID] | None, limit: int) -> Select[Any]:
    """The doors by name, each with its device and the last thing that happened there; one row more than `limit`."""
    d = doors.c
    last = (
        select(happenings)
        .where(happenings.c.community_id == community_id, happenings.c.door_id == d.door_id)
        .order_by(happenings.c.position.desc()).limit(1).lateral("last"))
    query = (
        select(
            d.door_id.label("id"), d.name, d.zone, d.evacuation, d.version, d.door_no, d.device_id, devices.c.kind.label("device_kind"),
            devices.c.name.label("device_name"), devices.c.retired.label("device_retired"), last.c.id.label("last_id"),
            last.c.kind.label("last_kind"), last.c.at.label("last_at"), last.c.state.label("last_state"),
            last.c.allowed.label("last_allowed"), last.c.live.label("last_live"))
        .select_from(doors)
        .outerjoin(devices, (devices.c.community_id == d.community_id) & (devices.c.device_id == d.device_id))
        .outerjoin(last, true())
        .where(d.community_id == community_id)
        .order_by(d.name, d.door_id).limit(limit + 1))
    return query if after is None else query.where(tuple_(d.name, d.door_id) > tuple_(*after))


def doors_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(doors.c.door_id.label("id"), doors.c.name).where(
        doors.c.community_id == community_id, doors.c.door_id.in_(list(ids)))


def devices_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(devices.c.device_id.label("id"), devices.c.name).where(
        devices.c.community_id == community_id, devices.c.device_id.in_(list(ids)))
