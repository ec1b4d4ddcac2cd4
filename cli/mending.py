"""What mends a service from beside it, while it runs: parked events tried again, keys wrapped anew."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from cli.keeper.retiring import age_of, retire
from libs.eventkit.log import Log
from libs.eventkit.privacy import KEY_COLUMNS, Keks, KeyRecord, encrypt
from libs.eventkit.reactions import Reactor
from libs.eventkit.service import App


async def retry(reactor: Reactor, key: str) -> int:
    """Handles what is parked under the key, in order, until one fails again; returns how many went through."""
    pool, log, name = await reactor.database.pool(), Log(reactor.database), reactor.reaction.name
    handled = 0
    while parked := await pool.fetchrow(
            "select position, event_id from parked where subscription = $1 and key = $2 order by position limit 1", name, key):
        row = await log.event(parked["event_id"])
        assert row is not None
        try:
            event = reactor.catalogue.read(row)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:200]
        else:
            reason = await reactor.tried(event, row)
        if reason:
            await pool.execute(
                "update parked set reason = $3 where subscription = $1 and position = $2", name, parked["position"], reason)
            break
        await pool.execute("delete from parked where subscription = $1 and position = $2", name, parked["position"])
        handled += 1
    return handled


async def rewrap(pool: asyncpg.Pool, owner: str, keks: Keks, purpose: str) -> AsyncIterator[KeyRecord]:
    """Wraps the owner's keys by the current key-encryption key. For each one yielded the caller appends `key_created`
    and marks it announced; a second run yields those that a crash left out. Raises MissingKek."""
    (kek_id, kek), after = keks.current(purpose), UUID(int=0)
    while rows := await pool.fetch(
        f"select {KEY_COLUMNS} from keys where owner = $1 and purpose = $2 and key_id > $3 and erased_at is null"
        " and (kek_id <> $4 or announced_at is null) order by key_id limit 500", owner, purpose, after, kek_id,
    ):
        for record in (KeyRecord(*row) for row in rows):
            after = record.key_id
            if record.kek_id != kek_id:
                await pool.execute(
                    "update keys set kek_id = $2, wrapped = $3, announced_at = null where key_id = $1 and erased_at is null",
                    after, kek_id, encrypt(kek, keks.unwrap(record), record.bound))
            yield record


async def retire_now(app: App, dry: bool) -> dict[str, Any]:
    """Every class of the service, due or not; with `dry` nothing is done, and what would be is counted."""
    classes, now = app.service.retention, datetime.now(UTC)
    rows = await retire(app.database, classes, list(app.checkpoints()), now, dry)
    return {
        "service": app.service.name, "dry_run": dry, "classes": [
            {"name": one.name, "days": age_of(one).days, "before": now - age_of(one), "rows": rows.get(one.name, 0)} for one in classes]}
