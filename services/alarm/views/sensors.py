"""Which sensors are there, and how often was each right? The rate is what was found false of all that was judged."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.incident_history import IncidentFoundFalse, IncidentRaised, IncidentResolved, IncidentVerified
from services.alarm.domain.sensors import SensorInstalled

TABLE = Table(
    "sensors", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("sensor_id", Uuid, primary_key=True),
    Column("panel_id", Uuid), Column("partition", Integer), Column("zone", Integer), Column("code", String), Column("kind", String),
    Column("place", JSONB),
    Column("raised", Integer), Column("verified", Integer), Column("found_false", Integer), Column("open", Integer),
    Column("version", Integer))
COUNTS: dict[type, dict[str, int]] = {
    IncidentRaised: {"raised": 1, "open": 1},
    IncidentVerified: {"verified": 1},
    IncidentFoundFalse: {"found_false": 1, "open": -1},
    IncidentResolved: {"open": -1},
}


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, SensorInstalled):
        return [{"sensor_id": event.sensor_id}]
    if type(event) in COUNTS and event.about.sensor_id is not None:
        return [{"sensor_id": event.about.sensor_id}]
    return []


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, SensorInstalled):
        known = rows.get(sensor_id=event.sensor_id) or dict.fromkeys(("raised", "verified", "found_false", "open"), 0)
        rows.put(**{
            **known, "sensor_id": event.sensor_id, "panel_id": event.panel_id, "partition": event.partition, "zone": event.zone,
            "code": event.code, "kind": event.kind, "place": event.place, "version": row.version})
    elif type(event) in COUNTS and (counted := rows.get(sensor_id=event.about.sensor_id)) is not None:
        rows.put(**{**counted, **{name: counted[name] + by for name, by in COUNTS[type(event)].items()}})


def rate(verified: int, found_false: int) -> float | None:
    """None where nothing was judged yet."""
    return found_false / (found_false + verified) if found_false + verified else None


VIEW = View(table=TABLE, project=project, reads=reads, version=2)


def page_of(after: UUID | None, limit: int, panel_id: UUID | None = None) -> Select[Any]:
    query = select(TABLE).order_by(TABLE.c.sensor_id).limit(limit)
    query = query.where(TABLE.c.panel_id == panel_id) if panel_id else query
    return query.where(TABLE.c.sensor_id > after) if after else query
