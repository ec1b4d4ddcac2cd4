"""What belongs to one story (an incident, a fire release, a broadcast), and what in it rests on what. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.access import FireReleaseBegun, FireReleaseEnded, RelayNotReleased, RelayReleased
from libs.contracts.alarm import (
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRaised,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    IncidentVerified,
)
from libs.contracts.devices import HoldCarriedOut, HoldFailed
from libs.contracts.neighbors import BroadcastEnded, BroadcastSent, ResidentNotTold, ResidentTold
from libs.eventkit.recorded import Recorded

OF = ("incident_id", "release_id", "broadcast_id")
ONE_EACH = (ResidentTold, ResidentNotTold)
"""Said of one resident each: counted, and told by the hundred nowhere."""
CROWDS = (*ONE_EACH, IncidentRepeated)

Step = (
    IncidentRaised | IncidentAcknowledged | IncidentVerified | IncidentDispatched | IncidentEscalated | IncidentFoundFalse
    | IncidentResolved)
AtRelay = HoldCarriedOut | HoldFailed | RelayReleased | RelayNotReleased
Said = Mapping[UUID, tuple[Recorded, Any]]


def stories_of(event: Any) -> tuple[UUID, ...]:
    """The incident, release and broadcast that an event names."""
    if isinstance(event, ONE_EACH):
        return ()
    named = (getattr(event, name, None) for name in OF)
    return tuple(dict.fromkeys(i for i in named if i is not None))


def own_causes(said: Said) -> dict[UUID, list[UUID]]:
    """What each event of a story rests on because of what came before it there. People's commands name no cause: a guard
    acknowledges what was raised, verifies what they acknowledged, ends what was begun."""
    found: dict[UUID, list[UUID]] = {}
    last: dict[UUID, UUID] = {}
    raised: dict[UUID, UUID] = {}
    for i, (_, event) in _in_turn(said, Step | IncidentRepeated | IncidentRestored):
        of = event.incident_id
        rests = last if isinstance(event, Step) else raised
        found[i] = [rests[of]] if of in rests else []
        if isinstance(event, Step):
            last[of] = i
        if isinstance(event, IncidentRaised):
            raised[of] = i
    begun = {event.release_id: i for i, (_, event) in said.items() if isinstance(event, FireReleaseBegun)}
    ended = {event.release_id: i for i, (_, event) in said.items() if isinstance(event, FireReleaseEnded)}
    over = {event.incident_id: i for i, (_, event) in said.items() if isinstance(event, IncidentResolved | IncidentFoundFalse)}
    sent = {event.broadcast_id: i for i, (_, event) in said.items() if isinstance(event, BroadcastSent)}
    for i, (_, event) in said.items():
        match event:
            case FireReleaseEnded():
                incident = over.get(event.incident_id) if event.incident_id and event.reason != "despite_fire" else None
                found[i] = _known(begun.get(event.release_id), incident)
            case HoldCarriedOut() | HoldFailed() | RelayReleased() | RelayNotReleased():
                found[i] = _known((begun if _held(event) else ended).get(event.release_id))
            case BroadcastEnded() | ResidentTold() | ResidentNotTold():
                found[i] = _known(sent.get(event.broadcast_id))
    return found


def _in_turn(said: Said, kinds: Any) -> list[tuple[UUID, tuple[Recorded, Any]]]:
    """As the service that said them counts them: the log has them as they were heard."""
    chosen = [(i, one) for i, one in said.items() if isinstance(one[1], kinds)]
    return sorted(chosen, key=lambda one: (one[1][0].number is not None, one[1][0].number or 0, one[1][0].position))


def _held(event: AtRelay) -> bool:
    """Whether it is about holding the relay, and not about setting it back."""
    return event.released if isinstance(event, RelayReleased | RelayNotReleased) else event.state != "normal"


def _known(*ids: UUID | None) -> list[UUID]:
    return [i for i in ids if i is not None]
