"""What a person has to settle at the lanes, and what the things are that might be meant."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.parking import FindingRaised, FindingSettled
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.cars import CARS, cars
from services.gateway.views.lanes import LANES, lanes
from services.gateway.views.passages import PASSAGES, passages
from services.gateway.views.permits import PERMITS, permits
from services.gateway.views.stays import STAYS, stays
from services.gateway.views.visitors import VISITORS, visitors

findings = Table(
    "gateway_parking_findings", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("finding_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("kind", Text), Column("lane_id", Uuid), Column("session_id", Uuid),
    Column("passage_id", Uuid), Column("candidates", JSONB), Column("raised_at", DateTime(timezone=True)),
    Column("how", Text), Column("settled_at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("gateway_parking_findings_by_time", "community_id", "position"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, FindingRaised | FindingSettled):
        yield {"finding_id": event.finding_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    said = row.meta.source_time or row.recorded_at
    match event:
        case FindingRaised():
            rows.put(
                finding_id=event.finding_id, event_id=row.event_id, kind=event.kind, lane_id=event.lane_id,
                session_id=event.session_id, passage_id=event.passage_id, candidates=list(event.candidates), raised_at=said,
                position=row.position)
        case FindingSettled(how=how):
            if rows.get(finding_id=event.finding_id) is not None:
                rows.put(finding_id=event.finding_id, how=how, settled_at=said)


FINDINGS = View(findings, project, reads)
VIEWS = (FINDINGS,)
USED = (FINDINGS, PASSAGES, STAYS, LANES, PERMITS, CARS, VISITORS)
"""Everything that a finding is shown with."""


def findings_of(community_id: UUID, open_only: bool, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    c = findings.c
    query = select(findings).where(c.community_id == community_id)
    query = query.where(c.settled_at.is_(None)) if open_only else query
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)


def known_stays(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    """Each with what the camera at its entry saw; `vehicle_plate`, `guest_plate`: of whose car it is, where that is known."""
    s, p = stays.c, passages.c
    return (
        select(
            s.session_id.label("id"), s.state, s.entered_at, p.lane_id, lanes.c.name.label("lane_name"), p.rule, p.seen, p.plate,
            p.plate_colour, p.vehicle_kind, cars.c.plate.label("vehicle_plate"), visitors.c.plate.label("guest_plate"))
        .select_from(stays)
        .outerjoin(passages, (p.community_id == s.community_id) & (p.passage_id == s.session_id))
        .outerjoin(lanes, (lanes.c.community_id == s.community_id) & (lanes.c.lane_id == p.lane_id))
        .outerjoin(cars, (cars.c.community_id == s.community_id) & (cars.c.vehicle_id == s.vehicle_id))
        .outerjoin(visitors, (visitors.c.community_id == s.community_id) & (visitors.c.pass_id == s.pass_id))
        .where(s.community_id == community_id, s.session_id.in_(list(ids))))


def known_permits(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    p = permits.c
    return (
        select(p.right_id.label("id"), p.valid_from, p.valid_until, cars.c.plate)
        .select_from(permits)
        .outerjoin(cars, (cars.c.community_id == p.community_id) & (cars.c.vehicle_id == p.vehicle_id))
        .where(p.community_id == community_id, p.right_id.in_(list(ids))))


def known_vehicles(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    """The right of a home's vehicle has the vehicle's id."""
    c = cars.c
    return select(c.vehicle_id.label("id"), c.plate).where(c.community_id == community_id, c.vehicle_id.in_(list(ids)))


def known_passes(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    """The right of a guest has the id of their pass."""
    c = visitors.c
    return select(c.pass_id.label("id"), c.valid_from, c.valid_until, c.plate).where(
        c.community_id == community_id, c.pass_id.in_(list(ids)))
