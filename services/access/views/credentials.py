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


VIEW = View(table=TABLE, project=project, reads=reads)
