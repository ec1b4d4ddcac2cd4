"""Who lives where: the homes of a person with their label, building and role; the name rests sealed, and of who was erased is none."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.identity import (
    BuildingRegistered,
    HomeRegistered,
    ResidenceEnded,
    ResidenceStarted,
    ResidentErased,
    ResidentRegistered,
)
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.installed import communities
from services.gateway.words.names import ERASED

METADATA = MetaData()

# buildings and homes: both are places with a label, a home in a unit of its building
places = Table(
    "gateway_places", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("place_id", Uuid, primary_key=True),
    Column("building_id", Uuid),
    Column("unit", Integer),
    Column("label", Text),
)

residents = Table(
    "gateway_residents", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("resident_id", Uuid, primary_key=True),
    Column("name", JSON().with_variant(JSONB(), "postgresql")),
    Column("erased", Boolean),
)

residences = Table(
    "gateway_residences", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("residence_id", Uuid, primary_key=True),
    Column("resident_id", Uuid),
    Column("home_id", Uuid),
    Column("building_id", Uuid),
    Column("unit", Integer),
    Column("role", Text),
    Column("since", Date),
    Index("gateway_residences_by_resident", "community_id", "resident_id"),
)


def places_read(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case BuildingRegistered():
            yield {"place_id": event.building_id}
        case HomeRegistered():
            yield {"place_id": event.home_id}


def project_places(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case BuildingRegistered():
            rows.put(place_id=event.building_id, label=event.name)
        case HomeRegistered():
            rows.put(place_id=event.home_id, building_id=event.building_id, unit=event.unit, label=event.label)


def residents_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidentRegistered | ResidentErased):
        yield {"resident_id": event.resident_id}


def project_residents(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case ResidentErased():
            rows.put(resident_id=event.resident_id, name=None, erased=True)
        case ResidentRegistered() if not (rows.get(resident_id=event.resident_id) or {}).get("erased"):
            rows.put(resident_id=event.resident_id, name=event.name, erased=False)


def residences_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, ResidenceStarted | ResidenceEnded):
        yield {"residence_id": event.residence_id}


def project_residences(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case ResidenceStarted():
            rows.put(
                residence_id=event.residence_id, resident_id=event.resident_id, home_id=event.home_id,
                building_id=event.building_id, unit=event.unit, role=event.role, since=event.since)
        case ResidenceEnded():
            for ended in rows.where(residence_id=event.residence_id):
                rows.remove(ended)


PLACES = View(places, project_places, places_read)
RESIDENTS = View(residents, project_residents, residents_read, version=2)
RESIDENCES = View(residences, project_residences, residences_read)
VIEWS = (PLACES, RESIDENTS, RESIDENCES)


def homes_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    """One row a residence, the oldest first."""
    home, building = places.alias("home"), places.alias("building")
    r = residences.c
    return (
        select(
            r.residence_id, r.home_id, home.c.label, r.building_id, building.c.label.label("building"), r.unit,
            r.role, r.since)
        .select_from(residences)
        .outerjoin(home, (home.c.community_id == r.community_id) & (home.c.place_id == r.home_id))
        .outerjoin(building, (building.c.community_id == r.community_id) & (building.c.place_id == r.building_id))
        .where(r.community_id == community_id, r.resident_id == person_id)
        .order_by(r.since, r.residence_id))


def name_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    """The sealed name of a resident, and whether they were erased; no row for whoever is none."""
    return select(residents.c.name, residents.c.erased).where(
        residents.c.community_id == community_id, residents.c.resident_id == person_id)


def erased_among(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    """Those of them who were erased, under what stands for their name."""
    c = residents.c
    return select(c.resident_id.label("id"), literal(ERASED).label("name")).where(
        c.community_id == community_id, c.resident_id.in_(list(ids)), c.erased.is_(True))


def places_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(places.c.place_id.label("id"), places.c.label.label("name")).where(
        places.c.community_id == community_id, places.c.place_id.in_(list(ids)))


def residences_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    """Where they live now; `begun`: when the day began there since which they do."""
    r, c = residences.c, communities.c
    zone = select(c.zone).where(c.community_id == community_id).scalar_subquery()
    # a log may have the year 1, which in UTC is before all years
    begun = func.timezone(func.coalesce(zone, "UTC"), cast(func.greatest(r.since, date(1900, 1, 1)), DateTime)).label("begun")
    return select(r.home_id, r.building_id, r.since, begun).where(r.community_id == community_id, r.resident_id == person_id)
