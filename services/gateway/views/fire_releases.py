"""Fire releases: why each was begun, who ended it, and of every door and lift whether its relay is held, set back, or not yet."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.access import FireReleaseBegun, FireReleaseEnded, RelayNotReleased, RelayReleased
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Row, Rows, View, Where

# relays: one object a door or lift, in the order in which access named them
fire_releases = Table(
    "gateway_fire_releases", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("release_id", Uuid, primary_key=True),
    Column("building_id", Uuid), Column("incident_id", Uuid), Column("begun_by", Uuid), Column("rule", Text), Column("reason", Text),
    Column("begun_at", DateTime(timezone=True)), Column("ended_by", Uuid), Column("ended_for", Text),
    Column("ended_at", DateTime(timezone=True)), Column("relays", JSONB), Column("event_id", Uuid), Column("position", BigInteger),
    Index("gateway_fire_releases_by_time", "community_id", "position"),
)

Told = FireReleaseBegun | FireReleaseEnded | RelayReleased | RelayNotReleased


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Told):
        yield {"release_id": event.release_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if not isinstance(event, Told):
        return
    said, known = row.meta.source_time or row.recorded_at, rows.get(release_id=event.release_id)
    match event:
        case FireReleaseBegun():
            old = {relay["id"]: relay for relay in known["relays"]} if known else {}
            rows.put(
                release_id=event.release_id, building_id=event.building_id, incident_id=event.incident_id, begun_by=event.by,
                rule=event.rule, reason=event.reason, begun_at=said, event_id=row.event_id, position=row.position,
                relays=[old.get(str(r.id)) or {
                    "id": r.id, "wanted": r.state, "state": "not_yet", "held_at": None, "set_back_at": None, "failed": None}
                    for r in event.relays])
        case _ if known is None:
            pass
        case FireReleaseEnded():
            rows.put(
                release_id=event.release_id, ended_by=event.by, ended_for=event.reason, ended_at=said,
                relays=[{**relay, "wanted": "normal"} for relay in known["relays"]])
        case RelayReleased(released=True):
            _relay(rows, known, event.door_id, state="held", held_at=said, failed=None)
        case RelayReleased():
            _relay(rows, known, event.door_id, state="set_back", set_back_at=said, failed=None)
        case RelayNotReleased(reason=reason):
            _relay(rows, known, event.door_id, failed=reason)


def _relay(rows: Rows, known: Row, door_id: UUID, **now: Any) -> None:
    rows.put(
        release_id=known["release_id"],
        relays=[{**relay, **now} if relay["id"] == str(door_id) else relay for relay in known["relays"]])


FIRE_RELEASES = View(fire_releases, project, reads)
VIEWS = (FIRE_RELEASES,)


def releases_of(community_id: UUID, open_only: bool, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    c = fire_releases.c
    query = select(fire_releases).where(c.community_id == community_id)
    query = query.where(c.ended_at.is_(None)) if open_only else query
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)
