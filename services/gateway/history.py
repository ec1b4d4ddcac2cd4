"""What the gateway has shown at another time: the log of one community folded in memory up to a position, by the projections that
fold it live; then the very same queries on it. Nothing is kept for it, and nothing is written."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Protocol, get_args
from uuid import UUID

import msgspec
from fastapi import Query
from sqlalchemy.sql import ClauseElement

from libs.contracts import access, alarm, identity, parking
from libs.contracts.permissions import HISTORY_READ
from libs.eventkit.auth import Principal
from libs.eventkit.db import Ready, ready
from libs.eventkit.http import EARLIEST
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import COLUMNS, Recorded, tag_of
from libs.eventkit.service import App
from libs.eventkit.views import Fold, View
from services.gateway.views import incidents, installed, lanes, my_doors, my_home, stays
from services.gateway.views.doors import DOORS

MOST = 50_000
"""Events that one look back folds at most."""
PATIENCE = 10.0
"""Seconds that it takes at most, waiting for its turn included."""
AT_ONCE = 2
CHUNK = 200
"""Events that are folded before live requests have their turn again: some milliseconds."""
TYPES: Mapping[str, tuple[type, ...]] = {
    my_home.PLACES.name: (identity.BuildingRegistered, identity.HomeRegistered),
    my_home.RESIDENTS.name: (identity.ResidentRegistered, identity.ResidentErased),
    my_home.RESIDENCES.name: (identity.ResidenceStarted, identity.ResidenceEnded),
    my_doors.RIGHTS.name: (access.RightGranted, access.RightRevoked),
    DOORS.name: (access.DoorInstalled,),
    incidents.INCIDENTS.name: get_args(incidents.Told),
    installed.SENSORS.name: (alarm.SensorInstalled,),
    installed.DUTIES.name: (identity.AccountOpened, identity.AccountClosed),
    lanes.LOTS.name: (parking.LotOpened,),
    stays.STAYS.name: (*get_args(stays.Told), parking.FindingRaised),
}
"""Of which events a view is made: a door is used a thousand times as often as a right changes. A test holds it against `reads`."""
AsOf = Annotated[str | None, Query(max_length=40, description="as it was at a position of this log, or at a moment (RFC 3339)")]

_EVENTS = (
    f"select {COLUMNS} from events where community_id = $1 and position > $2 and position <= $3 and type = any($4)"
    " order by position limit $5")


class Source(Protocol):
    """Where queries are answered from: the live tables, or a `Past`."""

    async def fetch(self, communities: Collection[UUID], query: ClauseElement | Ready) -> list[dict[str, Any]]: ...


class Past:
    """One community's part of some views, as of a position."""

    def __init__(self, app: App, position: int, at: datetime | None, generation: int | None) -> None:
        self.app, self.position, self.at, self.generation = app, position, at, generation
        self._rows: dict[str, str] = {}

    @property
    def as_of(self) -> dict[str, Any]:
        return {"position": self.position, "at": self.at, "generation": self.generation}

    @property
    def now(self) -> datetime:
        return self.at or datetime.now(UTC)

    async def fold(self, community_id: UUID, views: Sequence[View]) -> None:
        """Raises Problem 422 where there is more than one look back may fold."""
        folds, types = [Fold(view) for view in views], [tag_of(kind) for view in views for kind in TYPES[view.name]]
        pool, position, count = await self.app.database.pool(), 0, 0
        while records := await pool.fetch(_EVENTS, community_id, position, self.position, types, CHUNK):
            position, count = records[-1]["position"], count + len(records)
            if count > MOST:
                raise Problem(422, "history_too_long", "ask for an earlier moment", most=MOST)
            for row in map(Recorded.of, records):
                for fold in folds:
                    fold.take(self.app.catalogue, row)
        for fold in folds:
            rows = [{**row, "community_id": community_id} for row in fold.rows()]
            self._rows[fold.view.name] = msgspec.json.encode(rows).decode()

    async def fetch(self, communities: Collection[UUID], query: ClauseElement | Ready) -> list[dict[str, Any]]:
        """As `Database.fetch`: each table is hidden by rows of its name. Raises LookupError for one that is not folded."""
        text, values = ready(query)
        named = [view.name for view in self.app.service.views if re.search(rf"\b{view.name}\b", text)]
        if missing := [name for name in named if name not in self._rows]:
            raise LookupError(f"not folded: {missing}")
        hiding = ", ".join(
            f"{name} as materialized (select * from json_populate_recordset(null::{name}, ${n}::json))"
            for n, name in enumerate(named, len(values) + 1))
        given = [self._rows[name] for name in named]
        return await self.app.database.rows((), f"with {hiding} {text}", [*values, *given])  # of the live tables it sees nothing


@cache
def turns_of(app: App) -> asyncio.Semaphore:
    return asyncio.Semaphore(AT_ONCE)


async def past(app: App, community_id: UUID, as_of: str, views: Sequence[View]) -> Past:
    """These views as of a position or moment. Raises Problem 422: `as_of_malformed`, `as_of_in_the_future`, `history_too_long`."""
    found = await place_of(app, as_of)
    try:
        async with asyncio.timeout(PATIENCE), turns_of(app):
            await found.fold(community_id, views)
    except TimeoutError:
        raise Problem(422, "history_too_long", "ask for an earlier moment", seconds=PATIENCE) from None
    return found


async def place_of(app: App, as_of: str) -> Past:
    """A moment is the last position that was recorded by then; before the first one there was nothing. Raises Problem 422."""
    pool, moment = await app.database.pool(), None
    if re.fullmatch(r"[0-9]{1,18}", as_of):
        position = int(as_of)
        if position > await app.log.last():
            raise Problem(422, "as_of_in_the_future")
    else:
        moment = _moment(as_of)
        if moment > datetime.now(UTC):
            raise Problem(422, "as_of_in_the_future")
        position = int(await pool.fetchval("select position_at($1)", moment))
    row = await pool.fetchrow("select generation, recorded_at from events where position = $1", position)
    at, generation = (row["recorded_at"], row["generation"]) if row else (None, None)
    return Past(app, position, moment or at, generation)


async def source(app: App, community_id: UUID, as_of: str | None, views: Sequence[View]) -> tuple[Source, datetime, dict[str, Any]]:
    """Where to ask, which moment it is there, and what the answer says of that: nothing where it is now."""
    if as_of is None:
        return app.database, datetime.now(UTC), {}
    found = await past(app, community_id, as_of, views)
    return found, found.now, {"as_of": found.as_of}


def may_look_back(principal: Principal, as_of: str | None, live: str | None = None) -> None:
    """The past asks for a permission of its own, and the present (`live`) for its own. Raises Problem 403."""
    needs = HISTORY_READ if as_of is not None or live is None else live
    if needs not in principal.permissions:
        raise Problem(403, "not_permitted", needs=needs)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text))  # a plus sign that was not escaped comes as a blank
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Problem(422, "as_of_malformed", "a position of this log, or a moment with its zone (RFC 3339)")
    return max(found, EARLIEST)
