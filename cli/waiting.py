"""What waits for a person in one service: parked events, by reaction and key, in the order in which they will be handled."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from cli.mending import retry
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.reactions import Reactor
from libs.eventkit.recorded import Meta, tag_of, uuid7
from libs.eventkit.service import App

MOST = 200
"""Events of one key that are shown one by one; all are counted."""
LISTED = """select subscription, key, count(*) as events, min(since) as since, (array_agg(event_id order by position))[1] as first,
                   (array_agg(reason order by position))[1] as reason, (array_agg(community_id))[1] as community_id,
                   count(*) - 1 as behind
              from parked group by subscription, key order by min(since)"""
OF_KEY = """select p.subscription, p.position, p.event_id, p.reason, p.since, e.type, e.recorded_at as at,
                   coalesce(e.stream, e.meta ->> 'subject', '') as subject
              from parked p join events e on e.position = p.position
             where p.key = $1 and ($2::text is null or p.subscription = $2) order by p.subscription, p.position"""


class Skipped(Struct, frozen=True, tag="event_skipped"):
    """A person has said that a reaction need not handle an event: on the stream `skipped.<subscription>:<event_id>`, where the reaction
    looks before it parks one. No reader knows the type: it says nothing to anybody else."""

    subscription: str
    event_id: UUID
    reason: str
    by: str


async def listed(app: App) -> dict[str, Any]:
    return {"parked": [dict(row) for row in await (await app.database.pool()).fetch(LISTED)]}


async def shown(app: App, key: str, subscription: str | None) -> dict[str, Any]:
    """Of each reaction that keeps the key waiting: its events in order, and what the first would lead to if it were tried now."""
    rows = await (await app.database.pool()).fetch(OF_KEY, key, subscription)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["subscription"], []).append({k: v for k, v in row.items() if k != "subscription"})
    reactors = {reactor.reaction.name: reactor for reactor in app.reactors}
    for memory in app.memories:
        await memory.catch_up()
    return {"key": key, "waiting": [
        {"subscription": name, "since": events[0]["since"], "reason": events[0]["reason"], "subject": events[0]["subject"],
         "behind": len(events) - 1, "would_do": await would_do(reactors[name], events[0]["event_id"]) if name in reactors else None,
         "events": events[:MOST]}
        for name, events in by_name.items()]}


async def would_do(reactor: Reactor, event_id: UUID) -> dict[str, Any]:
    """The commands by name, without what is in them; or the error that comes instead."""
    row = await reactor.commands.log.event(event_id)
    assert row is not None
    try:
        event = reactor.catalogue.read(row)
        found = await reactor.reaction.on[type(event)](event, row)
    except Exception as error:
        return {"error": type(error).__name__}
    return {"commands": [{"name": do.name, "command": type(do.command).__name__, "subject_id": do.subject_id} for do in found]}


async def retried(app: App, key: str | None, subscription: str | None = None) -> dict[str, Any]:
    pool = await app.database.pool()
    keys = await pool.fetch(
        "select distinct subscription as name, key from parked"
        " where ($1::text is null or key = $1) and ($2::text is null or subscription = $2)", key, subscription)
    reactors = {r.reaction.name: r for r in app.reactors}
    for memory in app.memories:
        await memory.catch_up()
    done = {f"{r['name']} {r['key']}": await retry(reactors[r["name"]], r["key"]) for r in keys if r["name"] in reactors}
    return {"retried": done}


async def skipped(app: App, event_id: UUID, reason: str, by: str, subscription: str | None = None) -> dict[str, Any]:
    """First it is said in the log who skips what and why, then the event waits no longer; so a second try after a crash does the rest.
    Those behind it wait until they are tried again. Raises SystemExit where nothing is parked, or under several reactions and none is
    named: what one cannot do, another still may."""
    pool = await app.database.pool()
    rows = await pool.fetch(
        "select subscription, key, position, community_id from parked where event_id = $1 and ($2::text is null or subscription = $2)",
        event_id, subscription)
    if not rows:
        raise SystemExit(f"nothing is parked for event {event_id}" + (f" under {subscription}" if subscription else ""))
    if len(rows) > 1:
        raise SystemExit(f"it waits under {' and '.join(sorted(r['subscription'] for r in rows))}: which one? --subscription NAME")
    for row in rows:
        event = Skipped(row["subscription"], event_id, reason, by)
        new = NewEvent(uuid7(), tag_of(event), 1, msgspec.json.encode(event), Meta(caused_by=(event_id,), principal=by))
        await app.log.append(Append(row["community_id"], f"skipped.{row['subscription']}:{event_id}", 0, [new]))
        await pool.execute("delete from parked where subscription = $1 and position = $2", row["subscription"], row["position"])
    behind = await pool.fetchval(
        "select count(*) from parked p where exists (select from unnest($1::text[], $2::text[]) k(s, key)"
        " where k.s = p.subscription and k.key = p.key)", [r["subscription"] for r in rows], [r["key"] for r in rows])
    return {"skipped": len(rows), "event": event_id, "reason": reason, "by": by, "behind": behind}
