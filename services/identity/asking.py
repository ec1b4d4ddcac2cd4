"""Spends an account's budget of looks and misses before anything is answered (`domain/askers.py`)."""

from contextlib import suppress

from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.log import Key
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity.domain.askers import ASKERS, CODES, LIMITS, CountAttempt, Kind


async def spend(app: App, principal: Principal, asked: Context, kind: Kind, key: Key | None = None) -> None:
    """A retry is not counted again. Raises Problem 429."""
    if key and await app.log.outcome(asked.community_id, key):
        return
    wait = int(LIMITS[kind][1].total_seconds())
    try:
        await app.commands.handle(principal.id, CountAttempt(principal.id, principal.role, kind, asked.now), asked)
    except Refused as refused:
        wait = refused.facts["retry_after_seconds"]
    else:
        asker, _ = await app.commands.state(ASKERS, principal.id, asked.community_id)
        if asker.found.get(kind) != asked.now:
            return
    raise Problem(429, CODES[kind], headers={"Retry-After": str(wait)})


async def missed(app: App, principal: Principal, asked: Context) -> None:
    """Somebody asked for a resident who is none of their business, or nobody. Raises NotFound, or Problem 429."""
    with suppress(NotFound):  # an account that belongs to another community
        await spend(app, principal, asked, "miss")
    raise NotFound("resident")
