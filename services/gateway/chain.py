"""Gathers from the gateway's log what an explanation rests on: backwards by id, forwards in a window of the log."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from libs.contracts.access import CredentialJudged, DoorOpened, DoorOpeningFailed, DoorOpeningOrdered
from libs.contracts.parking import (
    BarrierOrdered,
    Billed,
    PassageJudged,
    PaymentReceived,
    SessionBegun,
    SessionEnded,
    SessionQuarantined,
    SessionRecognised,
)
from libs.eventkit.recorded import COLUMNS, NOWHERE, Recorded
from libs.eventkit.service import App
from services.gateway.explaining import Known, causes, following
from services.gateway.sentences import building_of
from services.gateway.tail import readable
from services.gateway.views import door_events, doors, lanes, my_home

MOST = 100
"""Events in one explanation."""
BEFORE, AFTER = 500, 5000
"""Rows around an event in which its effects are looked for: orders live for seconds; topics are heard independently."""

_BY_ID = f"select {COLUMNS} from events where event_id = any($1::uuid[]) and community_id = any($2::uuid[])"
_NEAR = (
    "select event_id, meta ->> 'subject' as subject, coalesce(meta ->> 'caused_by', '[]') as caused_by from events"
    " where community_id = $1 and position > $2 and position <= $3")
_BY_SUBJECT = (
    f"select {COLUMNS} from events where community_id = $1 and right(meta ->> 'subject', 36) = $2"
    " and position > (select max(position) from events) - $3 order by position limit 1")
_STORIES = (
    CredentialJudged, DoorOpeningOrdered, DoorOpened, DoorOpeningFailed, PassageJudged, BarrierOrdered, SessionBegun,
    SessionRecognised, SessionQuarantined, Billed, PaymentReceived, SessionEnded)
"""Events of one subject that tell one story: what happened there next belongs to the answer."""


async def asked_for(app: App, community_id: UUID, of: UUID) -> Known | None:
    """The event of that id, or the one that ordered the opening of that id, or the first about it of late."""
    found = await _fetch(app, community_id, [of])
    if not found:
        rows = await app.database.fetch([community_id], door_events.opening(community_id, of))
        found = await _fetch(app, community_id, [row["event_id"] for row in rows])
    if not found:
        pool = await app.database.pool()
        found = _known(app, await pool.fetch(_BY_SUBJECT, community_id, str(of), AFTER))
    return next((k for k in found if k.row.community_id == community_id), None)


async def chain_of(app: App, asked: Known) -> dict[UUID, Known]:
    """What followed from it, and all that it and they rest on."""
    community_id, position = asked.row.community_id, asked.row.position
    pool = await app.database.pool()
    near = await pool.fetch(_NEAR, community_id, position - BEFORE, position + AFTER)
    after = following(
        asked.row.event_id,
        ((row["event_id"], msgspec.json.decode(row["caused_by"], type=list[UUID])) for row in near), MOST // 2)
    told = [row["event_id"] for row in near if row["subject"] == asked.row.subject] if asked.row.subject else []
    known = {asked.row.event_id: asked}
    wanted = [*(told if isinstance(asked.event, _STORIES) else ()), *after, *causes(asked)]
    while wanted and len(known) < MOST:
        fetched = await _fetch(app, community_id, wanted[:MOST - len(known)])
        known.update((k.row.event_id, k) for k in fetched)
        wanted = [i for i in dict.fromkeys(c for k in fetched for c in causes(k)) if i not in known]
    return known


async def opener_of(app: App, community_id: UUID, opening_id: UUID) -> UUID | None:
    """Whom an opening was for."""
    rows = await app.database.fetch([community_id], door_events.opening(community_id, opening_id))
    return rows[0]["person_id"] if rows else None


async def names_in(app: App, community_id: UUID, known: Iterable[Known], homes: bool) -> Mapping[UUID, str]:
    """Of the doors and devices that are spoken of; of homes only where the reader may know who lives where."""
    events = [k.event for k in known]
    places = _ids(events, lambda event: getattr(event, "home_id", None)) if homes else set()
    rows: list[dict[str, Any]] = []
    for wanted, query in (
        (_ids(events, lambda event: getattr(event, "door_id", None)), doors.doors_named),
        (_ids(events, lambda event: getattr(event, "device_id", None)), doors.devices_named),
        (_ids(events, lambda event: getattr(event, "lane_id", None)), lanes.lanes_named),
        (_ids(events, lambda event: getattr(event, "lot_id", None)), lanes.lots_named),
        (_ids(events, building_of) | places, my_home.places_named),
    ):
        rows += await app.database.fetch([community_id], query(community_id, wanted)) if wanted else []
    return {row["id"]: row["name"] for row in rows}


def _ids(events: list[Any], of: Callable[[Any], UUID | None]) -> set[UUID]:
    return {named for event in events if (named := of(event)) is not None}


async def _fetch(app: App, community_id: UUID, ids: list[UUID]) -> list[Known]:
    pool = await app.database.pool()
    return _known(app, await pool.fetch(_BY_ID, ids, [community_id, NOWHERE]))


def _known(app: App, records: list[asyncpg.Record]) -> list[Known]:
    rows = [Recorded.of(record) for record in records]
    return [Known(row, event) for row in rows if (event := readable(app.catalogue, row)) is not None]
