"""What happens to the incidents of one source, and what they are by that. The rules: `incidents.py`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.alarm.domain.kinds import IncidentKind, Place, Severity
from services.alarm.domain.ladders import Ladder, Step

How = Literal["on_site", "camera", "call", "second_sensor"]
Cause = Literal["cooking", "steam", "dust", "insects", "smoking", "fault", "test", "misuse", "unknown"]
To = Literal["guard", "maintenance", "fire_brigade", "police", "ambulance"]
End = Literal["put_out", "repaired", "helped", "left", "handed_over", "nothing_found"]
REMEMBERED = 64
"""Reports of a source by which a repetition is known; older ones are caught by the key under which a report is handled."""


class About(Struct, frozen=True):
    """Which incident it is, said with every event."""

    incident_id: UUID
    source_id: UUID
    kind: IncidentKind
    severity: Severity
    silent: bool
    place: Place
    sensor_id: UUID | None = None
    device_id: UUID | None = None


class _Of(Struct, frozen=True):
    about: About


# what happened


class IncidentRaised(_Of, frozen=True, tag="incident_raised"):
    """`ladder`: its deadlines, whatever is set later."""

    report_id: UUID
    code: str
    raised_by: UUID | None
    live: bool
    ladder: Ladder
    acknowledge_by: datetime


class IncidentRepeated(_Of, frozen=True, tag="incident_repeated"):
    report_id: UUID
    code: str
    raised_by: UUID | None
    live: bool
    count: int


class IncidentRestored(_Of, frozen=True, tag="incident_restored"):
    """Also after its end, where that came first."""

    report_id: UUID


class RestoreUnpaired(Struct, frozen=True, tag="restore_unpaired"):
    """The source is well, and nobody had said that it was not. `device_time`: since when, by its own clock; None: not known."""

    source_id: UUID
    report_id: UUID
    device_time: datetime | None = None


class IncidentAcknowledged(_Of, frozen=True, tag="incident_acknowledged"):
    by: UUID
    verify_by: datetime


class IncidentVerified(_Of, frozen=True, tag="incident_verified"):
    by: UUID
    how: How
    dispatch_by: datetime


class IncidentFoundFalse(_Of, frozen=True, tag="incident_found_false"):
    by: UUID
    cause: Cause


class IncidentDispatched(_Of, frozen=True, tag="incident_dispatched"):
    by: UUID
    to: To
    assignee: UUID | None
    resolve_by: datetime


class IncidentResolved(_Of, frozen=True, tag="incident_resolved"):
    by: UUID
    how: End


class IncidentEscalated(_Of, frozen=True, tag="incident_escalated"):
    level: int
    waiting_for: Step
    due: datetime
    told: tuple[str, ...]
    next_by: datetime | None


OfIncident = (
    IncidentRaised | IncidentRepeated | IncidentRestored | IncidentAcknowledged | IncidentVerified | IncidentFoundFalse
    | IncidentDispatched | IncidentResolved | IncidentEscalated)
IncidentEvent = OfIncident | RestoreUnpaired


# what is


class Ended(Struct, frozen=True):
    """`outcome`: what a person said, by which the same is known again."""

    about: About
    outcome: Cause | End
    restored: bool


class Incident(Struct, frozen=True):
    """One that is open. `active`: its source is not well again. `due`: when the next level is told, None at the top; `by`: the
    deadline itself."""

    about: About
    ladder: Ladder
    by: datetime
    due: datetime | None
    count: int = 1
    active: bool = True
    level: int = 0


class _Known(Struct, frozen=True):
    """`reports`: the last that this source made."""

    reports: tuple[UUID, ...]


class Quiet(_Known, frozen=True):
    """Nothing is open. `unpaired`: the source said that it is well, and nobody had said that it was not; `well_at`: when, by its clock."""

    reports: tuple[UUID, ...] = ()
    last: Ended | None = None
    unpaired: bool = False
    well_at: datetime | None = None


class Raised(_Known, frozen=True):
    incident: Incident


class Acknowledged(_Known, frozen=True):
    incident: Incident
    owner: UUID


class Verified(_Known, frozen=True):
    incident: Incident
    owner: UUID


class Dispatched(_Known, frozen=True):
    incident: Incident
    owner: UUID
    sent: tuple[tuple[To, UUID | None], ...]


Open = Raised | Acknowledged | Verified | Dispatched
Source = Quiet | Open


def evolve(source: Source, event: IncidentEvent) -> Source:
    match source, event:
        case Quiet(), IncidentRaised(about=about, ladder=ladder, acknowledge_by=by):
            return Raised(_with(source, event.report_id), Incident(about, ladder, by, by))
        case Quiet(last=last), IncidentRestored() if last is not None:
            return Quiet(_with(source, event.report_id), replace(last, restored=True))
        case Quiet(), RestoreUnpaired():
            return Quiet(_with(source, event.report_id), source.last, unpaired=True, well_at=event.device_time)
        case Quiet(), _:
            return source
        case _, IncidentRepeated(count=count):
            incident = replace(source.incident, count=count, active=True)
            return replace(source, incident=incident, reports=_with(source, event.report_id))
        case _, IncidentRestored():
            return replace(source, incident=replace(source.incident, active=False), reports=_with(source, event.report_id))
        case _, IncidentEscalated(level=level, next_by=due):
            return replace(source, incident=replace(source.incident, level=level, due=due))
        case _, IncidentFoundFalse(about=about, cause=outcome) | IncidentResolved(about=about, how=outcome):
            return Quiet(source.reports, Ended(about, outcome, restored=not source.incident.active))
        case _:
            return _stepped(source, event)


def _stepped(source: Open, event: IncidentEvent) -> Source:
    match source, event:
        case Raised(reports=reports, incident=incident), IncidentAcknowledged(by=owner, verify_by=by):
            return Acknowledged(reports, _waiting(incident, by), owner)
        case Acknowledged() | Verified() | Dispatched(), IncidentAcknowledged(by=owner):
            return replace(source, owner=owner)
        case Acknowledged(reports=reports, incident=incident, owner=owner), IncidentVerified(dispatch_by=by):
            return Verified(reports, _waiting(incident, by), owner)
        case Verified(reports=reports, incident=incident, owner=owner), IncidentDispatched(to=to, assignee=assignee, resolve_by=by):
            return Dispatched(reports, _waiting(incident, by), owner, ((to, assignee),))
        case Dispatched(sent=sent), IncidentDispatched(to=to, assignee=assignee):
            return replace(source, sent=(*sent, (to, assignee)))
        case _:
            return source


def _with(source: Source, report_id: UUID) -> tuple[UUID, ...]:
    return (*source.reports, report_id)[-REMEMBERED:]


def _waiting(incident: Incident, by: datetime) -> Incident:
    """The next step has a ladder of its own."""
    return replace(incident, by=by, due=by, level=0)
