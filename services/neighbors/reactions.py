"""What neighbors does when others speak: residences become memberships, a verified fire or gas leak an emergency broadcast."""

from uuid import UUID

from libs.contracts import alarm, identity
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from services.neighbors.book import CircleBook
from services.neighbors.domain.broadcasts import (
    BY_RULE,
    TEXTS,
    EndBroadcast,
    Fact,
    SendBroadcast,
    broadcast_id_of,
)
from services.neighbors.domain.circles import AddResidence, RemoveResidence, member_id_of

Over = alarm.IncidentResolved | alarm.IncidentFoundFalse


def circles_of(building_id: UUID, community_id: UUID) -> tuple[tuple[UUID, UUID | None], ...]:
    return (building_id, building_id), (community_id, None)


async def residence_started(event: identity.ResidenceStarted, row: Recorded) -> list[Do]:
    return [
        Do(f"add to {circle_id}", member_id_of(circle_id, event.resident_id),
           AddResidence(circle_id, building_id, event.resident_id, event.residence_id))
        for circle_id, building_id in circles_of(event.building_id, row.community_id)]


async def residence_ended(event: identity.ResidenceEnded, row: Recorded) -> list[Do]:
    return [
        Do(f"remove from {circle_id}", member_id_of(circle_id, event.resident_id),
           RemoveResidence(circle_id, building_id, event.resident_id, event.residence_id))
        for circle_id, building_id in circles_of(event.building_id, row.community_id)]


def broadcasts_of_incidents(book: CircleBook) -> Reaction:

    async def incident_verified(event: alarm.IncidentVerified, row: Recorded) -> list[Do]:
        """Where it is over before anybody looked, nobody is alarmed by it. That some event of the community cannot be read is
        no reason to wait: whoever is known to live there is told."""
        building_id = event.place.building_id
        if event.silent or event.kind not in TEXTS or building_id is None:
            return []
        await book.ready(row.position)
        if book.is_over(event.incident_id):
            return []
        broadcast_id = broadcast_id_of(event.incident_id)
        return [Do("send", broadcast_id, SendBroadcast(
            broadcast_id=broadcast_id, building_id=building_id, kind="fire" if event.kind == "fire" else "gas",
            text=TEXTS[event.kind], incident_id=event.incident_id, by=None, rule=BY_RULE, reason=f"{event.kind}_verified",
            facts=(Fact(row.event_id, "incident_verified"),),
            recipients=tuple(sorted(book.reached(row.community_id, building_id)))))]

    async def incident_over(event: Over, row: Recorded) -> list[Do]:
        if event.kind not in TEXTS:
            return []
        reason = "incident_resolved" if isinstance(event, alarm.IncidentResolved) else "incident_found_false"
        broadcast_id = broadcast_id_of(event.incident_id)
        return [Do("end", broadcast_id, EndBroadcast(broadcast_id, None, reason))]

    return Reaction("broadcasts_of_incidents", {
        alarm.IncidentVerified: incident_verified, alarm.IncidentResolved: incident_over,
        alarm.IncidentFoundFalse: incident_over})


def _resident(event: identity.ResidenceStarted | identity.ResidenceEnded, row: Recorded) -> str:
    return f"resident:{event.resident_id}"


def reactions(book: CircleBook) -> tuple[Reaction, ...]:
    return (
        Reaction("circles_of_residents", {
            identity.ResidenceStarted: residence_started, identity.ResidenceEnded: residence_ended}, key=_resident, apart=True),
        broadcasts_of_incidents(book),
    )
