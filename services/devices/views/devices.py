"""Which devices are there, when was each last heard of, and does its clock go right?"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.orders import OrderCarriedOut
from services.devices.domain.registry import (
    CredentialRevoked,
    DeviceDescribed,
    DeviceEnrolled,
    DeviceMoved,
    DeviceRegistered,
    DeviceRetired,
    EnrolmentCodeIssued,
)
from services.devices.domain.reports import BodyUnreadable, DeviceReported

ONLINE = timedelta(minutes=15)
"""A device is online when it has said something within this time."""

TABLE = Table(
    "devices", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("device_id", Uuid, primary_key=True),
    Column("kind", String), Column("name", String), Column("hardware_serial", String), Column("address", String),
    Column("enrolled", Boolean), Column("code_expires", DateTime(timezone=True)),
    Column("last_seen", DateTime(timezone=True)), Column("skew", Double), Column("reports", BigInteger),
    Column("version", BigInteger),
    Column("account", String), Column("supervise", BigInteger), Column("silent_since", DateTime(timezone=True)))

Seen = (DeviceReported, BodyUnreadable, OrderCarriedOut)
Lines = (LineSilent, LineBack)
Registry = (DeviceRegistered, EnrolmentCodeIssued, DeviceEnrolled, CredentialRevoked, DeviceMoved, DeviceDescribed, DeviceRetired)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"device_id": event.device_id}] if isinstance(event, (*Seen, *Lines, *Registry)) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case DeviceRegistered(device_id=device_id, description=about):
            rows.put(
                device_id=device_id, kind=about.kind, name=about.name, hardware_serial=about.hardware_serial,
                address=about.base_url, enrolled=False, reports=0, code_expires=None, last_seen=None, skew=None,
                version=row.version, account=about.account, supervise=about.supervise, silent_since=None)
        case EnrolmentCodeIssued(device_id=device_id, expires=expires):
            _change(rows, device_id, code_expires=expires, version=row.version)
        case DeviceEnrolled(device_id=device_id):
            _change(rows, device_id, enrolled=True, code_expires=None, version=row.version)
        case CredentialRevoked(device_id=device_id):
            _change(rows, device_id, enrolled=False, version=row.version)
        case DeviceMoved(device_id=device_id, base_url=base_url):
            _change(rows, device_id, address=base_url, version=row.version)
        case DeviceDescribed(device_id=device_id, description=about):
            _change(
                rows, device_id, name=about.name, hardware_serial=about.hardware_serial, address=about.base_url, account=about.account,
                supervise=about.supervise, version=row.version)
        case DeviceRetired(device_id=device_id):
            if (known := rows.get(device_id=device_id)) is not None:
                rows.remove(known)
        case LineSilent(device_id=device_id):
            _change(rows, device_id, silent_since=row.recorded_at)
        case LineBack(device_id=device_id):
            _change(rows, device_id, silent_since=None, last_seen=row.recorded_at)
        case DeviceReported(device_id=device_id, skew=skew):
            known = rows.get(device_id=device_id)
            if known is not None:
                told = {"skew": skew} if skew is not None else {}
                rows.put(**{**known, "last_seen": row.recorded_at, "reports": known["reports"] + 1, **told})
        case BodyUnreadable(device_id=device_id) | OrderCarriedOut(device_id=device_id):
            _change(rows, device_id, last_seen=row.recorded_at)


def _change(rows: Rows, device_id: UUID, **fields: Any) -> None:
    known = rows.get(device_id=device_id)
    if known is not None:
        rows.put(**{**known, **fields})


def page_of(after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.device_id).limit(limit)
    return query.where(TABLE.c.device_id > after) if after else query


def shown(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A row as a screen has it; `skew_seconds` is the device's clock minus ours. A panel whose line is supervised is online as
    long as that is not silent: its link tests are no events."""
    seen, silent, supervised = row["last_seen"], row["silent_since"], bool(row["supervise"])
    online = silent is None if supervised else seen is not None and now - seen <= ONLINE
    return {
        "id": row["device_id"], "kind": row["kind"], "name": row["name"], "serial": row["hardware_serial"],
        "address": row["address"], "enrolled": row["enrolled"], "enrolment_code_expires": row["code_expires"],
        "last_seen": seen, "online": online, "skew_seconds": row["skew"],
        "reports": row["reports"], "version": row["version"], "account": row["account"],
        "line": ("silent" if silent else "speaking") if supervised else None, "silent_since": silent}


VIEW = View(table=TABLE, project=project, reads=reads, version=2)
