"""Which doors may a person open, and which lifts call: their rights, joined with the doors and lifts of each right's zone."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Index, MetaData, Select, Table, Text, Uuid, cast, func, select

from libs.contracts.access import RightGranted, RightRevoked
from libs.eventkit.db import fixed
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.doors import DOORS, doors
from services.gateway.views.installed import LIFTS, lifts

METADATA = MetaData()
EVERYWHERE = "everywhere"
"""The zone of whoever is on duty: every door of the community."""

# one row a right and not a zone: of two rights to one zone, the other stays when one is revoked
rights = Table(
    "gateway_rights", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("right_id", Uuid, primary_key=True),
    Column("person_id", Uuid),
    Column("zone", Text),
    Column("rule", Text),
    Index("gateway_rights_by_person", "community_id", "person_id"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, RightGranted | RightRevoked):
        yield {"right_id": event.right_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case RightGranted():
            rows.put(right_id=event.right_id, person_id=event.person_id, zone=event.zone, rule=event.rule)
        case RightRevoked():
            for revoked in rows.where(right_id=event.right_id):
                rows.remove(revoked)


RIGHTS = View(rights, project, reads)
VIEWS = (RIGHTS,)
USED = (RIGHTS, DOORS)
OF_LIFTS = (RIGHTS, LIFTS)


def opens() -> ColumnElement[bool]:
    """The rule by which access opens: the door's zone, or every one."""
    d, r = doors.c, rights.c
    return (d.community_id == r.community_id) & ((d.zone == r.zone) | (r.zone == EVERYWHERE))


@fixed
def doors_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    """Each door once, by name; where several rights open it, under the rule that comes first in the alphabet."""
    d = doors.c
    return (
        select(d.door_id.label("id"), d.name, d.zone, func.min(rights.c.rule).label("rule"))
        .select_from(rights)
        .join(doors, opens())
        .where(rights.c.community_id == community_id, rights.c.person_id == person_id)
        .group_by(d.door_id, d.name, d.zone)
        .order_by(d.name, d.door_id))


@fixed
def lifts_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    """Each lift of a building to which they have a right once, by name; to which floors it takes them is access's to say."""
    c, r = lifts.c, rights.c
    return (
        select(c.lift_id.label("id"), c.name, c.building_id, func.min(r.rule).label("rule"))
        .select_from(rights)
        .join(lifts, (c.community_id == r.community_id) & ((r.zone == "building:" + cast(c.building_id, Text)) | (r.zone == EVERYWHERE)))
        .where(r.community_id == community_id, r.person_id == person_id)
        .group_by(c.lift_id, c.name, c.building_id)
        .order_by(c.name, c.lift_id))


def rights_at(community_id: UUID, door_id: UUID, after: UUID | None, limit: int) -> Select[Any]:
    """Every right that opens the door; one row more than `limit`."""
    r = rights.c
    query = (
        select(r.right_id.label("id"), r.person_id, r.zone, r.rule).select_from(rights).join(doors, opens())
        .where(r.community_id == community_id, doors.c.door_id == door_id).order_by(r.right_id).limit(limit + 1))
    return query if after is None else query.where(r.right_id > after)


@fixed
def door_ids_of(community_id: UUID, person_id: UUID) -> Select[Any]:
    return (
        select(doors.c.door_id).distinct()
        .join(rights, opens())
        .where(rights.c.community_id == community_id, rights.c.person_id == person_id))
