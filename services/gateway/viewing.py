"""Whoever looks, with what is theirs now: doors, homes, circles, and what has reached them."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from libs.eventkit.auth import Principal
from libs.eventkit.service import App
from services.gateway.audience import viewer
from services.gateway.freshness import PATIENCE, passed
from services.gateway.reach import Viewer, everything
from services.gateway.views import incident_lists, my_doors, my_home, my_notices, notices

USED = (*my_doors.USED, *incident_lists.MINE, *my_notices.USED)
BEFORE_THEM = 500
"""Notices of which a follower still hears that they were withdrawn."""


async def seen_by(app: App, principal: Principal, community_id: UUID, position: int = 0) -> Viewer:
    """What is theirs as of a position of the log, or as it was known when two seconds had gone by."""
    found = viewer(principal, community_id)
    if found.sees_all:
        return found
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await passed(app, USED, position)
    doors = await app.database.fetch([community_id], my_doors.door_ids_of(community_id, principal.id))
    homes = await app.database.fetch([community_id], my_home.residences_of(community_id, principal.id))
    circles = await app.database.fetch([community_id], notices.circles_of(community_id, principal.id))
    told = await app.database.fetch([community_id], incident_lists.told_to(community_id, principal.id, homes, datetime.now(UTC)))
    circle_ids, building_ids = [row["circle_id"] for row in circles], [row["building_id"] for row in homes]
    before = await app.database.fetch(
        [community_id], my_notices.reaching(community_id, circle_ids, building_ids, BEFORE_THEM)) if circle_ids or homes else []
    return replace(
        found, doors=everything(row["door_id"] for row in doors), homes=everything(row["home_id"] for row in homes),
        buildings=everything(building_ids), circles=everything(circle_ids),
        since={home_id: min(row["begun"] for row in homes if row["home_id"] == home_id) for home_id in {row["home_id"] for row in homes}},
        told=everything([*(row["incident_id"] for row in told), *(row["id"] for row in before)]))
