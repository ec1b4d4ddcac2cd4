"""Spends an account's budget of looks and misses before anything is answered (`domain/askers.py`)."""

from uuid import UUID, uuid5

from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.log import Key
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity.domain.askers import ASKERS, CODES, LIMITS, CountAttempt, Kind


def asker(person_id: UUID, community_id: UUID) -> UUID:
    """Whose budget it is."""
    return uuid5(community_id, f"asker {person_id}")


async def spend(app: App, principal: Principal, asked: Context, kind: Kind, key: Key | None = None) -> None:
    """A retry is not counted again. Raises Problem 429."""
    if key and await app.log.outcome(asked.community_id, key):
        return
    wait, who = int(LIMITS[kind][1].total_seconds()), asker(principal.id, asked.community_id)
    try:
        await app.commands.handle(who, CountAttempt(principal.id, principal.role, kind, asked.now), asked)
    except Refused as refused:
        wait = refused.facts["retry_after_seconds"]
    else:
        budget, _ = await app.commands.state(ASKERS, who, asked.community_id)
        if budget.found.get(kind) != asked.now:
            return
    raise Problem(429, CODES[kind], headers={"Retry-After": str(wait)})


async def missed(app: App, principal: Principal, asked: Context) -> None:
    """Somebody asked for a resident who is none of their business, or nobody. Raises NotFound, or Problem 429."""
    await spend(app, principal, asked, "miss")
    raise NotFound("resident")
