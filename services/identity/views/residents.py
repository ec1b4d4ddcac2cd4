"""Who is known here? Name, phone and ID number stay sealed; `version` is that of the resident's stream, for If-Match;
`findings` is what staff should look at in the ID number, `phone_findings` in the phone, `population_findings` in how the resident
counts in the population. Of who is erased it holds what can no longer be opened, and how they count.
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Column, DateTime, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.id_numbers import IdNumberConfirmed, IdNumberForgotten, IdNumberRecorded, IdNumberWithdrawn
from services.identity.domain.population import PopulationDeclared, PopulationSettled, findings
from services.identity.domain.residents import ContactCorrected, ContactDisclosed, ResidentErased, ResidentRegistered
from services.identity.views import residences

TABLE = Table(
    "residents", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("name", JSONB), Column("phone", JSONB), Column("phone_findings", JSONB),
    Column("id_number", JSONB), Column("findings", JSONB),
    Column("population", String), Column("population_sources", JSONB), Column("population_findings", JSONB),
    Column("registered_at", DateTime(timezone=True)), Column("version", Integer))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    match event:
        case (ResidentRegistered() | ContactCorrected() | ContactDisclosed() | ResidentErased() | IdNumberRecorded() | IdNumberConfirmed()
              | IdNumberWithdrawn() | IdNumberForgotten()):
            return [{"resident_id": event.resident_id}]
        case PopulationDeclared() | PopulationSettled():
            return [{"resident_id": event.resident_id}]
        case _:
            return []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case ResidentRegistered() | ContactCorrected():
            rows.put(
                resident_id=event.resident_id, name=msgspec.to_builtins(event.name),
                phone=msgspec.to_builtins(event.phone), phone_findings=list(event.phone_findings), version=row.version)
            if isinstance(event, ResidentRegistered):
                rows.put(resident_id=event.resident_id, registered_at=row.recorded_at)
        case ContactDisclosed():
            rows.put(resident_id=event.resident_id, version=row.version)
        case IdNumberRecorded():
            rows.put(resident_id=event.resident_id, id_number=event.number, findings=list(event.findings))
        case IdNumberWithdrawn():
            rows.put(resident_id=event.resident_id, id_number=None, findings=[])
        case ResidentErased():
            rows.put(resident_id=event.resident_id, phone_findings=[], version=row.version)
        case IdNumberConfirmed() | IdNumberForgotten():
            rows.put(resident_id=event.resident_id, findings=[])
        case PopulationDeclared(source=source, kind=kind):
            before = (rows.get(resident_id=event.resident_id) or {}).get("population_sources") or {}
            said = {**before, source: kind}
            rows.put(
                resident_id=event.resident_id, population_sources=said, population_findings=findings(said))
        case PopulationSettled(kind=kind):
            rows.put(resident_id=event.resident_id, population=kind)


_SHOWN = (
    TABLE.c.resident_id.label("id"), TABLE.c.name, TABLE.c.phone, TABLE.c.phone_findings, TABLE.c.id_number, TABLE.c.findings,
    TABLE.c.population, TABLE.c.population_sources, TABLE.c.population_findings, TABLE.c.registered_at, TABLE.c.version)


def page_of(home_id: UUID | None, after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    """`home_id`: those who live there now."""
    query = select(*_SHOWN).order_by(TABLE.c.resident_id)
    if home_id:
        there = residences.TABLE.c
        query = query.where(TABLE.c.resident_id.in_(
            select(there.resident_id).where(there.home_id == home_id, there.until.is_(None))))
    return (query.where(TABLE.c.resident_id > after) if after else query).limit(limit)


def one(resident_id: UUID) -> Select[tuple[object, ...]]:
    return select(*_SHOWN).where(TABLE.c.resident_id == resident_id)


VIEW = View(table=TABLE, project=project, reads=reads)
