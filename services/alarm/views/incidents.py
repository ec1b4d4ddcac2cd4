"""Which incidents are there, in what order are they to be looked at, and who owns them? Open ones first: by severity, then by age."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.incident_history import (
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRaised,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    IncidentVerified,
    OfIncident,
)
from services.alarm.domain.kinds import Severity

Shown = Literal["open", "closed", "all"]
RANK: dict[Severity, int] = {"critical": 0, "high": 1, "low": 2}
CLOSED = 9
"""The rank of what is over: after all that is open, the newest first."""

TABLE = Table(
    "incidents", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, primary_key=True),
    Column("source_id", Uuid), Column("kind", String), Column("severity", String), Column("silent", Boolean), Column("place", JSONB),
    Column("sensor_id", Uuid), Column("device_id", Uuid), Column("code", String), Column("raised_by", Uuid), Column("live", Boolean),
    Column("state", String), Column("owner", Uuid), Column("count", Integer), Column("active", Boolean), Column("level", Integer),
    Column("waiting_for", String), Column("due", DateTime(timezone=True)), Column("raised_at", DateTime(timezone=True)),
    Column("last_at", DateTime(timezone=True)), Column("ended_at", DateTime(timezone=True)), Column("outcome", String),
    Column("rank", Integer), Column("order_no", BigInteger), Column("version", Integer),
    Index("incidents_in_order", "community_id", "rank", "order_no"))


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"incident_id": event.about.incident_id}] if isinstance(event, OfIncident) else []


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, IncidentRaised):
        _raise(rows, event, row)
    elif isinstance(event, OfIncident) and (known := rows.get(incident_id=event.about.incident_id)) is not None:
        rows.put(**{**known, **_changed(event, row, known), "version": row.version})


def _raise(rows: Rows, event: IncidentRaised, row: Recorded) -> None:
    about = event.about
    rows.put(
        incident_id=about.incident_id, source_id=about.source_id, kind=about.kind, severity=about.severity, silent=about.silent,
        place=about.place, sensor_id=about.sensor_id, device_id=about.device_id, code=event.code, raised_by=event.raised_by,
        live=event.live, state="raised", owner=None, count=1, active=True, level=0, waiting_for="acknowledgement",
        due=event.acknowledge_by, raised_at=row.recorded_at, last_at=row.recorded_at, ended_at=None, outcome=None,
        rank=RANK[about.severity], order_no=row.position, version=row.version)


def _changed(event: OfIncident, row: Recorded, known: dict[str, Any]) -> dict[str, Any]:
    match event:
        case IncidentRepeated(count=count):
            return {"count": count, "active": True, "last_at": row.recorded_at}
        case IncidentRestored():
            return {"active": False}
        case IncidentAcknowledged(by=owner) if known["state"] != "raised":
            return {"owner": owner}
        case IncidentAcknowledged(by=owner, verify_by=due):
            return {"state": "acknowledged", "owner": owner, "level": 0, "waiting_for": "verification", "due": due}
        case IncidentVerified(dispatch_by=due):
            return {"state": "verified", "level": 0, "waiting_for": "dispatch", "due": due}
        case IncidentDispatched(resolve_by=due) if known["state"] != "dispatched":
            return {"state": "dispatched", "level": 0, "waiting_for": "resolution", "due": due}
        case IncidentEscalated(level=level):
            return {"level": level}
        case IncidentFoundFalse(cause=cause):
            return _over("false", cause, row, known)
        case IncidentResolved(how=how):
            return _over("resolved", how, row, known)
        case _:
            return {}


def _over(state: str, outcome: str, row: Recorded, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": state, "outcome": outcome, "ended_at": row.recorded_at, "waiting_for": None, "due": None, "rank": CLOSED,
        "order_no": -known["order_no"]}


VIEW = View(table=TABLE, project=project, reads=reads, version=2)


def page_of(shown: Shown, after: tuple[int, int] | None, limit: int) -> Select[Any]:
    """`after`: rank and number of the last row of the page before."""
    c = TABLE.c
    query = select(TABLE).order_by(c.rank, c.order_no).limit(limit)
    if shown != "all":
        query = query.where(c.rank < CLOSED if shown == "open" else c.rank == CLOSED)
    return query.where(tuple_(c.rank, c.order_no) > after) if after else query


def one(incident_id: UUID) -> Select[Any]:
    return select(TABLE).where(TABLE.c.incident_id == incident_id)
