"""Which events tell of one incident, one fire release or one broadcast: what an explanation of any of them gathers.

Not the hundreds that say of one resident each that they were told (`broadcasts.told` has those)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Select, Table, Text, Uuid, func, select

from libs.contracts.access import FireReleaseBegun
from libs.contracts.alarm import IncidentRaised
from libs.contracts.neighbors import BroadcastSent
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.gateway.stories import stories_of

EACH = 6
"""Of one type in one story, so many from the beginning and so many from the end are told."""

stories = Table(
    "gateway_stories", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("story_id", Uuid, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text), Column("opens", Boolean), Column("position", BigInteger),
    Index("gateway_stories_by_event", "community_id", "event_id"),
)


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    for story_id in stories_of(event):
        yield {"story_id": story_id, "event_id": row.event_id}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    for story_id in stories_of(event):
        rows.put(
            story_id=story_id, event_id=row.event_id, type=row.type, position=row.position, opens=_begins(event) == story_id)


def _begins(event: Any) -> UUID | None:
    match event:
        case IncidentRaised(incident_id=story_id) | FireReleaseBegun(release_id=story_id) | BroadcastSent(broadcast_id=story_id):
            return story_id
        case _:
            return None


STORIES = View(stories, project, reads)
VIEWS = (STORIES,)


def beginning(community_id: UUID, story_id: UUID) -> Select[Any]:
    """The event that began it, or else the first one known of it."""
    c = stories.c
    return select(c.event_id).where(c.community_id == community_id, c.story_id == story_id).order_by(
        c.opens.desc(), c.position).limit(1)


def related(community_id: UUID, story_ids: Iterable[UUID]) -> Select[Any]:
    """These stories, and those with which they share an event."""
    own, other = stories.alias("own").c, stories.alias("other").c
    return select(other.story_id).distinct().where(
        own.community_id == community_id, own.story_id.in_(list(story_ids)), other.community_id == community_id,
        other.event_id == own.event_id)


def events_of(community_id: UUID, story_ids: Iterable[UUID]) -> Select[Any]:
    """Their events in the order of the log; of many of one type the first and the last."""
    c = stories.c
    where = (c.community_id == community_id, c.story_id.in_(list(story_ids)))
    of = (c.story_id, c.type)
    ranked = select(
        c.event_id, c.position,
        func.row_number().over(partition_by=of, order_by=c.position).label("first"),
        func.row_number().over(partition_by=of, order_by=c.position.desc()).label("last")).where(*where).subquery()
    r = ranked.c
    return select(r.event_id, func.min(r.position).label("position")).where(
        (r.first <= EACH) | (r.last <= EACH)).group_by(r.event_id).order_by(func.min(r.position))
