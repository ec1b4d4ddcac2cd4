"""Who lives here by kind of population (实有人口), and who moved in or out; of persons only their ids, of which no answer speaks."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Date, Index, MetaData, Select, Table, Text, Uuid, distinct, func, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.identity import PopulationDeclared, ResidenceEnded, ResidenceStarted
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.my_home import RESIDENCES, residences

METADATA = MetaData()
ORDER = ("police", "grid", "staff", "self")
"""Whose word on a person's kind holds, before whose."""

# said: what each source says; kind: what holds of that
population = Table(
    "gateway_population", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("kind", Text), Column("said", JSONB),
)
moves = Table(
    "gateway_moves", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("residence_id", Uuid, primary_key=True),
    Column("resident_id", Uuid), Column("since", Date), Column("until", Date),
    Index("gateway_moves_by_resident", "community_id", "resident_id"),
)


def population_reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, PopulationDeclared):
        yield {"resident_id": event.resident_id}


def project_population(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PopulationDeclared):
        known = rows.get(resident_id=event.resident_id)
        said = {**(known["said"] if known else {}), event.source: event.kind}
        rows.put(resident_id=event.resident_id, said=said, kind=next(said[source] for source in ORDER if source in said))


def moves_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidenceStarted | ResidenceEnded):
        yield {"residence_id": event.residence_id}


def project_moves(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case ResidenceStarted():
            rows.put(residence_id=event.residence_id, resident_id=event.resident_id, since=event.since)
        case ResidenceEnded():
            rows.put(residence_id=event.residence_id, resident_id=event.resident_id, until=event.until)


POPULATION = View(population, project_population, population_reads)
MOVES = View(moves, project_moves, moves_read)
VIEWS = (POPULATION, MOVES)
USED = (POPULATION, MOVES, RESIDENCES)


def by_kind(community_id: UUID) -> Select[Any]:
    """Everybody who has a home here, once; kind null where nobody has said."""
    r, p = residences.c, population.c
    here = select(r.resident_id).distinct().where(r.community_id == community_id).subquery()
    return select(p.kind, func.count().label("people")).select_from(here).outerjoin(
        population, (p.community_id == community_id) & (p.resident_id == here.c.resident_id)).group_by(p.kind)


def by_building(community_id: UUID) -> Select[Any]:
    """Everybody once: who has several homes, where they have lived last."""
    r = residences.c
    last = select(
        r.resident_id, r.building_id,
        func.row_number().over(partition_by=r.resident_id, order_by=(r.since.desc(), r.residence_id)).label("rank"),
    ).where(r.community_id == community_id).subquery()
    return select(last.c.building_id, func.count().label("people")).where(last.c.rank == 1).group_by(last.c.building_id)


def moved(community_id: UUID, first: date) -> tuple[Select[Any], Select[Any]]:
    """How many have come since that day who had no home here before, and how many have left who have none here any more."""
    m, r, other = moves.c, residences.c, moves.alias("other")
    before = select(other.c.residence_id).where(
        other.c.community_id == community_id, other.c.resident_id == m.resident_id, other.c.since < first)
    stays = select(r.residence_id).where(r.community_id == community_id, r.resident_id == m.resident_id)
    people = select(func.count(distinct(m.resident_id)).label("people")).where(m.community_id == community_id)
    return people.where(m.since >= first, ~before.exists()), people.where(m.until >= first, ~stays.exists())
