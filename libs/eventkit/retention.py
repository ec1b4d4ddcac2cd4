"""Retention: what has served its purpose is blanked where it stands, by class and age; an own event says so, and views fold it."""
import asyncio
import hashlib
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from msgspec import Struct
from libs.eventkit.db import Database
from libs.eventkit.failpoints import reach
from libs.eventkit.recorded import tag_of
from libs.eventkit.subscriptions import holding

log = logging.getLogger(__name__)
PAGE, LOOK, DAILY = 2000, 3600.0, timedelta(hours=20)  # rows; seconds between looks; after which a class is due again

class Retired(Struct, frozen=True, tag="retired"):
    """Of the rows `first` … `upto` of this community, `count` of these types, older than `before`, are blanked, as class `name` says."""
    name: str
    types: tuple[str, ...]
    first: int
    upto: int
    count: int
    before: datetime

class Retention(Struct, frozen=True):
    """A class: rows of heard contracts, and whole own streams of these categories, whose last event is so many `days` old; where `ends`
    names types, only those in which one of them has happened. LIFANG_RETENTION_<NAME> sets other days."""
    name: str
    days: int
    heard: tuple[type[Struct], ...] = ()
    own: tuple[str, ...] = ()
    ends: tuple[type[Struct], ...] = ()

    def age(self) -> timedelta:
        """Raises ValueError for days that are no whole number above zero."""
        if (days := int(os.environ.get(f"LIFANG_RETENTION_{self.name.upper()}", self.days))) < 1:
            raise ValueError(f"retention of {self.name}: {days} days")
        return timedelta(days=days)

async def retire(database: Database, classes: Sequence[Retention], readers: Sequence[str], now: datetime, dry: bool = False,
                 since: datetime | None = None) -> dict[str, int]:
    """Blanks what is over and too old, of the classes not looked at `since`; how many rows, by class. Page by page: a crash costs one."""
    pool, found = await database.pool(), dict[str, int]()
    for one in classes:
        what, before = [list(one.own), [tag_of(t) for t in one.ends], [tag_of(t) for t in one.heard]], now - one.age()
        reader = f"retire:{one.name}:{hashlib.sha256(repr(what).encode()).hexdigest()[:8]}"  # another definition begins at the beginning
        await pool.execute("insert into checkpoints values ($1, 0, 'epoch') on conflict do nothing", reader)
        at, moved = await pool.fetchrow("select position, moved_at from checkpoints where name = $1", reader)  # type: ignore[misc]
        if since is not None and moved > since:
            continue
        while True:
            upto = await pool.fetchval("select retirable($1)", list(readers)) or 0
            arguments = (one.name, reader, *what, before, at, max(at, upto), PAGE, dry)
            reached, blanked = await pool.fetchrow("select * from retire_page($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)", *arguments)  # type: ignore[misc]
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
                log.info("retention of %s: %d rows", name, rows)
            await asyncio.sleep(LOOK)
    await holding(database, "retention", work)
