"""How did each round go, and what came of each scan? The newest first."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.patrol_rounds import PatrolRoundJudged, PatrolRoundOpened, PatrolStopMissed, PatrolStopVisited
from services.alarm.domain.patrol_routes import Round
from services.alarm.domain.patrol_scans import PatrolPointScanned

State = Literal["under_way", "judged"]

ROUNDS = Table(
    "patrol_rounds", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("round_id", Uuid, primary_key=True),
    Column("route_id", Uuid), Column("name", String), Column("starts_at", DateTime(timezone=True)), Column("state", String),
    Column("stops", JSONB), Column("early", Integer), Column("on_time", Integer), Column("late", Integer), Column("missed", Integer),
    Column("times", Integer), Column("judged_at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("patrol_rounds_in_order", "community_id", "position"),
    Index("patrol_rounds_of_route", "community_id", "route_id", "position"))
"""`stops`: each with its point, when it is due, and how it was met by whom, or that it was missed. `times`: how often it was judged."""

SCANS = Table(
    "patrol_scans", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("scan_id", Uuid, primary_key=True),
    Column("point_id", Uuid), Column("by", Uuid), Column("means", String), Column("at", DateTime(timezone=True)),
    Column("told_at", DateTime(timezone=True)), Column("distance", Integer), Column("there", Boolean), Column("rounds", JSONB),
    Column("position", BigInteger),
    Index("patrol_scans_in_order", "community_id", "position"))
"""`rounds`: in which it was somebody's being at a stop, also where a nearer one is since; none where none was to be walked then, or a
nearer one was known."""

OfRound = PatrolStopVisited | PatrolStopMissed | PatrolRoundJudged


def rounds_read(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case PatrolRoundOpened(round=one):
            return [{"round_id": one.round_id}]
        case PatrolStopVisited() | PatrolStopMissed() | PatrolRoundJudged():
            return [{"round_id": event.round_id}]
        case _:
            return []


def project_rounds(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PatrolRoundOpened):
        one = event.round
        rows.put(
            round_id=one.round_id, route_id=one.route_id, name=one.course.name, starts_at=one.starts_at, state="under_way",
            stops=[_stop(one, n) for n in range(len(one.course.stops))], position=row.position, times=0,
            **dict.fromkeys(("early", "on_time", "late", "missed"), 0))
    elif isinstance(event, OfRound) and (known := rows.get(round_id=event.round_id)) is not None:
        rows.put(round_id=event.round_id, **_changed(event, row, known["stops"]))


def _stop(one: Round, n: int) -> dict[str, Any]:
    return {"point_id": one.course.stops[n].point_id, "due": one.due(n), "met": None, "at": None, "by": None}


def _changed(event: Any, row: Recorded, stops: list[dict[str, Any]]) -> dict[str, Any]:
    match event:
        case PatrolStopVisited(stop=n, visit=visit, met=met):
            return {"stops": _with(stops, n, met=met, at=visit.at, by=visit.by)}
        case PatrolStopMissed(stop=n):
            return {"stops": _with(stops, n, met="missed")}
        case PatrolRoundJudged():
            counted: dict[str, Any] = {str(how): stops for how, stops in event.stops.items()}
            return {**counted, "times": event.times, "state": "judged", "judged_at": row.recorded_at}
        case _:
            return {}


def _with(stops: list[dict[str, Any]], n: int, **said: Any) -> list[dict[str, Any]]:
    return [{**stop, **said} if i == n else stop for i, stop in enumerate(stops)]


def scans_read(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case PatrolPointScanned(scan_id=scan_id):
            return [{"scan_id": scan_id}]
        case PatrolStopVisited(visit=visit):
            return [{"scan_id": visit.scan_id}]
        case _:
            return []


def project_scans(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case PatrolPointScanned():
            said = {name: getattr(event, name) for name in ("scan_id", "point_id", "by", "means", "at", "distance", "there")}
            rows.put(**said, told_at=row.recorded_at, rounds=[], position=row.position)
        case PatrolStopVisited(round_id=round_id, visit=visit) if (known := rows.get(scan_id=visit.scan_id)) is not None:
            rows.put(scan_id=visit.scan_id, rounds=[*known["rounds"], round_id])


ROUNDS_VIEW = View(table=ROUNDS, project=project_rounds, reads=rounds_read)
SCANS_VIEW = View(table=SCANS, project=project_scans, reads=scans_read)


def rounds_of(before: int | None, limit: int, route_id: UUID | None = None, state: State | None = None) -> Select[Any]:
    c = ROUNDS.c
    query = select(ROUNDS).order_by(c.position.desc()).limit(limit)
    query = query.where(c.route_id == route_id) if route_id else query
    query = query.where(c.state == state) if state else query
    return query.where(c.position < before) if before is not None else query


def one_round(round_id: UUID) -> Select[Any]:
    return select(ROUNDS).where(ROUNDS.c.round_id == round_id)


def scans_of(before: int | None, limit: int) -> Select[Any]:
    query = select(SCANS).order_by(SCANS.c.position.desc()).limit(limit)
    return query.where(SCANS.c.position < before) if before is not None else query
