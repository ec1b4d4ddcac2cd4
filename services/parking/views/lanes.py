"""Which lanes are there, and what passed at each last?"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.parking.domain.lanes import LaneInstalled
from services.parking.domain.passages import PassageCompleted, PassageFailed, PassageJudged

LANES = Table(
    "lanes", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("lane_id", Uuid, primary_key=True),
    Column("lot_id", Uuid), Column("name", String), Column("direction", String), Column("zone", String),
    Column("device_id", Uuid), Column("lane_no", Integer), Column("version", Integer))

PASSAGES = Table(
    "passages", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("passage_id", Uuid, primary_key=True),
    Column("lane_id", Uuid), Column("plate", JSONB), Column("at", DateTime(timezone=True)), Column("admitted", Boolean),
    Column("rule", String), Column("reason", String), Column("live", Boolean), Column("session_id", Uuid),
    Column("outcome", String), Column("candidates", JSONB), Column("position", BigInteger),
    Index("passages_by_lane", "community_id", "lane_id", "position"))


def lanes_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"lane_id": event.lane_id}] if isinstance(event, LaneInstalled) else []


def project_lanes(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, LaneInstalled):
        rows.put(
            lane_id=event.lane_id, lot_id=event.lot_id, name=event.name, direction=event.direction, zone=event.zone,
            device_id=event.device_id, lane_no=event.lane_no, version=row.version)


def passages_read(event: Any, row: Recorded) -> Iterable[Where]:
    known = isinstance(event, PassageJudged | PassageCompleted | PassageFailed)
    return [{"passage_id": event.passage_id}] if known else []


def project_passages(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case PassageJudged(passage_id=passage_id, lane=lane, seen=seen, judgement=said):
            rows.put(
                passage_id=passage_id, lane_id=lane.lane_id, plate=seen.plate, at=seen.at, admitted=said.admitted, rule=said.rule,
                reason=said.reason, live=seen.live, session_id=said.session_id, outcome=None,
                candidates=list(said.candidates), position=row.position)
        case PassageCompleted(passage_id=passage_id, by=by):
            _end(rows, passage_id, by)
        case PassageFailed(passage_id=passage_id, reason=reason):
            _end(rows, passage_id, reason)


def _end(rows: Rows, passage_id: UUID, outcome: str) -> None:
    if (known := rows.get(passage_id=passage_id)) is not None:
        rows.put(**{**known, "outcome": outcome})


LANES_VIEW = View(table=LANES, project=project_lanes, reads=lanes_read)
PASSAGES_VIEW = View(table=PASSAGES, project=project_passages, reads=passages_read)


def page_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(LANES).order_by(LANES.c.lane_id).limit(limit)
    return query.where(LANES.c.lane_id > after) if after else query


def passages_of(lane_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """The newest first."""
    c = PASSAGES.c
    query = select(PASSAGES).where(c.lane_id == lane_id).order_by(c.position.desc()).limit(limit)
    return query.where(c.position < before) if before is not None else query
