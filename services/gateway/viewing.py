"""Whoever looks, with the doors that are theirs now."""

import asyncio
from contextlib import suppress
from uuid import UUID

from libs.eventkit.auth import Principal
from libs.eventkit.service import App
from services.gateway.audience import Viewer, viewer
from services.gateway.freshness import PATIENCE, passed
from services.gateway.views import my_doors


async def seen_by(app: App, principal: Principal, community_id: UUID, position: int = 0) -> Viewer:
    """Their doors as of a position of the log, or as they were known when two seconds had gone by."""
    found = viewer(principal, community_id)
    if found.sees_all:
        return found
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await passed(app, my_doors.USED, position)
    rows = await app.database.fetch([community_id], my_doors.door_ids_of(community_id, principal.id))
    return viewer(principal, community_id, (row["door_id"] for row in rows))
