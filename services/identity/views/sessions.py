"""Where has each person signed in, when, and until when does it last? For the person alone; no tokens.

What ends sessions of an account ends them here at once; each says so itself when somebody would renew it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.accounts import AccountClosed, PhoneReplaced, SignedOutEverywhere
from services.identity.domain.sessions import Reason, SessionEnded, SessionRenewed, SessionStarted

TABLE = Table(
    "sign_in_sessions", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("session_id", Uuid, primary_key=True),
    Column("account_id", Uuid), Column("person_id", Uuid), Column("role", String), Column("started_at", DateTime(timezone=True)),
    Column("renewed_at", DateTime(timezone=True)), Column("expires", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)), Column("ended_by", String))
Index("sign_in_sessions_by_person", TABLE.c.community_id, TABLE.c.person_id, TABLE.c.session_id)
Index("sign_in_sessions_by_account", TABLE.c.community_id, TABLE.c.account_id, TABLE.c.session_id)


def session_of(row: Recorded) -> str:
    return (row.stream or "").rpartition(":")[2]


def reads(event: object, row: Recorded) -> Iterable[Where]:
    match event:
        case SessionStarted() | SessionRenewed() | SessionEnded():
            yield {"session_id": session_of(row)}
        case AccountClosed(account_id=account_id) | PhoneReplaced(account_id=account_id) | SignedOutEverywhere(account_id=account_id):
            yield {"account_id": account_id}


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case SessionStarted():
            rows.put(
                session_id=event.session_id, account_id=event.account_id, person_id=event.person_id, role=event.role,
                started_at=row.recorded_at, renewed_at=row.recorded_at, expires=event.expires, ended_at=None, ended_by=None)
        case SessionRenewed():
            if rows.get(session_id=session_of(row)):
                rows.put(session_id=session_of(row), renewed_at=row.recorded_at, expires=event.expires)
        case SessionEnded():
            known = rows.get(session_id=session_of(row))
            if known and known["ended_at"] is None:
                rows.put(session_id=session_of(row), ended_at=row.recorded_at, ended_by=event.reason)
        case AccountClosed():
            _end(rows, row, event.account_id, "account_closed")
        case PhoneReplaced():
            _end(rows, row, event.account_id, "phone_replaced")
        case SignedOutEverywhere():
            _end(rows, row, event.account_id, "signed_out_elsewhere", event.kept)


def _end(rows: Rows, row: Recorded, account_id: UUID, reason: Reason, kept: UUID | None = None) -> None:
    for one in rows.where(account_id=account_id):
        if one["ended_at"] is None and str(one["session_id"]) != str(kept):
            rows.put(session_id=one["session_id"], ended_at=row.recorded_at, ended_by=reason)


VIEW = View(table=TABLE, project=project, reads=reads)


def of_person(person_id: UUID, limit: int) -> Select[tuple[object, ...]]:
    """The latest first."""
    c = TABLE.c
    return select(c.session_id.label("id"), c.role, c.started_at, c.expires, c.ended_at, c.ended_by).where(
        c.person_id == person_id).order_by(c.started_at.desc()).limit(limit)


def open_of(account_id: UUID, now: datetime, before: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    """Those that may still be renewed, the latest first: ids are in the order of time."""
    c = TABLE.c
    query = select(c.session_id.label("id"), c.started_at, c.renewed_at, c.expires).where(
        c.account_id == account_id, c.ended_at.is_(None), c.expires > now)
    return (query.where(c.session_id < before) if before else query).order_by(c.session_id.desc()).limit(limit)
