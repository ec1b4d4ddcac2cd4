"""Gathers from the gateway's log what an explanation rests on: backwards by id, forwards in a window of the log."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from libs.eventkit.recorded import COLUMNS, NOWHERE, Recorded
from libs.eventkit.service import App
from services.gateway.explaining import Known, causes, following
from services.gateway.sentences import building_of
from services.gateway.tail import readable
from services.gateway.views import door_events, doors, my_home

MOST = 100
"""Events in one explanation."""
BEFORE, AFTER = 500, 5000
"""Rows around an event in which its effects are looked for: orders live for seconds; topics are heard independently."""

_BY_ID = f"select {COLUMNS} from events where event_id = any($1::uuid[]) and community_id = any($2::uuid[])"
_CAUSES = (
    "select event_id, (meta -> 'caused_by')::text as caused_by from events where community_id = $1"
    " and position > $2 and position <= $3 and meta -> 'caused_by' is not null")


async def asked_for(app: App, community_id: UUID, of: UUID) -> Known | None:
    """The event of that id, or the one that ordered the opening of that id."""
    found = await _fetch(app, community_id, [of])
    if not found:
        rows = await app.database.fetch([community_id], door_events.opening(community_id, of))
        found = await _fetch(app, community_id, [row["event_id"] for row in rows])
    return next((k for k in found if k.row.community_id == community_id), None)


async def chain_of(app: App, asked: Known) -> dict[UUID, Known]:
    """What followed from it, and all that it and they rest on."""
    community_id, position = asked.row.community_id, asked.row.position
    pool = await app.database.pool()
    near = await pool.fetch(_CAUSES, community_id, position - BEFORE, position + AFTER)
    after = following(
        asked.row.event_id,
        ((row["event_id"], msgspec.json.decode(row["caused_by"], type=list[UUID])) for row in near), MOST // 2)
    known = {asked.row.event_id: asked}
    wanted = [*after, *causes(asked)]
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
        (_ids(events, building_of) | places, my_home.places_named),
    ):
        rows += await app.database.fetch([community_id], query(community_id, wanted)) if wanted else []
    return {row["id"]: row["name"] for row in rows}


def _ids(events: list[Any], of: Callable[[Any], UUID | None]) -> set[UUID]:
    return {named for event in events if (named := of(event)) is not None}


async def _fetch(app: App, community_id: UUID, ids: list[UUID]) -> list[Known]:
    pool = await app.database.pool()
    rows = [Recorded.of(row) for row in await pool.fetch(_BY_ID, ids, [community_id, NOWHERE])]
    return [Known(row, event) for row in rows if (event := readable(app.catalogue, row)) is not None]
