"""What an operator does to one service, run beside it: `python -m cli.operate SERVICE OPERATION …`.

Its own process, with the service's environment; the answer is JSON on standard output.
"""

import argparse
import asyncio
import importlib
import sys
from typing import Any
from uuid import UUID

import msgspec

from cli.mending import retry, rewrap
from cli.viewing import asof, rebuilt
from libs.eventkit import obs
from libs.eventkit.envelope import PARTITIONS, read
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.privacy import Keks, KeyRing, MissingKek
from libs.eventkit.recorded import Meta, tag_of, uuid7
from libs.eventkit.relay import last_records
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for

OPERATIONS = ("rebuild", "asof", "parked", "republish", "restored", "rewrap")


async def operate(app: App, operation: str, arguments: list[str]) -> dict[str, Any]:
    """Does it and says what was done. Raises SystemExit for arguments that fit nothing."""
    try:
        pool = await app.database.pool()
        app.keyring = KeyRing(pool, app.service.name, Keks.load(app.settings.secrets))
        match operation:
            case "rebuild":
                return await rebuilt(app, arguments)
            case "asof":
                return await asof(app, arguments)
            case "parked":
                return await _parked(app, arguments)
            case "republish":
                return await _republish(app)
            case "rewrap":
                return await _rewrap(app, " ".join(arguments))
            case _:
                return await _restored(app)
    finally:
        await app.close()


async def _parked(app: App, arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="parked")
    parser.add_argument("action", choices=("list", "retry", "skip"))
    parser.add_argument("--key")
    parser.add_argument("--event", type=UUID)
    parser.add_argument("--reason")
    given = parser.parse_args(arguments)
    pool = await app.database.pool()
    if given.action == "list":
        rows = await pool.fetch(
            "select subscription, key, count(*) as events, min(since) as since, (array_agg(event_id order by position))[1] as first,"
            " (array_agg(reason order by position))[1] as reason from parked group by subscription, key order by min(since)")
        return {"parked": [dict(r) for r in rows]}
    if given.action == "skip":
        if not (given.event and given.reason):
            raise SystemExit("skip needs --event ID and --reason TEXT")
        done = await pool.execute("delete from parked where event_id = $1", given.event)
        if done == "DELETE 0":
            raise SystemExit(f"nothing is parked for event {given.event}")
        return {"skipped": int(done.split()[1]), "event": given.event, "reason": given.reason}
    keys = await pool.fetch(
        "select distinct subscription, key from parked where $1::text is null or key = $1", given.key)
    reactors = {r.reaction.name: r for r in app.reactors}
    for memory in app.memories:
        await memory.catch_up()
    return {"retried": {f"{r['subscription']} {r['key']}": await retry(reactors[r["subscription"]], r["key"]) for r in keys}}


async def _republish(app: App) -> dict[str, Any]:
    """Rewinds the relay's own checkpoint: everything comes again, in order, and who has it drops it."""
    pool = await app.database.pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("delete from published")
        position = await connection.fetchval("update checkpoints set position = 0 where name = 'relay' returning position")
        await connection.execute("notify log")
    return {"service": app.service.name, "from": position}


async def _rewrap(app: App, purpose: str) -> dict[str, Any]:
    """Each key goes to the listeners as it does at first: by an event of its own, ahead of which the relay sends the key."""
    pool, said, done, keks = await app.database.pool(), tag_of(KeyCreated), 0, Keks.load(app.settings.secrets)
    try:
        keks.current(purpose)
    except MissingKek:
        raise SystemExit(f"{app.service.name} has no secret kek-{purpose}") from None
    async for key in rewrap(pool, app.service.name, keks, purpose):
        stream = f"key:{key.key_id}"
        event = NewEvent(uuid7(), said, 1, msgspec.json.encode(KeyCreated(key.key_id)), Meta())
        answer = await app.log.append(Append(key.community_id, stream, len(await app.log.stream(stream)), [event]))
        if answer.verdict != "ok":
            raise SystemExit(f"{stream} has changed meanwhile: begin again")
        await app.keyring.announced(key.key_id)
        done += 1
    return {"service": app.service.name, "purpose": purpose, "rewrapped": done}


async def _restored(app: App) -> dict[str, Any]:
    """After a restore: a new generation, a checkpoint for every reader that is not beyond the log, and the list of
    what the topics have and this log lost."""
    pool = await app.database.pool()
    last = await app.log.last()
    lost: list[str] = []
    generation = int(await pool.fetchval("select generation from log_state"))
    if app.relay is not None:
        for _, record in (await last_records(app.settings, app.relay.topic)).values():
            if record is not None:
                heard = read(*record)
                generation = max(generation, heard.number.generation)
                if heard.number.position > last:
                    lost.append(f"{heard.number} {heard.type} {heard.event_id}")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update log_state set generation = $1", generation + 1)
        # what was said between restore and now stands at numbers that the topics have given to what was lost
        await connection.execute(
            "update events set generation = $1 where source is null"
            " and position > (select position from checkpoints where name = 'relay')", generation + 1)
        await connection.execute("update checkpoints set position = least(position, $1)", last)
    return {"service": app.service.name, "generation": generation + 1, "position": last, "partitions": PARTITIONS, "beyond": lost}


def main() -> None:
    service, operation, *arguments = sys.argv[1:]
    if operation not in OPERATIONS:
        sys.exit(f"no operation {operation}: {' | '.join(OPERATIONS)}")
    obs.configure(service, sys.stderr)
    app = App(importlib.import_module(f"services.{service}.main").SERVICE, settings_for(service))
    print(msgspec.json.encode(asyncio.run(operate(app, operation, arguments))).decode())


if __name__ == "__main__":
    main()
