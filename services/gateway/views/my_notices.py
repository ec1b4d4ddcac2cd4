"""What neighbors has for one resident: notices of their circles and broadcasts to their building, read or not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, case, cast, func, literal, null, or_, select, tuple_, union_all

from services.gateway.views.broadcasts import BROADCASTS, TOLD, broadcasts, told
from services.gateway.views.notices import CIRCLES, NOTICES, RECEIPTS, circles, notices, receipts

USED = (CIRCLES, NOTICES, RECEIPTS, BROADCASTS, TOLD)
URGENT, UNREAD, READ = 0, 1, 2
"""The order: broadcasts that have not ended, then what is unread, then the rest; the newest first in each."""


def _read_at(community_id: UUID, notice_id: Any, resident_id: UUID) -> Any:
    r = receipts.c
    return select(r.read_at).where(
        r.community_id == community_id, r.notice_id == notice_id, r.resident_id == resident_id).scalar_subquery()


def of_resident(
    community_id: UUID, resident_id: UUID, after: tuple[int, int] | None, asked: datetime, limit: int,
) -> Select[Any]:
    """One row more than `limit`; withdrawn notices are gone, ended broadcasts say since when. In order as of `asked`, when the first page
    was: what has been read or has ended since does not come again further down."""
    n, b = notices.c, broadcasts.c
    mine = select(circles.c.circle_id).where(circles.c.community_id == community_id, circles.c.resident_id == resident_id)
    own = select(
        n.notice_id.label("id"), literal("notice").label("kind"), n.category, n.title, n.text, n.building_id, n.posted_at.label("at"),
        null().label("ended_at"), _read_at(community_id, n.notice_id, resident_id).label("read_at"), n.event_id, n.position,
    ).where(n.community_id == community_id, n.circle_id.in_(mine), n.withdrawn_at.is_(None))
    sent = select(
        b.broadcast_id.label("id"), literal("broadcast").label("kind"), b.kind.label("category"), cast(null(), Text).label("title"),
        b.text, b.building_id, b.sent_at.label("at"), b.ended_at,
        _read_at(community_id, b.broadcast_id, resident_id).label("read_at"), b.event_id, b.position,
    ).where(b.community_id == community_id, or_(_meant_for(community_id, resident_id), _still_for(community_id, resident_id)))
    both = union_all(own, sent).subquery().c
    urgent = (both.kind == "broadcast") & or_(both.ended_at.is_(None), both.ended_at > asked)
    rank = case((urgent, URGENT), (or_(both.read_at.is_(None), both.read_at > asked), UNREAD), else_=READ).label("rank")
    ranked = select(*both, rank).subquery()
    c = ranked.c
    query = select(ranked)
    if after is not None:
        query = query.where(tuple_(c.rank, -c.position) > tuple_(after[0], -after[1]))
    return query.order_by(c.rank, c.position.desc()).limit(limit + 1)


def read_by(community_id: UUID, resident_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """What they have read, withdrawn or over since or not; newest first, one row more than `limit`."""
    n, b, r = notices.c, broadcasts.c, receipts.c
    own = select(
        n.notice_id.label("id"), literal("notice").label("kind"), n.category, n.title, n.posted_at.label("at"), n.position,
    ).where(n.community_id == community_id)
    sent = select(
        b.broadcast_id.label("id"), literal("broadcast").label("kind"), b.kind.label("category"), cast(null(), Text).label("title"),
        b.sent_at.label("at"), b.position).where(b.community_id == community_id)
    both = union_all(own, sent).subquery().c
    query = select(*both, r.read_at).join_from(receipts, both.id.table, r.notice_id == both.id).where(
        r.community_id == community_id, r.resident_id == resident_id)
    query = query.where(both.position < before) if before is not None else query
    return query.order_by(both.position.desc()).limit(limit + 1)


def _meant_for(community_id: UUID, resident_id: UUID) -> Any:
    """It was sent to them, whether it reached them or not."""
    t = told.c
    return select(t.channel).where(
        t.community_id == community_id, t.broadcast_id == broadcasts.c.broadcast_id, t.resident_id == resident_id).exists()


def _still_for(community_id: UUID, resident_id: UUID) -> Any:
    """Nobody has said yet whether it reached them; it is to the building where they live."""
    c, b = circles.c, broadcasts.c
    return b.ended_at.is_(None) & select(c.circle_id).where(
        c.community_id == community_id, c.resident_id == resident_id, c.building_id == b.building_id).exists()


def reaching(community_id: UUID, circle_ids: Sequence[UUID], building_ids: Sequence[UUID], most: int) -> Select[Any]:
    """The ids of notices and broadcasts that a resident still has before them, the newest."""
    n, b = notices.c, broadcasts.c
    own = select(n.notice_id.label("id"), n.position).where(
        n.community_id == community_id, n.circle_id.in_(circle_ids), n.withdrawn_at.is_(None))
    sent = select(b.broadcast_id.label("id"), b.position).where(
        b.community_id == community_id, b.building_id.in_(building_ids), b.ended_at.is_(None))
    both = union_all(own, sent).subquery().c
    return select(both.id, func.max(both.position).label("position")).group_by(both.id).order_by(
        func.max(both.position).desc()).limit(most)
