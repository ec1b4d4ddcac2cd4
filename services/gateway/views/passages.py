"""What passed at the lanes: what the camera saw, how it was judged, what came of it. The plate rests sealed, as it was read.

A passage has the id of the camera's report, and a stay that of the passage with which it began."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, MetaData, Select, Table, Text, Uuid, func, select

from libs.contracts.devices import BarrierOrderCarriedOut, BarrierOrderFailed, FallbackGiven, PlateSeen
from libs.contracts.parking import PassageJudged
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.views.visitors import SEALED

# seen: whether the camera's own report is here; a passage by hand has none.
passages = Table(
    "gateway_passages", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("passage_id", Uuid, primary_key=True),
    Column("event_id", Uuid), Column("lane_id", Uuid), Column("at", DateTime(timezone=True)), Column("admitted", Boolean),
    Column("rule", Text), Column("reason", Text), Column("live", Boolean), Column("session_id", Uuid), Column("outcome", Text),
    Column("seen", Boolean), Column("plate", SEALED), Column("plate_colour", Text), Column("vehicle_kind", Text),
    Column("position", BigInteger),
    Index("gateway_passages_by_lane", "community_id", "lane_id", "position"),
)
BY_HAND = "by_hand"
"""The rule of a passage that a guard opened."""
LAST = 5


def _passage_of(event: Any) -> UUID | None:
    match event:
        case PassageJudged(passage_id=passage_id):
            return passage_id
        case BarrierOrderCarriedOut(order_id=order_id) | BarrierOrderFailed(order_id=order_id):
            return order_id
        case PlateSeen(report_id=report_id) | FallbackGiven(report_id=report_id):
            return report_id
        case _:
            return None


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if (passage_id := _passage_of(event)) is not None:
        yield {"passage_id": passage_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    """Topics are heard independently: what was seen, the judgement and the outcome meet in their row in any order."""
    outcome: str | None = None
    match event:
        case PlateSeen():
            rows.put(
                passage_id=event.report_id, seen=True, plate=event.plate, plate_colour=event.plate_colour,
                vehicle_kind=event.vehicle_kind)
        case PassageJudged():
            rows.put(
                passage_id=event.passage_id, event_id=row.event_id, lane_id=event.lane_id, admitted=event.admitted,
                at=row.meta.occurred_at or row.meta.source_time or row.recorded_at, rule=event.rule, reason=event.reason,
                live=event.live, session_id=event.session_id, position=row.position)
        case BarrierOrderCarriedOut(by=by):
            outcome = f"lifted_by_{by}"
        case BarrierOrderFailed(order_id=order_id, reason=reason):  # also of an order that came after the camera had its answer
            known = (rows.get(passage_id=order_id) or {}).get("outcome") or ""
            outcome = known if known.startswith(("lifted_", "fallback_")) else reason
        case FallbackGiven(admitted=admitted):
            outcome = "fallback_lifted" if admitted else "fallback_stayed_down"
    if outcome is not None and (passage_id := _passage_of(event)) is not None:
        rows.put(passage_id=passage_id, outcome=outcome)


PASSAGES = View(passages, project, reads, version=2)
VIEWS = (PASSAGES,)


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


def these(community_id: UUID, ids: Iterable[UUID]) -> Select[Any]:
    return select(passages).where(passages.c.community_id == community_id, passages.c.passage_id.in_(list(ids)))
