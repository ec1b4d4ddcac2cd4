"""How the rounds of patrols went, each as it was last judged."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Select, Table, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from libs.contracts.alarm import PatrolJudged
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

MET = ("early", "on_time", "late", "missed")
rounds = Table(
    "gateway_patrol_rounds", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("round_id", Uuid, primary_key=True),
    Column("route_id", Uuid), Column("name", Text), Column("starts_at", DateTime(timezone=True)),
    Column("early", Integer), Column("on_time", Integer), Column("late", Integer), Column("missed", Integer),
    Index("gateway_patrol_rounds_by_start", "community_id", "starts_at"))


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, PatrolJudged):
        yield {"round_id": event.round_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PatrolJudged):
        met = dict.fromkeys(MET, 0) | {str(how): stops for how, stops in event.stops.items()}
        rows.put(round_id=event.round_id, route_id=event.route_id, name=event.name, starts_at=event.starts_at, **met)


ROUNDS = View(rounds, project, reads)
VIEWS = (ROUNDS,)


def by_route(community_id: UUID, since: datetime) -> Select[Any]:
    """Of the rounds that began since: by route, under the name that it had last."""
    c = rounds.c
    names = func.array_agg(aggregate_order_by(c.name, c.starts_at.desc()))
    return select(
        c.route_id, names.label("names"), func.count().label("rounds"), func.count().filter(c.missed == 0).label("complete"),
        *(func.sum(c[how]).label(how) for how in MET),
    ).where(c.community_id == community_id, c.starts_at >= since).group_by(c.route_id).order_by(c.route_id)
