"""Which stays are there, whose, and what do they owe? The plate rests sealed; money in fen."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.parking.domain.stays import (
    PaymentAsked,
    PaymentReceived,
    RightAssigned,
    SessionBegun,
    SessionEnded,
    SessionQuarantined,
    StayCorrected,
)

TABLE = Table(
    "sessions", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("session_id", Uuid, primary_key=True),
    Column("lot_id", Uuid), Column("zone", String), Column("plate", JSONB), Column("kind", String), Column("person_id", Uuid),
    Column("state", String), Column("entered_at", DateTime(timezone=True)), Column("exited_at", DateTime(timezone=True)),
    Column("total", BigInteger), Column("paid", BigInteger), Column("position", BigInteger),
    Index("sessions_by_person", "community_id", "person_id", "position"),
    Index("sessions_by_time", "community_id", "position"))

Known = (SessionBegun, RightAssigned, StayCorrected, PaymentAsked, PaymentReceived, SessionQuarantined, SessionEnded)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"session_id": event.session_id}] if isinstance(event, Known) else []


def project(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case SessionBegun(session_id=session_id, under=under):
            rows.put(
                session_id=session_id, lot_id=event.lot_id, zone=event.zone, plate=event.plate,
                kind=under.kind if under is not None else "tariff", person_id=under.person_id if under is not None else None,
                state="inside", entered_at=event.entered_at, exited_at=None, total=0, paid=0, position=row.position)
        case RightAssigned(session_id=session_id, under=under):
            owner = {"person_id": under.person_id} if under.person_id is not None else {}  # a right that names nobody takes it from nobody
            _change(rows, session_id, kind=under.kind, **owner)
        case PaymentAsked(session_id=session_id, bill=bill) | StayCorrected(session_id=session_id, bill=bill) if bill is not None:
            _change(rows, session_id, total=bill.total_fen)
        case PaymentReceived(session_id=session_id, amount=amount):
            paid = sum(known["paid"] for known in rows.where(session_id=session_id))
            _change(rows, session_id, paid=paid + amount)
        case SessionQuarantined(session_id=session_id):
            _change(rows, session_id, state="quarantined")
        case SessionEnded(session_id=session_id, exited_at=at, total=total):
            _change(rows, session_id, state="ended", exited_at=at, total=total)


def _change(rows: Rows, session_id: UUID, **fields: Any) -> None:
    if (known := rows.get(session_id=session_id)) is not None:
        rows.put(**{**known, **fields})


VIEW = View(table=TABLE, project=project, reads=reads, version=2)


def page_of(
    before: int | None, limit: int, state: str | None = None, person_id: UUID | None = None, owing: bool = False,
) -> Select[Any]:
    """The newest first; `owing`: those that are over and were not paid in full."""
    c = TABLE.c
    query = select(TABLE).order_by(c.position.desc()).limit(limit)
    query = query.where(c.position < before) if before is not None else query
    query = query.where(c.state == state) if state else query
    query = query.where(c.state == "ended", c.total > c.paid) if owing else query
    return query.where(c.person_id == person_id) if person_id else query


def one(session_id: UUID) -> Select[Any]:
    return select(TABLE).where(TABLE.c.session_id == session_id)
