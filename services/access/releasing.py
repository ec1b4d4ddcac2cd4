"""What access does for a fire when others speak: alarm verifies or ends it, devices say what became of each relay."""

from typing import Any
from uuid import UUID

from libs.contracts import alarm, devices
from libs.eventkit.db import Unavailable
from libs.eventkit.problems import Problem
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.admission import Fact
from services.access.domain.releases import FIRE_VERIFIED, BeginRelease, How, RecordFireOver, RecordRelay


async def known(app: App, book: DoorBook, position: int = 0) -> None:
    """Waits for the book where others answer 503 and leave the door shut: a fire is never put aside for somebody to look at."""
    try:
        await book.ready(await app.database.pool(), position)
    except Problem as not_ready:
        raise Unavailable("the book of doors") from not_ready


def fire_releases(app: App, book: DoorBook) -> Reaction:
    async def incident_verified(event: alarm.IncidentVerified, row: Recorded) -> list[Do]:
        building_id = await building_of(event, row)
        if building_id is None or book.fire_over(row.community_id, event.incident_id):  # heard late: nothing opens for a fire of the past
            return []
        relays = book.to_release(row.community_id, building_id)
        begin = BeginRelease(
            release_id=event.incident_id, building_id=building_id, incident_id=event.incident_id, by=None, relays=relays,
            rule=FIRE_VERIFIED, facts=(Fact(row.event_id, "fire_verified"),))
        return [Do("release", building_id, begin)]

    async def incident_resolved(event: alarm.IncidentResolved, row: Recorded) -> list[Do]:
        return await over(event, row, "resolved")

    async def incident_found_false(event: alarm.IncidentFoundFalse, row: Recorded) -> list[Do]:
        return await over(event, row, "found_false")

    async def over(event: alarm.IncidentResolved | alarm.IncidentFoundFalse, row: Recorded, how: How) -> list[Do]:
        building_id = await building_of(event, row)
        return [Do("over", building_id, RecordFireOver(building_id, event.incident_id, how))] if building_id else []

    async def building_of(event: Any, row: Recorded) -> UUID | None:
        """Where it burns, if that is a building of this community or one of which nobody has said whose it is."""
        building_id: UUID | None = event.place.building_id
        if event.kind != "fire" or building_id is None:
            return None
        await known(app, book, row.position)
        return building_id if book.stands_in(building_id) in (None, row.community_id) else None

    return Reaction("buildings_released", {
        alarm.IncidentVerified: incident_verified, alarm.IncidentResolved: incident_resolved,
        alarm.IncidentFoundFalse: incident_found_false}, apart=True)


def relays_released(app: App, book: DoorBook) -> Reaction:
    async def carried_out(event: devices.HoldCarriedOut, row: Recorded) -> list[Do]:
        return await told(event, row, "")

    async def failed(event: devices.HoldFailed, row: Recorded) -> list[Do]:
        return await told(event, row, event.reason)

    async def told(event: devices.HoldCarriedOut | devices.HoldFailed, row: Recorded, failed: str) -> list[Do]:
        await known(app, book, row.position)
        building_id = book.released_building(row.community_id, event.release_id)
        if building_id is None:
            return []
        command = RecordRelay(event.release_id, event.device_id, event.door_no, event.state != "normal", failed)
        return [Do("relay", building_id, command)]

    return Reaction(
        "relays_released", {devices.HoldCarriedOut: carried_out, devices.HoldFailed: failed}, key=_device, apart=True)


def _device(event: Any, row: Recorded) -> str:
    return f"device:{event.device_id}"
