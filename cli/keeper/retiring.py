"""What has served its purpose is blanked where it stands, and what nobody asks for any more is removed."""

import asyncio
import hashlib
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from libs.eventkit.db import Database
from libs.eventkit.failpoints import reach
from libs.eventkit.recorded import Retention, tag_of
from libs.eventkit.subscriptions import holding

log = logging.getLogger(__name__)
PAGE = 2000
"""Rows."""
LOOK = 3600.0
"""Seconds between two looks."""
DAILY = timedelta(hours=20)
"""After which a class is due again."""
RETIRE = "select * from retire_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
OLD_OUTCOMES = "delete from outcomes where recorded_at < now() - interval '7 days'"


def age_of(one: Retention) -> timedelta:
    """Raises ValueError for days that are no whole number, or below what the class needs."""
    if (days := int(os.environ.get(f"LIFANG_RETENTION_{one.name.upper()}", one.days))) < one.least:
        raise ValueError(f"retention of {one.name}: {days} days, at least {one.least}")
    return timedelta(days=days)


async def retire(database: Database, classes: Sequence[Retention], readers: Sequence[str], now: datetime, dry: bool = False,
                 since: datetime | None = None) -> dict[str, int]:
    """Blanks what is over and too old, of the classes not looked at `since`; how many rows, by class. Page by page: a crash costs one."""
    pool, found = await database.pool(), dict[str, int]()
    for one in classes:
        what, before = [list(one.own), [tag_of(t) for t in one.ends], [tag_of(t) for t in one.heard]], now - age_of(one)
        reader = f"retire:{one.name}:{hashlib.sha256(repr(what).encode()).hexdigest()[:8]}"  # another definition begins at the beginning
        await pool.execute("insert into checkpoints values ($1, 0, 'epoch') on conflict do nothing", reader)
        at, moved = await pool.fetchrow("select position, moved_at from checkpoints where name = $1", reader)  # type: ignore[misc]
        if since is not None and moved > since:
            continue
        while True:
            upto = await pool.fetchval("select retirable($1)", list(readers)) or 0
            arguments = (one.name, reader, *what, before, at, max(at, upto), PAGE, dry)
            reached, blanked = await pool.fetchrow(RETIRE, *arguments)  # type: ignore[misc]
            found[one.name] = found.get(one.name, 0) + blanked
            reach("retention.page")
            if reached < at + PAGE:
                break
            at = reached
    return found


async def retire_daily(database: Database, classes: Sequence[Retention], readers: Sequence[str]) -> None:
    """For ever, one process at a time. What a class has blanked is in the log."""

    async def work() -> None:
        while True:
            now = datetime.now(UTC)
            for name, rows in (await retire(database, classes, readers, now, since=now - DAILY)).items():
                log.info("retention of %s in %s: %d rows", name, database.settings.service, rows)
            await asyncio.sleep(LOOK)

    await holding(database, "retention", work)


async def clean(database: Database) -> None:
    """For ever: answers to commands that nobody repeats any more."""
    while True:
        await (await database.pool()).execute(OLD_OUTCOMES)
        await asyncio.sleep(LOOK)
