"""What the gateway tells authorities when alarm and access speak, incident by incident, in order."""

from typing import Any
from uuid import UUID

from libs.contracts import access, alarm
from libs.contracts.identity import CommunityFounded
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.gateway.domain.government import (
    GOVERNMENT,
    NotOpened,
    OpenIncident,
    ProgressIncident,
    State,
    TellOverdue,
    TellRecurred,
    TellRelease,
)

NAME = "government"
Release = access.FireReleaseBegun | access.FireReleaseJoined | access.FireReleaseEnded


class Divisions:
    """In which division of the country each community lies."""

    def __init__(self) -> None:
        self._codes: dict[UUID, str] = {}
        self.memory = Memory("divisions", (CommunityFounded,), self._learn)

    def _learn(self, event: CommunityFounded, row: Recorded) -> None:
        self._codes[row.community_id] = event.division_code

    async def code(self, community_id: UUID) -> str:
        """Raises NotYet while the community has not been heard of."""
        if community_id not in self._codes:
            await self.memory.catch_up()
        if community_id not in self._codes:
            raise NotYet("the community and its division code")
        return self._codes[community_id]


def telling(app: App, divisions: Divisions) -> Reaction:

    async def raised(event: alarm.IncidentRaised, row: Recorded) -> list[Do]:
        state, _ = await app.commands.state(GOVERNMENT, event.incident_id, row.community_id)
        because = tuple(heard.because for heard in state.releases) if isinstance(state, NotOpened) else ()
        return [Do("open", event.incident_id, OpenIncident(
            incident_id=event.incident_id, division_code=await divisions.code(row.community_id), kind=event.kind,
            severity=event.severity, silent=event.silent, building_id=event.place.building_id, code=event.code,
            raised_at=said_at(row), deadline=event.acknowledge_by), because)]

    return Reaction(NAME, {
        alarm.IncidentRaised: raised, alarm.IncidentRepeated: repeated, alarm.IncidentAcknowledged: acknowledged,
        alarm.IncidentVerified: verified, alarm.IncidentFoundFalse: found_false, alarm.IncidentDispatched: dispatched,
        alarm.IncidentResolved: resolved, alarm.IncidentEscalated: escalated, access.FireReleaseBegun: release_begun,
        access.FireReleaseJoined: release_joined, access.FireReleaseEnded: release_ended}, key=incident_of, apart=True)


def incident_of(event: Any, row: Recorded) -> str:
    return f"incident:{event.incident_id}" if event.incident_id else f"release:{event.release_id}"


def said_at(row: Recorded) -> Any:
    """When the service that said it recorded it."""
    return row.meta.source_time or row.recorded_at


async def repeated(event: alarm.IncidentRepeated, row: Recorded) -> list[Do]:
    return [Do("recur", event.incident_id, TellRecurred(event.count, said_at(row)))]


async def acknowledged(event: alarm.IncidentAcknowledged, row: Recorded) -> list[Do]:
    return _progressed(event, row, "acknowledged", "person", event.verify_by)


async def verified(event: alarm.IncidentVerified, row: Recorded) -> list[Do]:
    return _progressed(event, row, "verified", event.how, event.dispatch_by)


async def found_false(event: alarm.IncidentFoundFalse, row: Recorded) -> list[Do]:
    return _progressed(event, row, "found_false", event.cause, None)


async def dispatched(event: alarm.IncidentDispatched, row: Recorded) -> list[Do]:
    return _progressed(event, row, "dispatched", event.to, event.resolve_by)


async def resolved(event: alarm.IncidentResolved, row: Recorded) -> list[Do]:
    return _progressed(event, row, "resolved", event.how, None)


async def escalated(event: alarm.IncidentEscalated, row: Recorded) -> list[Do]:
    told = TellOverdue(event.level, event.waiting_for, event.due, event.told, event.next_by)
    return [Do("overdue", event.incident_id, told)]


async def release_begun(event: access.FireReleaseBegun, row: Recorded) -> list[Do]:
    """A release by hand without an incident is no step of any."""
    return [_released("release", event, event.incident_id, row, True)] if event.incident_id else []


async def release_joined(event: access.FireReleaseJoined, row: Recorded) -> list[Do]:
    return [_released("release", event, event.incident_id, row, True)] if event.incident_id else []


async def release_ended(event: access.FireReleaseEnded, row: Recorded) -> list[Do]:
    """Of each of its fires. What is said of another fire is handled beside this: its joining may not have been told yet."""
    first = [_released("release", event, event.incident_id, row, False)] if event.incident_id else []
    joined, steps = [i for i in event.incidents if i != event.incident_id], (("join", True), ("end", False))
    return first + [_released(f"{name} {i}", event, i, row, released) for i in joined for name, released in steps]


def _progressed(event: Any, row: Recorded, state: State, how: str, deadline: Any) -> list[Do]:
    return [Do("progress", event.incident_id, ProgressIncident(state, said_at(row), how, deadline))]


def _released(name: str, event: Release, incident_id: UUID, row: Recorded, released: bool) -> Do:
    lifts = sum(relay.state == "recalled" for relay in event.relays)
    return Do(name, incident_id, TellRelease(
        incident_id, event.release_id, released, len(event.relays) - lifts, lifts, said_at(row), row.event_id))
