"""The incidents as each face asks for them: the guard's queue, a resident's own, and those of which authorities have figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, tuple_

from services.gateway.reach import OF_ALL
from services.gateway.views.incidents import CLOSED, INCIDENTS, incidents
from services.gateway.views.installed import DUTIES, SENSORS, sensors
from services.gateway.views.my_home import PLACES, RESIDENCES, places

USED = (INCIDENTS, PLACES, SENSORS, DUTIES)
MINE = (INCIDENTS, RESIDENCES, PLACES)
AFTERWARDS = timedelta(days=1)
"""How long everybody in a building still sees what is over."""


def _shown(community_id: UUID, *more: Any) -> Select[Any]:
    c, building = incidents.c, places.alias("building")
    kept = (column for column in c if column.name not in ("community_id", "incident_id"))
    return (
        select(c.incident_id.label("id"), *kept, building.c.label.label("building"), *more)
        .select_from(incidents)
        .outerjoin(building, (building.c.community_id == c.community_id) & (building.c.place_id == c.building_id))
        .where(c.community_id == community_id))


def _for_guards(community_id: UUID) -> Select[Any]:
    c, home, s = incidents.c, places.alias("home"), sensors.c
    query = _shown(community_id, home.c.label.label("home"), s.name.label("sensor"), s.panel_id, s.partition, s.zone)
    return query.outerjoin(home, (home.c.community_id == c.community_id) & (home.c.place_id == c.home_id)).outerjoin(
        sensors, (s.community_id == c.community_id) & (s.sensor_id == c.sensor_id))


def in_order(community_id: UUID, state: str, after: tuple[int, UUID] | None, limit: int) -> Select[Any]:
    """`state`: open, closed or all. Open first, by severity, then age; one row more than `limit`."""
    c = incidents.c
    query = _for_guards(community_id)
    if state != "all":
        query = query.where(c.queue < CLOSED if state == "open" else c.queue >= CLOSED)
    if after is not None:
        query = query.where(tuple_(c.queue, c.incident_id) > tuple_(*after))
    return query.order_by(c.queue, c.incident_id).limit(limit + 1)


def one(community_id: UUID, incident_id: UUID) -> Select[Any]:
    return _for_guards(community_id).where(incidents.c.incident_id == incident_id)


def of_resident(
    community_id: UUID, person_id: UUID, homes: Sequence[dict[str, Any]], now: datetime, before: int | None, limit: int,
) -> Select[Any]:
    """Newest first; one row more than `limit`. `homes`: as `my_home.residences_of` gives them."""
    c = incidents.c
    query = _shown(community_id).where(c.silent.is_(False), or_(_own(person_id, homes), _of_all(homes, now)))
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)


def at_home(
    community_id: UUID, person_id: UUID, homes: Sequence[dict[str, Any]], before: int | None, limit: int) -> Select[Any]:
    """At their home since they live there, or raised by them; newest first, silent ones never; one row more than `limit`."""
    c = incidents.c
    query = _shown(community_id).where(c.silent.is_(False), _own(person_id, homes))
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)


def told_to(community_id: UUID, person_id: UUID, homes: Sequence[dict[str, Any]], now: datetime) -> Select[Any]:
    """The incidents that reach a resident though they are not at their home."""
    c = incidents.c
    return select(c.incident_id).where(
        c.community_id == community_id, c.silent.is_(False), or_(c.raised_by == person_id, _of_all(homes, now)))


def _own(person_id: UUID, homes: Sequence[dict[str, Any]]) -> ColumnElement[bool]:
    """What they raised, and what was at their home since they have lived there: not what was there before."""
    c = incidents.c
    return or_(c.raised_by == person_id, *(
        and_(c.home_id == home["home_id"], c.raised_at >= home["begun"]) for home in homes))


def _of_all(homes: Sequence[dict[str, Any]], now: datetime) -> ColumnElement[bool]:
    c = incidents.c
    return or_(false(), *(
        and_(c.building_id == building_id, c.verified_at.is_not(None), c.kind.in_(OF_ALL),
             or_(c.ended_at.is_(None), c.ended_at > now - AFTERWARDS))
        for building_id in sorted({home["building_id"] for home in homes})))


def of_late(community_id: UUID, since: datetime, after: tuple[int, UUID] | None, limit: int) -> Select[Any]:
    """Open ones and those that were raised since then, in the order of the queue; one row more than `limit`."""
    c = incidents.c
    query = _shown(community_id).where(_late(since))
    query = query.where(tuple_(c.queue, c.incident_id) > tuple_(*after)) if after is not None else query
    return query.order_by(c.queue, c.incident_id).limit(limit + 1)


def counted(community_id: UUID, since: datetime) -> Select[Any]:
    c = incidents.c
    return select(c.state, c.kind, func.count().label("incidents")).where(c.community_id == community_id, _late(since)).group_by(
        c.state, c.kind).order_by(c.state, c.kind)


def _late(since: datetime) -> ColumnElement[bool]:
    return or_(incidents.c.ended_at.is_(None), incidents.c.raised_at >= since)
