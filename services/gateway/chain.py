"""Gathers from the gateway's log what an explanation rests on: backwards by id, forwards in a window of the log, and what belongs to
the same incident, fire release or broadcast wherever it stands."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
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
from libs.eventkit.recorded import COLUMNS, NOWHERE, Recorded, tag_of
from libs.eventkit.service import App
from services.gateway.audience import persons_of
from services.gateway.explaining import Known, causes, following
from services.gateway.publishing import publish
from services.gateway.sentences import building_of
from services.gateway.stories import CROWDS, stories_of
from services.gateway.tail import readable
from services.gateway.told import Told
from services.gateway.views import broadcasts, door_events, doors, installed, lanes, my_home, stories
from services.gateway.words.names import Gone

MOST, NOT_TOLD, ABOUT_IT = 200, 50, 8
"""Events in one explanation; of those, events that say of one resident that nothing reached them. Events about an id that are tried."""
BEFORE, AFTER = 500, 5000
"""Rows around an event in which its effects are looked for: orders live for seconds; topics are heard independently."""

_BY_ID = f"select {COLUMNS} from events where event_id = any($1::uuid[]) and community_id = any($2::uuid[])"
_BY_POSITION = "select event_id, position from events where position = any($1::bigint[]) and community_id = $2"
_NEAR = (
    "select event_id, meta ->> 'subject' as subject, coalesce(meta ->> 'caused_by', '[]') as caused_by from events"
    " where community_id = $1 and position > $2 and position <= $3 and type <> all($4)")
_BY_SUBJECT = (
    f"select {COLUMNS} from events where community_id = $1 and right(meta ->> 'subject', 36) = $2"
    " and position > (select max(position) from events) - $3 order by position limit $4")
_STORIES = (
    CredentialJudged, DoorOpeningOrdered, DoorOpened, DoorOpeningFailed, PassageJudged, BarrierOrdered, SessionBegun,
    SessionRecognised, SessionQuarantined, Billed, PaymentReceived, SessionEnded)
"""Events of one subject that tell one story: what happened there next belongs to the answer."""
_CROWDS = [tag_of(kind) for kind in CROWDS]


async def asked_for(
    app: App, community_id: UUID, of: UUID, theirs: Callable[[Known], Awaitable[bool]] | None = None,
) -> Known | None:
    """The event of that id, or the one that ordered the opening of that id, or began that incident, fire release or broadcast, or
    the first about it of late. Where one of these is not `theirs` the next one is tried: a silent alarm has the id of the opening
    that it comes from, and must not be noticed by what is not answered."""
    async for found in _candidates(app, community_id, of):
        for k in found:
            if k.row.community_id == community_id and (theirs is None or await theirs(k)):
                return k
    return None


async def _candidates(app: App, community_id: UUID, of: UUID) -> AsyncIterator[list[Known]]:
    yield await _fetch(app, community_id, [of])
    for query in (door_events.opening, stories.beginning):
        rows = await app.database.fetch([community_id], query(community_id, of))
        yield await _fetch(app, community_id, [row["event_id"] for row in rows])
    pool = await app.database.pool()
    yield _known(app, await pool.fetch(_BY_SUBJECT, community_id, str(of), AFTER, ABOUT_IT))


async def chain_of(app: App, asked: Known) -> tuple[dict[UUID, Known], dict[UUID, Told]]:
    """What followed from it, and all that it and they rest on; and whom the broadcasts among them reached."""
    community_id, position = asked.row.community_id, asked.row.position
    pool = await app.database.pool()
    near = await pool.fetch(_NEAR, community_id, position - BEFORE, position + AFTER, _CROWDS)
    after = following(
        asked.row.event_id,
        ((row["event_id"], msgspec.json.decode(row["caused_by"], type=list[UUID])) for row in near), MOST // 4)
    same = [row["event_id"] for row in near if row["subject"] == asked.row.subject] if asked.row.subject else []
    told: dict[UUID, Told] = {}
    in_story: list[UUID] = []
    if begun := stories_of(asked.event) or _broadcast_of(asked.event):
        ids = await _related(app, community_id, begun)
        told = await reached(app, community_id, ids)
        rows = await app.database.fetch([community_id], stories.events_of(community_id, ids))
        in_story = [row["event_id"] for row in rows][:MOST // 2]
    known = {asked.row.event_id: asked}
    wanted = [*(same if isinstance(asked.event, _STORIES) else ()), *causes(asked), *in_story, *after]
    wanted += [event_id for each in told.values() for event_id in each.events]
    while wanted and len(known) < MOST:
        fetched = await _fetch(app, community_id, wanted[:MOST - len(known)])
        known.update((k.row.event_id, k) for k in fetched)
        wanted = [i for i in dict.fromkeys(c for k in fetched for c in causes(k)) if i not in known]
    return known, told


async def _related(app: App, community_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    """These stories, those told with them (the incident of a release), and those told with those (its broadcast)."""
    found = set(ids)
    for _ in range(2):
        found |= {row["story_id"] for row in await app.database.fetch([community_id], stories.related(community_id, found))}
    return found


def _broadcast_of(event: Any) -> tuple[UUID, ...]:
    named = getattr(event, "broadcast_id", None)
    return (named,) if named is not None else ()


async def reached(app: App, community_id: UUID, broadcast_ids: Iterable[UUID]) -> dict[UUID, Told]:
    """Of each broadcast among these ids, how many were told, and which events say so."""
    ids = list(broadcast_ids)
    rows = await app.database.fetch([community_id], broadcasts.counted(community_id, ids))
    if not rows:
        return {}
    pool = await app.database.pool()
    ends = {position for row in rows if row["reason"] is None for position in (row["first"], row["last"])}
    at = {row["position"]: row["event_id"] for row in await pool.fetch(_BY_POSITION, sorted(ends), community_id)}
    missed = await app.database.fetch([community_id], broadcasts.not_told(community_id, ids, NOT_TOLD))
    found: dict[UUID, Told] = {}
    for broadcast_id in {row["broadcast_id"] for row in rows}:
        own = [row for row in rows if row["broadcast_id"] == broadcast_id]
        first_last = [at[p] for row in own if row["reason"] is None for p in (row["first"], row["last"]) if p in at]
        found[broadcast_id] = Told(
            told=sum(row["residents"] for row in own if row["reason"] is None),
            not_told={row["reason"]: row["residents"] for row in own if row["reason"] is not None},
            events=tuple(dict.fromkeys((
                *first_last, *(row["event_id"] for row in missed if row["broadcast_id"] == broadcast_id)))))
    return found


async def opener_of(app: App, community_id: UUID, opening_id: UUID) -> UUID | None:
    """Whom an opening was for."""
    rows = await app.database.fetch([community_id], door_events.opening(community_id, opening_id))
    return rows[0]["person_id"] if rows else None


async def names_in(app: App, community_id: UUID, known: Iterable[Known], homes: bool) -> Mapping[UUID, str]:
    """Of the doors and devices that are spoken of; of homes only where the reader may know who lives where; of who acted, the role;
    and who of those that are spoken of was erased."""
    events = [k.event for k in known]
    places = _ids(events, lambda event: getattr(event, "home_id", None) or _at(event, "home_id")) if homes else set()
    buildings = _ids(events, building_of) | _ids(events, lambda event: _at(event, "building_id"))
    acting = _ids(events, lambda event: getattr(event, "by", None)) | _ids(events, lambda event: getattr(event, "raised_by", None))
    openings = _ids(events, lambda event: getattr(event, "door_id", None))
    people = {person for event in events for person in persons_of(event)} | acting
    rows: list[dict[str, Any]] = []
    for wanted, query in (
        (openings, doors.doors_named),
        (openings, installed.lifts_named),
        (_ids(events, lambda event: getattr(event, "device_id", None)), doors.devices_named),
        (_ids(events, lambda event: getattr(event, "lane_id", None)), lanes.lanes_named),
        (_ids(events, lambda event: getattr(event, "lot_id", None)), lanes.lots_named),
        (buildings | places, my_home.places_named),
        (acting, installed.roles_of),
        (people, my_home.erased_among),
    ):
        rows += await app.database.fetch([community_id], query(community_id, wanted)) if wanted else []
    return {row["id"]: row["name"] for row in rows}


def _at(event: Any, name: str) -> UUID | None:
    found: UUID | None = getattr(getattr(event, "place", None), name, None)
    return found


def _ids(events: list[Any], of: Callable[[Any], Any]) -> set[UUID]:
    return {named for event in events if isinstance(named := of(event), UUID)}


async def _fetch(app: App, community_id: UUID, ids: list[UUID]) -> list[Known]:
    pool = await app.database.pool()
    return _known(app, await pool.fetch(_BY_ID, ids, [community_id, NOWHERE]))


def _known(app: App, records: list[asyncpg.Record]) -> list[Known]:
    """Own events as authorities are told them; those that nobody is told are no part of an answer."""
    found: list[Known] = []
    for row in map(Recorded.of, records):
        gone = row.meta.retired is not None and row.source is not None
        event = Gone(row.type) if gone else readable(app.catalogue, row)
        if event is not None and row.source is None:
            told = publish(event, row)
            event = told[0].body if told else None
            row = msgspec.structs.replace(row, source=app.service.name, type=tag_of(event)) if told else row
        if event is not None:
            found.append(Known(row, event))
    return found
