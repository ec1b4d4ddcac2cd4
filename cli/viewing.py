"""What an operator does with the views of one service: fold one anew, check them, look at one as it was."""

import argparse
import re
import sys
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cli import checking, rebuilding
from libs.eventkit.service import App
from libs.eventkit.views import Fold, View

MOST = 500_000
"""Events that a look back folds at most: what it holds is in memory."""
CHUNK = 500


async def rebuilt(app: App, arguments: list[str]) -> dict[str, Any]:
    """Raises SystemExit for a view that is not there, or that cannot be rebuilt now."""
    parser = argparse.ArgumentParser(prog="rebuild")
    parser.add_argument("view", nargs="?")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    if given.check:
        views = [_view(app, given.view)] if given.view else app.service.views
        found = [await checking.check(app.database, view, app.catalogue) for view in views]
        return {"service": app.service.name, "same": all(one.same for one in found), "views": found}
    view = _view(app, given.view)
    told = rebuilding.telling(lambda text: print(text, file=sys.stderr, flush=True))
    try:
        done = await rebuilding.rebuild(app.database, view, app.catalogue, told)
    except rebuilding.Busy:
        raise SystemExit(f"{view.name} is being rebuilt already") from None
    except rebuilding.OtherShape:
        raise SystemExit(f"{view.name} is of another shape or version than this code's: start {app.service.name}, which folds it") from None
    return {"service": app.service.name, "rebuilt": done}


async def asof(app: App, arguments: list[str]) -> dict[str, Any]:
    """The rows of a view as of a position or a moment. Raises SystemExit where that is not one of this log."""
    parser = argparse.ArgumentParser(prog="asof")
    parser.add_argument("view")
    parser.add_argument("--at", required=True)
    parser.add_argument("--community", type=UUID)
    given = parser.parse_args(arguments)
    view, last, pool = _view(app, given.view), await app.log.last(), await app.database.pool()
    is_position = re.fullmatch(r"[0-9]{1,18}", given.at)
    position = int(given.at) if is_position else await pool.fetchval("select position_at($1)", _moment(given.at))
    if position > last:
        raise SystemExit(f"the log ends at {last}")
    if await pool.fetchval(
            "select count(*) from events where position <= $1 and ($2::uuid is null or community_id = $2)", position,
            given.community) > MOST:
        raise SystemExit(f"more than {MOST} events: name a community, or a time before")
    row = await pool.fetchrow("select generation, recorded_at from events where position = $1", position)
    communities = await _folded(app, view, position, given.community)
    return {
        "service": app.service.name, "view": view.name,
        "as_of": {"position": position, "at": row["recorded_at"] if row else None, "generation": row["generation"] if row else None},
        "rows": [{"community_id": i, **one} for i, fold in sorted(communities.items()) for one in fold.rows()],
        "damaged": [i for i, fold in sorted(communities.items()) if fold.failed]}


async def _folded(app: App, view: View, upto: int, community_id: UUID | None) -> dict[UUID, Fold]:
    found: defaultdict[UUID, Fold] = defaultdict(lambda: Fold(view))
    position = 0
    while position < upto and (rows := await app.log.read(position, min(CHUNK, upto - position))):
        for row in rows:
            if community_id in (None, row.community_id):
                found[row.community_id].take(app.catalogue, row)
        position = rows[-1].position
    return found


def _view(app: App, name: str | None) -> View:
    views = {view.name: view for view in app.service.views}
    if name not in views:
        raise SystemExit(f"name a view: {' '.join(sorted(views))}")
    return views[name]


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SystemExit(f"neither a position nor a moment (RFC 3339): {text}") from None
    if found.tzinfo is None:
        raise SystemExit(f"a moment needs its zone: {text}Z")
    if found > datetime.now(UTC):
        raise SystemExit("that has not been yet")
    return found
