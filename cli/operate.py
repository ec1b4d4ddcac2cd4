"""What an operator does to one service, run beside it: `python -m cli.operate SERVICE OPERATION …`.

Its own process, with the service's environment; the answer is JSON on standard output. With `--strict` exit code 1 says that something
is not as it should be (`verify`, `rebuild --check`), for whoever reads no answers: a job of a cluster.
"""

import argparse
import asyncio
import importlib
import logging
import sys
from typing import Any
from uuid import UUID

import msgspec

from cli import waiting
from cli.generations import MOST, begin_anew, has_been_said, unsaid
from cli.keeper.heads import Outside
from cli.mending import retire_now, rewrap
from cli.tombstones import hear_to_the_end, say_what_is_missing
from cli.verifying import acknowledge_loss, verify
from cli.viewing import asof, rebuilt
from libs.eventkit import obs
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.privacy import Keks, KeyRing, MissingKek
from libs.eventkit.recorded import Meta, tag_of, uuid7
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for

STRICT = "--strict"
OPERATIONS = ("rebuild", "asof", "parked", "republish", "restored", "rewrap", "verify", "retire", "found", "sign-in")


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
            case "verify":
                return await verify(app, Outside.of(app.settings))
            case "retire":
                return await retire_now(app, "--dry-run" in arguments)
            case "found" | "sign-in":
                return await _begun(app, operation, arguments)
            case _:
                return await _restored(app, arguments)
    finally:
        await app.close()


async def _parked(app: App, arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="parked")
    parser.add_argument("action", choices=("list", "show", "retry", "skip"))
    parser.add_argument("--key")
    parser.add_argument("--subscription")
    parser.add_argument("--event", type=UUID)
    parser.add_argument("--reason")
    parser.add_argument("--by")
    given = parser.parse_args(arguments)
    match given.action:
        case "list":
            return await waiting.listed(app)
        case "show" if given.key:
            return await waiting.shown(app, given.key, given.subscription)
        case "retry":
            return await waiting.retried(app, given.key, given.subscription)
        case "skip" if given.event and given.reason and given.by and not given.key:
            return await waiting.skipped(app, given.event, given.reason, given.by, given.subscription)
    raise SystemExit("show needs --key KEY; skip needs --event ID, --reason TEXT and --by NAME, and no key: one event is skipped at a time")


async def _republish(app: App) -> dict[str, Any]:
    """Rewinds the relay's own checkpoint: everything comes again, in order, and who has it drops it."""
    pool = await app.database.pool()
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval("select exists (select from restores where finding is null)"):
            raise SystemExit(f"{app.service.name} was put back from a backup, and it is not known what it lacks: lifang restored it first")
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


async def _restored(app: App, arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="restored")
    parser.add_argument("--heard", type=int, default=0)
    parser.add_argument("--most", type=int, default=MOST)
    given = parser.parse_args(arguments)
    await hear_to_the_end(app)  # first: while the topic cannot be read, nothing has begun
    found = await unsaid(app) or await begin_anew(app, given.heard, given.most)
    await acknowledge_loss(app, Outside.of(app.settings), found["generation"])
    answer = found | {"erased_again": await say_what_is_missing(app)}
    await has_been_said(app)
    return answer


async def _begun(app: App, operation: str, arguments: list[str]) -> dict[str, Any]:
    if app.service.name != "identity":
        raise SystemExit(f"{operation} is asked of identity: cli.operate identity {operation}")
    from cli import founding  # identity's own code, which nobody else needs

    return await (founding.founded if operation == "found" else founding.signed_in)(app, arguments)


def main() -> None:
    service, operation, *arguments = sys.argv[1:]
    if operation not in OPERATIONS:
        sys.exit(f"no operation {operation}: {' | '.join(OPERATIONS)}")
    obs.configure(service, sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)  # that it has signed in is nothing that an operator asked for
    app = App(importlib.import_module(f"services.{service}.main").SERVICE, settings_for(service))
    found = asyncio.run(operate(app, operation, [word for word in arguments if word != STRICT]))
    print(msgspec.json.encode(found).decode())
    sys.exit(STRICT in arguments and not found.get("ok", found.get("same", True)))


if __name__ == "__main__":
    main()
