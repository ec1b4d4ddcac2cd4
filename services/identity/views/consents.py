"""What has each resident agreed to, since when, and what was said before? And who speaks for whom?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Index, MetaData, Select, String, Table, Uuid, and_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.consents import ConsentGiven, ConsentWithdrawn, GuardianDeclared, GuardianEnded
from services.identity.views import residents

METADATA = MetaData()
TABLE = Table(
    "consents", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("given", Boolean), Column("since", DateTime(timezone=True)), Column("history", JSONB))
GUARDIANS = Table(
    "guardians", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("guardian_id", Uuid, primary_key=True),
    Column("since", DateTime(timezone=True)),
    Index("guardians_by_guardian", "community_id", "guardian_id"))


def consents_read(event: object, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ConsentGiven | ConsentWithdrawn):
        yield {"resident_id": event.resident_id, "purpose": event.purpose}


def project_consents(rows: Rows, event: object, row: Recorded) -> None:
    """What is known already is not said twice: by its version in the stream."""
    if not isinstance(event, ConsentGiven | ConsentWithdrawn):
        return
    known = rows.get(resident_id=event.resident_id, purpose=event.purpose) or {"history": []}
    if any(entry["version"] == row.version for entry in known["history"]):
        return
    given = isinstance(event, ConsentGiven)
    by = "self" if event.by == event.resident_id else "guardian"
    entry = {"given": given, "at": row.recorded_at, "by": by, "version": row.version}
    rows.put(
        resident_id=event.resident_id, purpose=event.purpose, given=given, since=row.recorded_at,
        history=[*known["history"], entry])


def guardians_read(event: object, row: Recorded) -> Iterable[Where]:
    if isinstance(event, GuardianDeclared | GuardianEnded):
        yield {"resident_id": event.resident_id, "guardian_id": event.guardian_id}


def project_guardians(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case GuardianDeclared():
            rows.put(resident_id=event.resident_id, guardian_id=event.guardian_id, since=row.recorded_at)
        case GuardianEnded():
            rows.remove({"resident_id": event.resident_id, "guardian_id": event.guardian_id})


CONSENTS_VIEW = View(table=TABLE, project=project_consents, reads=consents_read)
GUARDIANS_VIEW = View(table=GUARDIANS, project=project_guardians, reads=guardians_read)
VIEWS = (CONSENTS_VIEW, GUARDIANS_VIEW)


def of_residents(ids: Iterable[UUID]) -> Select[tuple[object, ...]]:
    c = TABLE.c
    return select(c.resident_id, c.purpose, c.given, c.since, c.history).where(c.resident_id.in_(list(ids))).order_by(
        c.resident_id, c.purpose)


def wards_of(guardian_id: UUID) -> Select[tuple[object, ...]]:
    return select(GUARDIANS.c.resident_id).where(GUARDIANS.c.guardian_id == guardian_id).order_by(GUARDIANS.c.resident_id)


def page_of(
    resident_id: UUID | None, purpose: str | None, after: tuple[UUID, str] | None, limit: int,
) -> Select[tuple[object, ...]]:
    """With the sealed name of whoever is meant."""
    c, r = TABLE.c, residents.TABLE.c
    query = select(c.resident_id, c.purpose, c.given, c.since, r.name).outerjoin(
        residents.TABLE, and_(r.community_id == c.community_id, r.resident_id == c.resident_id))
    query = query.where(c.resident_id == resident_id) if resident_id else query
    query = query.where(c.purpose == purpose) if purpose else query
    query = query.where(tuple_(c.resident_id, c.purpose) > tuple_(*after)) if after else query
    return query.order_by(c.resident_id, c.purpose).limit(limit)
