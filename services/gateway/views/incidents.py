"""The alarm incidents: what each is, where, who owns it, which step it waits for until when, and every step so far.

Every event of alarm says kind, severity and place, so that an incident is shown also where retention has taken its beginning."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.alarm import (
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRaised,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    IncidentVerified,
)
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Row, Rows, View, Where

# queue: the order in which they are shown; deadlines: by what is waited for;
# steps: the history, repeats only counted, of restores the first and the last
incidents = Table(
    "gateway_incidents", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, primary_key=True),
    Column("kind", Text), Column("severity", Text), Column("silent", Boolean), Column("building_id", Uuid), Column("unit", Integer),
    Column("floor", Integer), Column("home_id", Uuid), Column("spot", Text), Column("code", Text), Column("sensor_id", Uuid),
    Column("device_id", Uuid), Column("raised_by", Uuid), Column("live", Boolean), Column("state", Text),
    Column("raised_at", DateTime(timezone=True)), Column("owner_id", Uuid), Column("count", Integer),
    Column("last_at", DateTime(timezone=True)), Column("last_event_id", Uuid), Column("restored_at", DateTime(timezone=True)),
    Column("waiting_for", Text), Column("deadline", DateTime(timezone=True)), Column("escalation", JSONB), Column("dispatches", JSONB),
    Column("how", Text), Column("verified_at", DateTime(timezone=True)), Column("ended_at", DateTime(timezone=True)),
    Column("deadlines", JSONB), Column("steps", JSONB), Column("queue", BigInteger), Column("position", BigInteger),
    Index("gateway_incidents_in_order", "community_id", "queue", "incident_id"),
    Index("gateway_incidents_by_home", "community_id", "home_id", "position"),
    Index("gateway_incidents_by_raiser", "community_id", "raised_by", "position"),
    Index("gateway_incidents_of_all", "community_id", "building_id", "position", postgresql_where=text("verified_at is not null")),
)

Told = (
    IncidentRaised | IncidentRepeated | IncidentRestored | IncidentAcknowledged | IncidentVerified | IncidentFoundFalse
    | IncidentDispatched | IncidentResolved | IncidentEscalated)
RANK = {"raised": 0, "acknowledged": 1, "verified": 2, "dispatched": 3, "found_false": 4, "resolved": 4}
OVER = ("found_false", "resolved")
SEVERITY = {"critical": 0, "high": 1, "low": 2}
CLOSED = 9 * 10**14
"""Where those that are over begin in `queue`; before, each severity has 10^14 milliseconds of its own."""


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Told):
        yield {"incident_id": event.incident_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if not isinstance(event, Told):
        return
    said = row.meta.source_time or row.recorded_at
    known = rows.get(incident_id=event.incident_id) or _unknown(event, row, said)
    if isinstance(event, IncidentRepeated):
        if event.count > known["count"]:
            rows.put(**{**known, "count": event.count, "last_at": said, "last_event_id": row.event_id, "restored_at": None})
        return
    if any(UUID(str(step["event_id"])) == row.event_id for step in known["steps"]):
        return
    found = {**known, **_changed(known, event, said)}
    found["steps"] = _with(known["steps"], _step(event, row, said))
    found["queue"] = _queue(found)
    rows.put(**found)


def _unknown(event: Told, row: Recorded, said: datetime) -> Row:
    place = event.place
    return {
        "incident_id": event.incident_id, "kind": event.kind, "severity": event.severity, "silent": event.silent,
        "building_id": place.building_id, "unit": place.unit, "floor": place.floor, "home_id": place.home_id, "spot": place.name,
        "state": "raised", "raised_at": said, "count": 1, "last_at": said, "last_event_id": row.event_id, "escalation": None,
        "restored_at": None, "ended_at": None, "waiting_for": None, "deadline": None, "dispatches": [], "deadlines": {}, "steps": [],
        "position": row.position}


def _changed(known: Row, event: Told, said: datetime) -> Row:
    match event:
        case IncidentRaised():
            return {
                "code": event.code, "sensor_id": event.sensor_id, "device_id": event.device_id, "raised_by": event.raised_by,
                "live": event.live, "raised_at": said, **_waits(known, "acknowledgement", event.acknowledge_by)}
        case IncidentRestored():
            return {"restored_at": said}
        case IncidentAcknowledged(by=by):
            return {"owner_id": by, **_forward(known, "acknowledged", said, "verification", event.verify_by)}
        case IncidentVerified(how=how):
            return {"verified_at": said, "how": how, **_forward(known, "verified", said, "dispatch", event.dispatch_by)}
        case IncidentDispatched():
            sent = {"to": event.to, "assignee": event.assignee, "at": said}
            return {
                "dispatches": [*known["dispatches"], sent],
                **_forward(known, "dispatched", said, "resolution", event.resolve_by)}
        case IncidentFoundFalse(cause=how):
            return {"how": how, "ended_at": said, **_forward(known, "found_false", said, None, None)}
        case IncidentResolved(how=how):
            return {"how": how, "ended_at": said, **_forward(known, "resolved", said, None, None)}
        case IncidentEscalated():
            return {"escalation": {
                "level": event.level, "waiting_for": event.waiting_for, "due": event.due, "told": list(event.told),
                "next_by": event.next_by, "at": said}}
        case _:
            return {}


def _forward(known: Row, state: str, said: datetime, waiting_for: str | None, due: datetime | None) -> Row:
    """The step that was waited for is done; a step back (another owner) changes neither state nor deadline."""
    if RANK[state] <= RANK[known["state"]]:
        return {}
    deadlines = dict(known["deadlines"])
    if (waited := known["waiting_for"]) is not None:
        deadlines[waited] = {**deadlines[waited], "done_at": said}
    return {"state": state, **_waits({**known, "deadlines": deadlines}, waiting_for, due)}


def _waits(known: Row, waiting_for: str | None, due: datetime | None) -> Row:
    more = {waiting_for: {"due": due, "done_at": None}} if waiting_for is not None else {}
    return {"waiting_for": waiting_for, "deadline": due, "deadlines": {**known["deadlines"], **more}}


def _step(event: Told, row: Recorded, said: datetime) -> Row:
    """`says`: how, for what cause, to whom, or what nobody did in time."""
    told = (getattr(event, name, None) for name in ("how", "cause", "to", "waiting_for", "code"))
    return {
        "event_id": row.event_id, "what": row.type.partition("_")[2], "at": said,
        "by": getattr(event, "by", None) or getattr(event, "raised_by", None), "says": next((t for t in told if t is not None), None),
        "level": getattr(event, "level", None)}


def _with(steps: list[Row], step: Row) -> list[Row]:
    """A source that chatters is well again thousands of times: the row must not grow with it."""
    restored = [one for one in steps if one["what"] == step["what"] == "restored"]
    if len(restored) < 2:
        return [*steps, step]
    return sorted((*(one for one in steps if one is not restored[-1]), step), key=lambda one: _milliseconds(one["at"]))


def _queue(found: Row) -> int:
    """Open ones by severity, the oldest first; then those that are over, the last first."""
    if found["ended_at"] is not None:
        return CLOSED + 10**14 - _milliseconds(found["ended_at"])
    return SEVERITY[found["severity"]] * 10**14 + _milliseconds(found["raised_at"])


def _milliseconds(moment: datetime | str) -> int:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return int(at.timestamp() * 1000)


INCIDENTS = View(incidents, project, reads)
VIEWS = (INCIDENTS,)
