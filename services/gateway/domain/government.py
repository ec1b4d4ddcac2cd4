"""What authorities are told of one incident, on `gov.incidents.v1`.

1. It is opened once; each later state is said once, and never one that lies behind the present one.
2. What nobody did in time is said once for each level of each step.
3. Repeats are said when their count reaches 2, 4, 8, …: a storm is no storm there.
4. A fire release is said when it is begun, or joined by the incident, and when it is ended, once each. One that is heard before its
   incident waits for it.

Kind, severity and building stay as they were when it was opened. Nobody's id, no home, no unit.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from libs.eventkit.decider import Decider, NotYet

State = Literal["raised", "acknowledged", "verified", "found_false", "dispatched", "resolved"]
RANK: dict[State, int] = {"raised": 0, "acknowledged": 1, "verified": 2, "dispatched": 3, "found_false": 4, "resolved": 4}


class Of(Struct, frozen=True):
    """`division_code`: GB/T 2260 of the community."""

    incident_id: UUID
    division_code: str
    kind: str
    severity: str
    silent: bool
    building_id: UUID | None


# what happened


class IncidentOpened(Of, frozen=True, tag="incident_opened"):
    """`deadline`: by when somebody has to acknowledge it."""

    code: str
    raised_at: datetime
    deadline: datetime


class IncidentProgressed(Of, frozen=True, tag="incident_progressed"):
    """`how`: by what, for what cause or to whom, in one word; `deadline`: of the next step."""

    state: State
    at: datetime
    how: str
    deadline: datetime | None


class IncidentOverdue(Of, frozen=True, tag="incident_overdue"):
    level: int
    waiting_for: str
    due: datetime
    told: tuple[str, ...]
    next_by: datetime | None


class IncidentRecurred(Of, frozen=True, tag="incident_recurred"):
    count: int
    at: datetime


class FireReleased(Of, frozen=True, tag="fire_released"):
    """`doors`, `lifts`: how many relays the release orders, or ordered."""

    released: bool
    doors: int
    lifts: int
    at: datetime
    release_id: UUID


class ReleaseHeard(Struct, frozen=True, tag="release_heard"):
    """Its incident has not been heard of yet; nobody is told before it has. `because`: the event that said it."""

    incident_id: UUID
    release_id: UUID
    released: bool
    doors: int
    lifts: int
    at: datetime
    because: UUID


GovernmentEvent = IncidentOpened | IncidentProgressed | IncidentOverdue | IncidentRecurred | FireReleased | ReleaseHeard


# what is


class NotOpened(Struct, frozen=True):
    releases: tuple[ReleaseHeard, ...] = ()


class Opened(Struct, frozen=True):
    """What has been told: the state, the highest count, the levels by step, the releases that were begun or ended."""

    of: Of
    state: State = "raised"
    count: int = 1
    levels: frozenset[tuple[str, int]] = frozenset()
    releases: frozenset[tuple[UUID, bool]] = frozenset()


Incident = NotOpened | Opened


def evolve(incident: Incident, event: GovernmentEvent) -> Incident:
    match incident, event:
        case NotOpened(releases=waiting), ReleaseHeard():
            return NotOpened((*waiting, event))
        case NotOpened(), IncidentOpened():
            return Opened(Of(*(getattr(event, name) for name in Of.__struct_fields__)))
        case Opened(), IncidentProgressed(state=state):
            return replace(incident, state=state)
        case Opened(levels=levels), IncidentOverdue(waiting_for=waiting_for, level=level):
            return replace(incident, levels=levels | {(waiting_for, level)})
        case Opened(), IncidentRecurred(count=count):
            return replace(incident, count=count)
        case Opened(releases=releases), FireReleased(release_id=release_id, released=released):
            return replace(incident, releases=releases | {(release_id, released)})
        case _:
            return incident


# what is asked


class OpenIncident(Of, frozen=True):
    code: str
    raised_at: datetime
    deadline: datetime


class ProgressIncident(Struct, frozen=True):
    state: State
    at: datetime
    how: str
    deadline: datetime | None


class TellOverdue(Struct, frozen=True):
    level: int
    waiting_for: str
    due: datetime
    told: tuple[str, ...]
    next_by: datetime | None


class TellRecurred(Struct, frozen=True):
    count: int
    at: datetime


class TellRelease(Struct, frozen=True):
    incident_id: UUID
    release_id: UUID
    released: bool
    doors: int
    lifts: int
    at: datetime
    because: UUID


def _opened(incident: Incident) -> Opened:
    """Raises NotYet: alarm tells of one incident in order, so that its beginning is still to come."""
    if isinstance(incident, NotOpened):
        raise NotYet("the beginning of this incident")
    return incident


def decide_open(command: OpenIncident, incident: Incident) -> list[GovernmentEvent]:
    """With the releases that were heard before it."""
    if isinstance(incident, Opened):
        return []
    opened = IncidentOpened(*astuple(command))
    of = Of(*(getattr(command, name) for name in Of.__struct_fields__))
    return [opened, *(_released(of, heard) for heard in incident.releases)]


def decide_progress(command: ProgressIncident, incident: Incident) -> list[GovernmentEvent]:
    known = _opened(incident)
    if RANK[command.state] <= RANK[known.state]:
        return []
    return [IncidentProgressed(*astuple(known.of), *astuple(command))]


def decide_overdue(command: TellOverdue, incident: Incident) -> list[GovernmentEvent]:
    known = _opened(incident)
    if (command.waiting_for, command.level) in known.levels or known.state in ("found_false", "resolved"):
        return []
    return [IncidentOverdue(*astuple(known.of), *astuple(command))]


def decide_recurred(command: TellRecurred, incident: Incident) -> list[GovernmentEvent]:
    """Raises NotYet. With counts that jump, the first one beyond a power of two stands for it."""
    known = _opened(incident)
    if command.count.bit_length() <= known.count.bit_length():
        return []
    return [IncidentRecurred(*astuple(known.of), *astuple(command))]


def decide_release(command: TellRelease, incident: Incident) -> list[GovernmentEvent]:
    heard: GovernmentEvent
    if isinstance(incident, NotOpened):
        told = {(release.release_id, release.released) for release in incident.releases}
        heard = ReleaseHeard(*astuple(command))
    else:
        told, heard = set(incident.releases), _released(incident.of, command)
    begun = command.released or (command.release_id, True) in told
    return [heard] if begun and (command.release_id, command.released) not in told else []


def _released(of: Of, release: TellRelease | ReleaseHeard) -> FireReleased:
    return FireReleased(
        **asdict(of), released=release.released, doors=release.doors, lifts=release.lifts, at=release.at,
        release_id=release.release_id)


GOVERNMENT = Decider[Incident, GovernmentEvent](
    category="gov_incident", initial=NotOpened(), evolve=evolve,
    decide={
        OpenIncident: decide_open, ProgressIncident: decide_progress, TellOverdue: decide_overdue, TellRecurred: decide_recurred,
        TellRelease: decide_release})
EVENTS = (IncidentOpened, IncidentProgressed, IncidentOverdue, IncidentRecurred, FireReleased, ReleaseHeard)
