"""The guard's lanes: where each leads, what passed there last and how it was judged, what a person has to settle."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from libs.contracts.devices import BarrierOrderCarriedOut, BarrierOrderFailed, FallbackGiven
from libs.contracts.parking import FindingRaised, FindingSettled, LaneInstalled, LotOpened, PassageJudged
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

METADATA = MetaData()

lanes = Table(
    "gateway_lanes", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("lane_id", Uuid, primary_key=True),
    Column("lot_id", Uuid), Column("name", Text), Column("direction", Text), Column("zone", Text), Column("device_id", Uuid),
    Column("lane_no", Integer),
)
lots = Table(
    "gateway_lots", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),
    Column("name", Text), Column("spaces", JSONB),
)
passages = Table(
    "gateway_passages", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("passage_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("lane_id", Uuid), Column("at", DateTime(timezone=True)), Column("admitted", Boolean),
    Column("rule", Text), Column("reason", Text), Column("live", Boolean), Column("session_id", Uuid), Column("outcome", Text),
    Column("position", BigInteger),
    Index("gateway_passages_by_lane", "community_id", "lane_id", "position"),
)
findings = Table(
    "gateway_parking_findings", METADATA,
    Column("community_id", Uuid, primary_key=True),
    Column("finding_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("kind", Text), Column("lane_id", Uuid), Column("session_id", Uuid),
    Column("passage_id", Uuid), Column("candidates", JSONB), Column("raised_at", DateTime(timezone=True)),
    Column("how", Text), Column("settled_at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("gateway_parking_findings_by_time", "community_id", "position"),
)


def lanes_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, LaneInstalled):
        yield {"lane_id": event.lane_id}


def project_lanes(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LaneInstalled):
        rows.put(
            lane_id=event.lane_id, lot_id=event.lot_id, name=event.name, direction=event.direction, zone=event.zone,
            device_id=event.device_id, lane_no=event.lane_no)


def lots_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, LotOpened):
        yield {"lot_id": event.lot_id}


def project_lots(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LotOpened):
        rows.put(lot_id=event.lot_id, name=event.name, spaces=event.spaces)


def _passage_of(event: Any) -> UUID | None:
    match event:
        case PassageJudged(passage_id=passage_id):
            return passage_id
        case BarrierOrderCarriedOut(order_id=order_id) | BarrierOrderFailed(order_id=order_id):
            return order_id
        case FallbackGiven(report_id=report_id):
            return report_id
        case _:
            return None


def passages_read(event: Any, row: Recorded) -> Iterable[Where]:
    if (passage_id := _passage_of(event)) is not None:
        yield {"passage_id": passage_id}


def project_passages(rows: Rows, event: Any, row: Recorded) -> None:
    """Topics are heard independently: an outcome may come before the judgement, and then waits for it in its row."""
    outcome: str | None = None
    match event:
        case PassageJudged():
            rows.put(
                passage_id=event.passage_id, event_id=row.event_id, lane_id=event.lane_id, admitted=event.admitted,
                at=row.meta.occurred_at or row.meta.source_time or row.recorded_at, rule=event.rule, reason=event.reason,
                live=event.live, session_id=event.session_id, position=row.position)
        case BarrierOrderCarriedOut(by=by):
            outcome = f"lifted_by_{by}"
        case BarrierOrderFailed(reason=reason):
            outcome = reason
        case FallbackGiven(admitted=admitted):
            outcome = "fallback_lifted" if admitted else "fallback_stayed_down"
    if outcome is not None and (passage_id := _passage_of(event)) is not None:
        rows.put(passage_id=passage_id, outcome=outcome)


def findings_read(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, FindingRaised | FindingSettled):
        yield {"finding_id": event.finding_id}


def project_findings(rows: Rows, event: Any, row: Recorded) -> None:
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


LANES = View(lanes, project_lanes, lanes_read)
LOTS = View(lots, project_lots, lots_read)
PASSAGES = View(passages, project_passages, passages_read)
FINDINGS = View(findings, project_findings, findings_read)
VIEWS = (LANES, LOTS, PASSAGES, FINDINGS)
LAST = 5


def all_lanes(community_id: UUID) -> Select[Any]:
    """By name, each with its lot."""
    c = lanes.c
    return (
        select(
            c.lane_id.label("id"), c.name, c.direction, c.zone, c.device_id, c.lane_no, c.lot_id, lots.c.name.label("lot_name"))
        .select_from(lanes).outerjoin(lots, (lots.c.community_id == c.community_id) & (lots.c.lot_id == c.lot_id))
        .where(c.community_id == community_id).order_by(c.name, c.lane_id))


def last_passages(community_id: UUID) -> Select[Any]:
    """The last few of every lane, newest first."""
    c = passages.c
    rank = func.row_number().over(partition_by=c.lane_id, order_by=c.position.desc()).label("rank")
    ranked = select(passages, rank).where(c.community_id == community_id, c.position.is_not(None)).subquery()
    return select(ranked).where(ranked.c.rank <= LAST).order_by(ranked.c.position.desc())


def passages_of(community_id: UUID, lane_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    c = passages.c
    query = select(passages).where(c.community_id == community_id, c.lane_id == lane_id)
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)


def findings_of(community_id: UUID, open_only: bool, before: int | None, limit: int) -> Select[Any]:
    """Newest first; one row more than `limit`."""
    c = findings.c
    query = select(findings).where(c.community_id == community_id)
    query = query.where(c.settled_at.is_(None)) if open_only else query
    query = query.where(c.position < before) if before is not None else query
    return query.order_by(c.position.desc()).limit(limit + 1)


def lanes_named(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(lanes.c.lane_id.label("id"), lanes.c.name).where(lanes.c.community_id == community_id, lanes.c.lane_id.in_(list(ids)))
