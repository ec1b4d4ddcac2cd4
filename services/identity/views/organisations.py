"""Which organisations are there, and what should staff look at? `version` is that of the stream, for If-Match."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.organisations import OrganisationCorrected, OrganisationRegistered

TABLE = Table(
    "organisations", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, primary_key=True),
    Column("name", String), Column("code", String), Column("findings", JSONB), Column("version", Integer))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    match event:
        case OrganisationRegistered() | OrganisationCorrected():
            return [{"organisation_id": event.organisation_id}]
        case _:
            return []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case OrganisationRegistered() | OrganisationCorrected():
            rows.put(
                organisation_id=event.organisation_id, name=event.name, code=event.code, findings=list(event.findings),
                version=row.version)


_SHOWN = (
    TABLE.c.organisation_id.label("id"), TABLE.c.name, TABLE.c.code, TABLE.c.findings, TABLE.c.version)


def page_of(after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(*_SHOWN).order_by(TABLE.c.organisation_id).limit(limit)
    return query.where(TABLE.c.organisation_id > after) if after else query


def one(organisation_id: UUID) -> Select[tuple[object, ...]]:
    return select(*_SHOWN).where(TABLE.c.organisation_id == organisation_id)


VIEW = View(table=TABLE, project=project, reads=reads)
