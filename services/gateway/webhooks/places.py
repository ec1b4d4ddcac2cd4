"""How far each webhook has come: a checkpoint for each place where it was begun, moved when the receiver has said 2xx.

A place that a resend begins is another checkpoint: nobody has to move one that somebody else moves, and the log says where it begins.
"""

from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.log import Log
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.gateway.api.incident_events import WINDOW, named, own_events
from services.gateway.domain.webhooks import Target

COUNTED, LOOKED_AT = 1000, 10 * WINDOW
"""What stands behind is counted so far, among so many rows."""
_BEGIN = "insert into checkpoints (name, position) values ($1, $2) on conflict (name) do nothing"
_NOT_BEYOND = "update checkpoints set position = $2 where name = $1 and position > $2"
_STANDS = "select position from checkpoints where name = $1"
_MOVE = "update checkpoints set position = $3, moved_at = clock_timestamp() where name = $1 and position = $2"
_SKIP = "update checkpoints set position = $3 where name = $1 and position = $2"
_FORGET = "delete from checkpoints where starts_with(name, $1) and name <> $2"
_LATEST = (
    "select position, event_id from events where community_id = $1 and position > $2 and position <= $3 and source is null"
    " and type = any($4) and starts_with(data->>'division_code', $5) order by position desc limit 1")
_COUNT = (
    "select count(*) from (select from events where community_id = $1 and position > $2 and position <= $3 and source is null"
    " and type = any($4) and starts_with(data->>'division_code', $5) limit $6) t")


def name_of(webhook_id: UUID, starts: int) -> str:
    return f"webhook:{webhook_id}:{starts}"


class Moved(Exception):
    """Somebody else has moved it."""


class Course(Struct):
    """A webhook's way along the log. `position`: behind which nothing has been taken; `looked`: up to where nothing more is for it."""

    app: App
    webhook_id: UUID
    community_id: UUID
    target: Target
    position: int = 0
    looked: int = 0

    @property
    def name(self) -> str:
        return name_of(self.webhook_id, self.target.starts)

    async def begin(self) -> None:
        """Where it stands; where it stood before it was begun anew is forgotten."""
        pool = await self.app.database.pool()
        await pool.execute(_BEGIN, self.name, self.target.after)
        await pool.execute(_FORGET, f"webhook:{self.webhook_id}:", self.name)
        await pool.execute(_NOT_BEYOND, self.name, await self.app.log.last())  # the log was restored to an earlier state
        self.position = self.looked = await pool.fetchval(_STANDS, self.name)

    async def next(self, limit: int) -> list[Recorded]:
        """None at the log's end. Memory holds one page."""
        more, rows = True, list[Recorded]()
        while more and not rows:
            rows, upto, more = await own_events(
                self.app, self.community_id, self.looked, named(self.target.types), limit, self.target.division_code)
            self.looked = upto if not rows else rows[0].position - 1
            if self.looked - self.position >= WINDOW:
                await self._to(_SKIP, self.looked)
        return rows

    async def taken(self, row: Recorded) -> None:
        """Raises Moved."""
        await self._to(_MOVE, row.position)
        self.looked = row.position

    async def _to(self, query: str, position: int) -> None:
        pool = await self.app.database.pool()
        if await pool.execute(query, self.name, self.position, position) != "UPDATE 1":
            raise Moved(self.name)
        self.position = position


async def standing(app: App, community_id: UUID, webhook_id: UUID, target: Target) -> dict[str, Any]:
    """What was delivered last and when, and how much stands behind (counted to a thousand)."""
    pool, end = await app.database.pool(), await app.log.last()
    row = await pool.fetchrow(
        "select position, moved_at from checkpoints where name = $1", name_of(webhook_id, target.starts))
    position = row["position"] if row else target.after
    names = named(target.types)
    last = await pool.fetchrow(_LATEST, community_id, target.after, position, names, target.division_code)
    upto = min(position + LOOKED_AT, end)
    behind = await pool.fetchval(_COUNT, community_id, position, upto, names, target.division_code, COUNTED)
    return {
        "delivered": {"event_id": last["event_id"], "at": row["moved_at"]} if last and row else None,
        "behind": behind, "behind_at_least": behind >= COUNTED or upto < end}


async def forget(log: Log, webhook_id: UUID) -> None:
    await (await log.database.pool()).execute(_FORGET, f"webhook:{webhook_id}:", "")
