"""Which buildings are released for a fire, or were, and what has each door and lift done of it?"""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Row, Rows, View, Where
from services.access.domain.releases import (
    FireOver,
    FireReleaseBegun,
    FireReleaseEnded,
    FireReleaseJoined,
    RelayNotReleased,
    RelayReleased,
)

State = Literal["begun", "ended"]

TABLE = Table(
    "fire_releases", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("release_id", Uuid, primary_key=True),
    Column("position", BigInteger), Column("building_id", Uuid), Column("incident_id", Uuid), Column("state", String),
    Column("rule", String), Column("reason", String), Column("begun_by", Uuid), Column("begun_at", DateTime(timezone=True)),
    Column("ended_by", Uuid), Column("ended_at", DateTime(timezone=True)), Column("end_reason", String),
    Column("relays", JSONB), Column("fires", JSONB), Column("event_id", Uuid), Column("ended_event_id", Uuid))
Index("fire_releases_newest", TABLE.c.community_id, TABLE.c.position)
Said = FireReleaseBegun | FireReleaseJoined | FireOver | FireReleaseEnded | RelayReleased | RelayNotReleased


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"release_id": event.release_id}] if isinstance(event, Said) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    """`answer` of a relay: what its device has said of what is wanted of it now, held while it is begun, normal once it has ended."""
    match event:
        case FireReleaseBegun():
            relays = [{**msgspec.to_builtins(r), "answer": "waiting", "reason": None} for r in event.relays]
            rows.put(
                release_id=event.release_id, position=row.position, building_id=event.building_id,
                incident_id=event.incident_id, state="begun", rule=event.rule, reason=event.reason, begun_by=event.by,
                begun_at=row.recorded_at, ended_by=None, ended_at=None, end_reason=None, relays=relays,
                fires=[_fire(event.incident_id)] if event.incident_id else [], event_id=row.event_id, ended_event_id=None)
        case FireReleaseJoined(release_id=release_id, incident_id=incident_id):
            if known := rows.get(release_id=release_id):
                rows.put(release_id=release_id, fires=[*known["fires"], _fire(incident_id)])
        case FireOver(release_id=release_id, incident_id=incident_id):
            if known := rows.get(release_id=release_id):
                over = [{**f, "over": True} if f["incident_id"] == str(incident_id) else f for f in known["fires"]]
                rows.put(release_id=release_id, fires=over)
        case FireReleaseEnded(release_id=release_id):
            if known := rows.get(release_id=release_id):
                waiting = [{**r, "answer": "waiting", "reason": None} for r in known["relays"]]
                rows.put(
                    release_id=release_id, state="ended", ended_by=event.by, ended_at=row.recorded_at, end_reason=event.reason,
                    relays=waiting, ended_event_id=row.event_id)
        case RelayReleased(release_id=release_id):
            _answered(rows.get(release_id=release_id), rows, event, "confirmed", None)
        case RelayNotReleased(release_id=release_id, reason=reason):
            _answered(rows.get(release_id=release_id), rows, event, "failed", reason)


def _fire(incident_id: UUID) -> dict[str, Any]:
    return {"incident_id": incident_id, "over": False}


def _answered(known: Row | None, rows: Rows, event: RelayReleased | RelayNotReleased, answer: str, reason: str | None) -> None:
    if known is None or event.released != (known["state"] == "begun"):
        return
    told = {"answer": answer, "reason": reason}
    relays = [{**r, **told} if r["id"] == str(event.door_id) else r for r in known["relays"]]
    rows.put(release_id=event.release_id, relays=relays)


def page_of(state: State | None, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.position.desc()).limit(limit)
    if state:
        query = query.where(TABLE.c.state == state)
    return query.where(TABLE.c.position < before) if before is not None else query


VIEW = View(table=TABLE, project=project, reads=reads)
