"""What happened at the doors: one row a happening, and one for each opening with the state that it has reached."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    select,
    text,
    union_all,
)

from libs.contracts.access import (
    CredentialJudged,
    DoorNoticed,
    DoorOpened,
    DoorOpeningFailed,
    DoorOpeningOrdered,
    DoorPassed,
)
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

METADATA = MetaData()

# id: of the opening, or else of the event. position: where its first event stands in the gateway's log
happenings = Table(
    "gateway_door_events", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid),
    Column("position", BigInteger),
    Column("at", DateTime(timezone=True)),
    Column("recorded_at", DateTime(timezone=True)),
    Column("door_id", Uuid),
    Column("kind", Text),
    Column("means", Text),
    Column("person_id", Uuid),
    Column("live", Boolean),
    Column("allowed", Boolean),
    Column("entitled", Boolean),
    Column("rule", Text),
    Column("reason", Text),
    Column("notice", Text),
    Column("code", Text),
    Column("opening_id", Uuid),
    Column("state", Text),
    Column("failure", Text),
    Column("ended_at", DateTime(timezone=True)),
    Index("gateway_door_events_newest", "community_id", "position"),
    Index("gateway_door_events_by_door", "community_id", "door_id", "position"),
    Index("gateway_door_events_by_person", "community_id", "person_id", "position"),
    Index("gateway_door_events_of_nobody", "community_id", "door_id", "position",
          postgresql_where=text("person_id is null")),
)

Happening = CredentialJudged | DoorPassed | DoorNoticed
Opening = DoorOpeningOrdered | DoorOpened | DoorOpeningFailed


def said_at(row: Recorded) -> datetime:
    """When the service that said it recorded it."""
    return row.meta.source_time or row.recorded_at


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case CredentialJudged() | DoorPassed() | DoorNoticed():
            yield {"id": row.event_id}
        case DoorOpeningOrdered() | DoorOpened() | DoorOpeningFailed():
            yield {"id": event.opening_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if not isinstance(event, Happening | Opening):
        return
    at = getattr(event, "at", None) or row.meta.occurred_at or said_at(row)
    first = {
        "id": row.event_id, "event_id": row.event_id, "position": row.position, "at": at, "recorded_at": said_at(row),
        "door_id": event.door_id}
    match event:
        case CredentialJudged():
            rows.put(
                **first, kind="judged", means=event.means, person_id=event.person_id, live=event.live,
                allowed=event.allowed, rule=event.rule, reason=event.reason)
        case DoorPassed():
            rows.put(
                **first, kind="passed", means=event.means, person_id=event.person_id, live=event.live,
                entitled=event.entitled)
        case DoorNoticed():
            rows.put(**first, kind="noticed", live=event.live, notice=event.kind, code=event.code)
        case DoorOpeningOrdered():
            rows.put(**{
                **first, "id": event.opening_id, "opening_id": event.opening_id, "kind": "opening",
                "means": event.means, "person_id": event.person_id, "live": True, "allowed": True,
                "rule": event.rule, "reason": event.reason, "state": "ordered"})
        case DoorOpened():
            _end(rows, event, row, state="opened", failure=None)
        case DoorOpeningFailed():
            _end(rows, event, row, state="failed", failure=event.reason)


def _end(rows: Rows, event: DoorOpened | DoorOpeningFailed, row: Recorded, **outcome: str | None) -> None:
    """An end of an opening whose order retention has taken is nothing to show."""
    if rows.get(id=event.opening_id):
        rows.put(id=event.opening_id, ended_at=said_at(row), **outcome)


DOOR_EVENTS = View(happenings, project, reads)
VIEWS = (DOOR_EVENTS,)
SHOWN = (
    "id", "event_id", "position", "at", "recorded_at", "door_id", "kind", "means", "person_id", "live", "allowed",
    "entitled", "rule", "reason", "notice", "code", "opening_id", "state", "failure", "ended_at")


def newest(community_id: UUID, before: int | None, limit: int, *where: ColumnElement[bool]) -> Select[Any]:
    """Newest first, from before a position on; one row more than `limit`."""
    c = happenings.c
    query = select(*(c[name] for name in SHOWN)).where(c.community_id == community_id, *where)
    if before is not None:
        query = query.where(c.position < before)
    return query.order_by(c.position.desc()).limit(limit + 1)


def own(community_id: UUID, person_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """What happened to a person, and to nobody else."""
    return newest(community_id, before, limit, happenings.c.person_id == person_id)


def newest_of_person(
    community_id: UUID, person_id: UUID, door_ids: Sequence[UUID], before: int | None, limit: int
) -> Select[Any]:
    """A person's own happenings, and those at their doors that concern nobody known."""
    c = happenings.c
    own = newest(community_id, before, limit, c.person_id == person_id)
    # two bounded walks of an index: an `or` would read the community's history for whoever rarely goes out
    of_nobody = newest(community_id, before, limit, c.person_id.is_(None), c.door_id.in_(door_ids))
    both = union_all(own.subquery().select(), of_nobody.subquery().select()).subquery()
    return select(both).order_by(both.c.position.desc()).limit(limit + 1)


def opening(community_id: UUID, opening_id: UUID) -> Select[Any]:
    """The event that ordered an opening, and for whom."""
    c = happenings.c
    return select(c.event_id, c.person_id).where(
        c.community_id == community_id, c.id == opening_id, c.kind == "opening")
