"""Which points do patrols go by, and which routes are there?"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.patrol_points import PatrolPointPlaced
from services.alarm.domain.patrol_routes import PatrolRouteSet

POINTS = Table(
    "patrol_points", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("point_id", Uuid, primary_key=True),
    Column("name", String), Column("place", JSONB), Column("spot", JSONB), Column("in_use", Boolean), Column("version", Integer))

ROUTES = Table(
    "patrol_routes", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("route_id", Uuid, primary_key=True),
    Column("course", JSONB), Column("timetable", JSONB), Column("in_use", Boolean), Column("edition", Integer))


def points_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"point_id": event.point_id}] if isinstance(event, PatrolPointPlaced) else []


def project_points(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PatrolPointPlaced):
        rows.put(
            point_id=event.point_id, name=event.name, place=event.place, spot=event.spot, in_use=event.in_use, version=row.version)


def routes_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"route_id": event.route_id}] if isinstance(event, PatrolRouteSet) else []


def project_routes(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PatrolRouteSet):
        rows.put(
            route_id=event.route_id, course=event.course, timetable=event.timetable, in_use=event.in_use, edition=event.edition)


POINTS_VIEW = View(table=POINTS, project=project_points, reads=points_read)
ROUTES_VIEW = View(table=ROUTES, project=project_routes, reads=routes_read)


def points_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(POINTS).order_by(POINTS.c.point_id).limit(limit)
    return query.where(POINTS.c.point_id > after) if after else query


def routes_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(ROUTES).order_by(ROUTES.c.route_id).limit(limit)
    return query.where(ROUTES.c.route_id > after) if after else query
