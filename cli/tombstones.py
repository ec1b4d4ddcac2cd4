"""What the topic of keys remembers and a log that was put back does not: who was erased stays erased, and the log says so again."""

import asyncio
import importlib
from datetime import UTC, datetime

from libs.eventkit.commands import Context
from libs.eventkit.erasing import EraseKey
from libs.eventkit.keys_topic import KeyErased, hear_keys
from libs.eventkit.privacy import KEY_COLUMNS, KeyRecord
from libs.eventkit.recorded import tag_of
from libs.eventkit.service import App

PATIENCE = 600.0
"""Seconds in which the topic is read to its end."""
FURTHER = ("identity",)
"""Services with a step of their own: `tombstones` in their `erasures.py`."""
UNSAID = f"""select {KEY_COLUMNS} from keys where wrapped is null and owner = $1 and not exists (
                 select from events where stream = 'key:' || key_id and type = $2) order by key_id"""


async def hear_to_the_end(app: App) -> None:
    """Stores what the topic brings: what comes as a tombstone is destroyed. Raises what Kafka says, TimeoutError where it says nothing."""
    heard = asyncio.Event()
    hearing, end = asyncio.create_task(hear_keys(app.settings, app.keyring, heard)), asyncio.create_task(heard.wait())
    try:
        await asyncio.wait((hearing, end), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            await hearing
        if not end.done():
            raise TimeoutError(f"the topic of keys was not read within {PATIENCE:.0f} s")
    finally:
        hearing.cancel()
        end.cancel()
        await asyncio.gather(hearing, end, return_exceptions=True)


async def say_what_is_missing(app: App) -> int:
    """`key_erased` for each own key that is destroyed though the log does not say so; of how many. Last of all, so that whoever is ended
    in between does the rest when it is asked again."""
    rows = await (await app.database.pool()).fetch(UNSAID, app.service.name, tag_of(KeyErased))
    records = [KeyRecord(*row) for row in rows]
    if app.service.name in FURTHER:
        await importlib.import_module(f"services.{app.service.name}.erasures").tombstones(app, records)
    for record in records:
        asked = Context(community_id=record.community_id, now=datetime.now(UTC), name="tombstone", cause=record.key_id)
        await app.commands.handle(record.key_id, EraseKey(record.key_id), asked)
    return len(records)
