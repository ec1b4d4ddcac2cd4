"""Which notices have not reached a provider yet, or never will? Free of whom they are for."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from sqlalchemy import Column, DateTime, Integer, MetaData, Select, String, Table, Uuid, func, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.access.domain.deliveries import NoticeFailed, NoticeGivenUp, NoticeQueued, NoticeSent

State = Literal["waiting", "given_up"]
TABLE = Table(
    "notice_deliveries", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("delivery_id", Uuid, primary_key=True),
    Column("notice_id", Uuid), Column("channel", String), Column("kind", String), Column("state", String),
    Column("attempts", Integer), Column("reason", String), Column("queued_at", DateTime(timezone=True)),
    Column("again_at", DateTime(timezone=True)))
Said = NoticeQueued | NoticeSent | NoticeFailed | NoticeGivenUp


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"delivery_id": event.delivery_id}] if isinstance(event, Said) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case NoticeQueued():
            rows.put(
                delivery_id=event.delivery_id, notice_id=event.notice_id, channel=event.channel, kind=event.kind,
                state="waiting", attempts=0, reason=None, queued_at=event.queued_at, again_at=event.queued_at)
        case NoticeFailed():
            rows.put(delivery_id=event.delivery_id, attempts=event.attempt, reason=event.reason, again_at=event.again_at)
        case NoticeGivenUp():
            rows.put(
                delivery_id=event.delivery_id, state="given_up", attempts=event.attempt, reason=event.reason, again_at=None)
        case NoticeSent(delivery_id=delivery_id):
            rows.remove({"delivery_id": delivery_id})


def page_of(state: State | None, after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    query = select(TABLE).order_by(TABLE.c.delivery_id).limit(limit)
    if state:
        query = query.where(TABLE.c.state == state)
    return query.where(TABLE.c.delivery_id > after) if after else query


def counts() -> Select[tuple[object, ...]]:
    c = TABLE.c
    return select(c.channel, c.state, func.count().label("count"), func.min(c.queued_at).label("oldest")).group_by(
        c.channel, c.state).order_by(c.channel, c.state)


VIEW = View(table=TABLE, project=project, reads=reads)
