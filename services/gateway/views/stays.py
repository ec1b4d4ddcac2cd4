"""A person's stays in the car parks: their own vehicles' and their guests', with the latest bill line by line; money in fen."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.parking import (
    Billed,
    FindingRaised,
    PaymentReceived,
    SessionBegun,
    SessionEnded,
    SessionQuarantined,
    SessionRecognised,
)
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

stays = Table(
    "gateway_stays", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("session_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("ended_event_id", Uuid),
    Column("lot_id", Uuid), Column("zone", Text), Column("person_id", Uuid), Column("vehicle_id", Uuid), Column("pass_id", Uuid),
    Column("state", Text), Column("entered_at", DateTime(timezone=True)), Column("exited_at", DateTime(timezone=True)),
    Column("total", BigInteger), Column("paid", BigInteger), Column("tariff", Text), Column("version", BigInteger),
    Column("billed_until", DateTime(timezone=True)), Column("lines", JSONB), Column("position", BigInteger),
    Index("gateway_stays_by_person", "community_id", "person_id", "position"),
    Index("gateway_stays_by_zone", "community_id", "lot_id", "zone", "state", postgresql_where=text("state in ('inside', 'quarantined')")),
)


OVER = ("ended", "settled")

Told = SessionBegun | SessionRecognised | SessionQuarantined | Billed | PaymentReceived | SessionEnded


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    missing_exit = isinstance(event, FindingRaised) and event.kind == "missing_exit" and event.session_id is not None
    if missing_exit or isinstance(event, Told):
        yield {"session_id": event.session_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, SessionBegun):
        rows.put(
            session_id=event.session_id, event_id=row.event_id, lot_id=event.lot_id, zone=event.zone, person_id=event.person_id,
            vehicle_id=event.vehicle_id, pass_id=event.pass_id, state="inside", entered_at=event.entered_at, total=0, paid=0,
            lines=[], position=row.position)
        return
    known = rows.get(session_id=event.session_id) if getattr(event, "session_id", None) else None
    if known is None:
        return
    match event:
        case SessionRecognised():
            rows.put(  # a right that names nobody takes the stay from nobody
                session_id=event.session_id, person_id=event.person_id or known["person_id"], vehicle_id=event.vehicle_id,
                pass_id=event.pass_id)
        case Billed():  # the sum of what was paid is in it, so that what comes later adds up
            rows.put(
                session_id=event.session_id, total=event.total, paid=event.paid, tariff=event.tariff, version=event.version,
                billed_until=event.until, lines=list(event.lines))
        # older logs have the finding alone
        case SessionQuarantined() | FindingRaised(kind="missing_exit") if known["state"] == "inside":
            rows.put(session_id=event.session_id, state="quarantined")
        case PaymentReceived(amount=amount):
            rows.put(session_id=event.session_id, paid=known["paid"] + amount)
        case SessionEnded():
            if event.total != known["total"]:  # waived: what was billed before is no bill of this stay any more
                rows.put(session_id=event.session_id, tariff=None, version=None, billed_until=None, lines=[])
            rows.put(
                session_id=event.session_id, state="ended" if event.how == "exit" else "settled", exited_at=event.exited_at,
                total=event.total, ended_event_id=row.event_id)


STAYS = View(stays, project, reads, version=3)
VIEWS = (STAYS,)


def owed(stay: dict[str, Any]) -> int | None:
    """What is left to pay after the exit, in fen, never less than nothing. None before: at this moment parking alone knows."""
    return max(0, stay["total"] - stay["paid"]) if stay["state"] in OVER else None


def _shown(community_id: UUID, person_id: UUID) -> Select[Any]:
    c = stays.c
    kept = (column for column in c if column.name not in ("community_id", "session_id", "person_id"))
    return select(c.session_id.label("id"), *kept).where(c.community_id == community_id, c.person_id == person_id)


def of_person(community_id: UUID, person_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    query = _shown(community_id, person_id)
    query = query.where(stays.c.position < before) if before is not None else query
    return query.order_by(stays.c.position.desc()).limit(limit + 1)


def one_of_person(community_id: UUID, person_id: UUID, session_id: UUID) -> Select[Any]:
    return _shown(community_id, person_id).where(stays.c.session_id == session_id)


def person_of(community_id: UUID, session_id: UUID) -> Select[Any]:
    return select(stays.c.person_id).where(stays.c.community_id == community_id, stays.c.session_id == session_id)


def inside_by_zone(community_id: UUID) -> Select[Any]:
    """How many stays are inside or quarantined in each zone of each lot."""
    c = stays.c
    return select(c.lot_id, c.zone, c.state, func.count().label("stays")).where(
        c.community_id == community_id, c.state.in_(("inside", "quarantined"))).group_by(c.lot_id, c.zone, c.state)
