"""What the community is made of, where only its name is wanted: the community itself, lifts, sensors, who is on duty."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, Integer, MetaData, Select, Table, Text, Uuid, func, select

from libs.contracts.access import LiftInstalled
from libs.contracts.alarm import SensorInstalled
from libs.contracts.identity import AccountClosed, AccountOpened, CommunityFounded
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

METADATA = MetaData()

communities = Table(
    "gateway_communities", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("name", Text), Column("division_code", Text), Column("zone", Text),
)
lifts = Table(
    "gateway_lifts", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("lift_id", Uuid, primary_key=True),
    Column("building_id", Uuid), Column("name", Text),
)
sensors = Table(
    "gateway_sensors", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("sensor_id", Uuid, primary_key=True),
    Column("panel_id", Uuid), Column("kind", Text), Column("partition", Integer), Column("zone", Integer), Column("name", Text),
)
duties = Table(
    "gateway_duties", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("account_id", Uuid, primary_key=True),
    Column("person_id", Uuid), Column("role", Text),
    Index("gateway_duties_by_person", "community_id", "person_id"),
)


def community_reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, CommunityFounded):
        yield {}


def project_community(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, CommunityFounded):
        rows.put(name=event.name, division_code=event.division_code, zone=event.zone)


def lifts_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, LiftInstalled):
        yield {"lift_id": event.lift_id}


def project_lifts(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LiftInstalled):
        rows.put(lift_id=event.lift_id, building_id=event.building_id, name=event.name)


def sensors_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, SensorInstalled):
        yield {"sensor_id": event.sensor_id}


def project_sensors(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, SensorInstalled):
        rows.put(
            sensor_id=event.sensor_id, panel_id=event.panel_id, kind=event.kind, partition=event.partition, zone=event.zone,
            name=event.place.name)


def duties_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, AccountOpened | AccountClosed) and event.role != "resident":
        yield {"account_id": event.account_id}


def project_duties(rows: Rows, event: Any, row: Recorded) -> None:
    """Who has left is still named by what they were: what they did stays."""
    if isinstance(event, AccountOpened) and event.role != "resident":
        rows.put(account_id=event.account_id, person_id=event.person_id, role=event.role)


COMMUNITIES = View(communities, project_community, community_reads)
LIFTS = View(lifts, project_lifts, lifts_read)
SENSORS = View(sensors, project_sensors, sensors_read)
DUTIES = View(duties, project_duties, duties_read)
VIEWS = (COMMUNITIES, LIFTS, SENSORS, DUTIES)


def community(community_id: UUID) -> Select[Any]:
    c = communities.c
    return select(c.name, c.division_code).where(c.community_id == community_id)


def lifts_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    c = lifts.c
    return select(c.lift_id.label("id"), c.name).where(c.community_id == community_id, c.lift_id.in_(list(ids)))


def roles_of(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    """One role a person: of several the first in the alphabet."""
    c = duties.c
    return select(c.person_id.label("id"), func.min(c.role).label("name")).where(
        c.community_id == community_id, c.person_id.in_(list(ids))).group_by(c.person_id)
