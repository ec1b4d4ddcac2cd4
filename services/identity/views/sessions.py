"""When has each person signed in, and until when does it last? For the person alone; no tokens."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.sessions import SessionEnded, SessionRenewed, SessionStarted

TABLE = Table(
    "sign_in_sessions", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("session_id", Uuid, primary_key=True),
    Column("person_id", Uuid), Column("role", String), Column("started_at", DateTime(timezone=True)),
    Column("expires", DateTime(timezone=True)), Column("ended_at", DateTime(timezone=True)), Column("ended_by", String))
Index("sign_in_sessions_by_person", TABLE.c.community_id, TABLE.c.person_id, TABLE.c.session_id)


def session_of(row: Recorded) -> str:
    return (row.stream or "").rpartition(":")[2]


def reads(event: object, row: Recorded) -> Iterable[Where]:
    if isinstance(event, SessionStarted | SessionRenewed | SessionEnded):
        yield {"session_id": session_of(row)}


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case SessionStarted():
            rows.put(
                session_id=event.session_id, person_id=event.person_id, role=event.role, started_at=row.recorded_at,
                expires=event.expires, ended_at=None, ended_by=None)
        case SessionRenewed():
            if rows.get(session_id=session_of(row)):
                rows.put(session_id=session_of(row), expires=event.expires)
        case SessionEnded():
            if rows.get(session_id=session_of(row)):
                rows.put(session_id=session_of(row), ended_at=row.recorded_at, ended_by=event.reason)


VIEW = View(table=TABLE, project=project, reads=reads)


def of_person(person_id: UUID, limit: int) -> Select[tuple[object, ...]]:
    """The latest first: ids are in the order of time."""
    c = TABLE.c
    return select(c.session_id.label("id"), c.role, c.started_at, c.expires, c.ended_at, c.ended_by).where(
        c.person_id == person_id).order_by(c.started_at.desc()).limit(limit)
