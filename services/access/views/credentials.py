"""Which credentials does a person hold? The number stays sealed."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, Column, DateTime, Index, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.domain.credentials import CredentialIssued, CredentialRevoked

TABLE = Table(
    "credentials", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("credential_id", Uuid, primary_key=True),
    Column("person_id", Uuid), Column("kind", String), Column("number", JSONB),
    Column("issued_at", DateTime(timezone=True)), Column("valid_until", DateTime(timezone=True)),
    Column("duress", Boolean))
Index("credentials_by_person", TABLE.c.community_id, TABLE.c.person_id, TABLE.c.credential_id)


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"credential_id": event.credential_id}] if isinstance(event, CredentialIssued | CredentialRevoked) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case CredentialIssued():
            rows.put(
                credential_id=event.credential_id, person_id=event.person_id, kind=event.kind,
                number=msgspec.to_builtins(event.number), issued_at=row.recorded_at, valid_until=event.valid_until,
                duress=event.duress)
        case CredentialRevoked(credential_id=credential_id):
            rows.remove({"credential_id": credential_id})


def page_of(person_id: UUID | None, after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.credential_id).limit(limit)
    if person_id:
        query = query.where(TABLE.c.person_id == person_id)
    return query.where(TABLE.c.credential_id > after) if after else query


def of_person(person_id: UUID, limit: int) -> Select[tuple[object, ...]]:
    """Without the duress PIN: whoever stands beside them when they read it is not to learn that there is one."""
    c = TABLE.c
    return select(c.credential_id.label("id"), c.kind, c.issued_at, c.valid_until).where(
        c.person_id == person_id, c.duress.is_not(True)).order_by(c.credential_id).limit(limit)


VIEW = View(table=TABLE, project=project, reads=reads)
