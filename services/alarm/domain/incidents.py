"""An incident, from the first signal to the person who ends it: raised → acknowledged → verified or false → dispatched → resolved.

1. A source has at most one open incident: what it says again folds into that one, with a count, in whatever order reports come.
   A report counts once. Another place, kind or condition is another source, so that folding never hides one (decision 13).
2. A restore belongs to the incident that is open, or to the last one that ended; it ends nothing. What a panel kept and tells late
   is raised like all else, for nobody was told of it; where the restore of it was faster, it is raised and well again at once. Which
   came first the device's clock says; where it does not say so, nothing is well. A restoral that does not say of what (FR of SIA DC-03:
   "alarm/trouble condition has been eliminated") is of the trouble where one is open: a fire is not called well by the end of a fault.
3. Nothing is reset by itself (GB 50394-2007, 5.2.3): a named person on duty acknowledges, says whether it is real, sends somebody,
   and ends it. Any of them may take the next step; the event says who did.
4. False is found before it is verified. Somebody is sent, and it is resolved, only after that.
5. Whatever is not done in time is told one level higher, step by step of the ladder (`ladders.py`). A step that is taken begins
   the ladder of the next one; taking an incident over moves no deadline.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused
from services.alarm.domain.incident_history import (
    About,
    Acknowledged,
    Cause,
    Dispatched,
    End,
    Ended,
    How,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentFoundFalse,
    IncidentRaised,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    IncidentVerified,
    Open,
    Quiet,
    Raised,
    RestoreUnpaired,
    Source,
    To,
    Verified,
    evolve,
)
from services.alarm.domain.ladders import Ladder, Step, levels_of

ON_DUTY = frozenset({"guard", "staff"})


# what is asked


class RaiseIncident(Struct, frozen=True):
    """`about.incident_id`: the report's, if this raises one. `live`: it has just happened. `raised_by`: a person, where one did.
    `device_time`: when it was so, by the device's clock; None: not known. `lasting`: its source says when it is over, and that it is
    still so says nothing new."""

    about: About
    report_id: UUID
    code: str
    live: bool
    ladder: Ladder
    now: datetime
    raised_by: UUID | None = None
    device_time: datetime | None = None
    lasting: bool = False


class RestoreSource(Struct, frozen=True):
    """`kept`: whether it is worth remembering where it belongs to nothing. `device_time`: as of a raise."""

    source_id: UUID
    report_id: UUID
    kept: bool = True
    device_time: datetime | None = None


class _ByPerson(Struct, frozen=True):
    incident_id: UUID
    by: UUID
    role: str


class AcknowledgeIncident(_ByPerson, frozen=True):
    now: datetime
    take_over: bool = False


class VerifyIncident(_ByPerson, frozen=True):
    how: How
    now: datetime


class FindFalse(_ByPerson, frozen=True):
    cause: Cause


class DispatchIncident(_ByPerson, frozen=True):
    to: To
    assignee: UUID | None
    now: datetime


class ResolveIncident(_ByPerson, frozen=True):
    how: End


class EscalateIncident(Struct, frozen=True):
    now: datetime


def decide_raise(command: RaiseIncident, source: Source) -> list[IncidentEvent]:
    if command.report_id in source.reports:
        return []
    if not isinstance(source, Quiet):
        incident = source.incident
        if command.lasting and incident.active:
            return []
        return [IncidentRepeated(
            incident.about, command.report_id, command.code, command.raised_by, command.live, incident.count + 1)]
    raised = IncidentRaised(
        command.about, command.report_id, command.code, command.raised_by, command.live, command.ladder,
        command.ladder.until("acknowledgement", command.now))
    at, well_at = command.device_time, source.well_at
    well = source.unpaired and not command.live and at is not None and well_at is not None and at <= well_at
    return [raised, IncidentRestored(command.about, source.reports[-1])] if well else [raised]


def decide_restore(command: RestoreSource, source: Source) -> list[IncidentEvent]:
    if command.report_id in source.reports:
        return []
    match source:
        case Quiet(last=Ended(about=about, restored=False)):
            return [IncidentRestored(about, command.report_id)]
        case Quiet(unpaired=unpaired, well_at=well_at):
            at = command.device_time
            new = not unpaired or (at is not None and (well_at is None or at > well_at))
            return [RestoreUnpaired(command.source_id, command.report_id, at)] if command.kept and new else []
        case Raised() | Acknowledged() | Verified() | Dispatched():
            return [IncidentRestored(source.incident.about, command.report_id)] if source.incident.active else []
        case _:
            assert_never(source)


def takes_restoral(report_id: UUID, source: Source) -> bool:
    """Whether a restoral that could be of several sources is of this one: something is wrong there, or this very report made it well."""
    return report_id in source.reports or (not isinstance(source, Quiet) and source.incident.active)


def _open(command: _ByPerson, source: Source) -> Open:
    """The incident that is meant. Raises Refused `not_on_duty`, `incident_over`; NotFound."""
    if command.role not in ON_DUTY:
        raise Refused("not_on_duty")
    if isinstance(source, Quiet):
        if source.last is None:
            raise NotFound("incident")
        raise Refused("incident_over")
    if source.incident.about.incident_id != command.incident_id:
        raise Refused("incident_over")
    return source


def _ended_so(command: _ByPerson, source: Source, outcome: Cause | End) -> bool:
    """Whether it has ended, in the very way that is asked for."""
    last = source.last if isinstance(source, Quiet) else None
    return last is not None and (last.about.incident_id, last.outcome) == (command.incident_id, outcome)


def decide_acknowledge(command: AcknowledgeIncident, source: Source) -> list[IncidentEvent]:
    known = _open(command, source)
    incident = known.incident
    match known:
        case Raised():
            return [IncidentAcknowledged(incident.about, command.by, incident.ladder.until("verification", command.now))]
        case Acknowledged(owner=owner) | Verified(owner=owner) | Dispatched(owner=owner) if owner == command.by:
            return []
        case Acknowledged() | Verified() | Dispatched():
            if not command.take_over:
                raise Refused("acknowledged_by_another")
            return [IncidentAcknowledged(incident.about, command.by, incident.by)]
        case _:
            assert_never(known)


def decide_verify(command: VerifyIncident, source: Source) -> list[IncidentEvent]:
    known = _open(command, source)
    match known:
        case Raised():
            raise Refused("not_acknowledged")
        case Acknowledged(incident=incident):
            return [IncidentVerified(incident.about, command.by, command.how, incident.ladder.until("dispatch", command.now))]
        case Verified() | Dispatched():
            return []
        case _:
            assert_never(known)


def decide_find_false(command: FindFalse, source: Source) -> list[IncidentEvent]:
    if _ended_so(command, source, command.cause):
        return []
    known = _open(command, source)
    match known:
        case Raised():
            raise Refused("not_acknowledged")
        case Acknowledged(incident=incident):
            return [IncidentFoundFalse(incident.about, command.by, command.cause)]
        case Verified() | Dispatched():
            raise Refused("already_verified")
        case _:
            assert_never(known)


def decide_dispatch(command: DispatchIncident, source: Source) -> list[IncidentEvent]:
    """Several may be sent, each once; the deadline is that of the first."""
    known = _open(command, source)
    match known:
        case Raised() | Acknowledged():
            raise Refused("not_verified")
        case Verified(incident=incident):
            by = incident.ladder.until("resolution", command.now)
            return [IncidentDispatched(incident.about, command.by, command.to, command.assignee, by)]
        case Dispatched(incident=incident, sent=sent):
            if (command.to, command.assignee) in sent:
                return []
            return [IncidentDispatched(incident.about, command.by, command.to, command.assignee, incident.by)]
        case _:
            assert_never(known)


def decide_resolve(command: ResolveIncident, source: Source) -> list[IncidentEvent]:
    if _ended_so(command, source, command.how):
        return []
    known = _open(command, source)
    match known:
        case Raised() | Acknowledged():
            raise Refused("not_verified")
        case Verified(incident=incident) | Dispatched(incident=incident):
            return [IncidentResolved(incident.about, command.by, command.how)]
        case _:
            assert_never(known)


def decide_escalate(command: EscalateIncident, source: Source) -> list[IncidentEvent]:
    """Whoever is told has the whole interval to act, also where everything stood still for an hour."""
    at = due(source)
    if isinstance(source, Quiet) or at is None or command.now < at:
        return []
    incident, levels = source.incident, levels_of(source.incident.about.kind)
    level = incident.level + 1
    again = timedelta(seconds=incident.ladder.again)
    return [IncidentEscalated(
        incident.about, level, waits_for(source), incident.by, levels[level - 1], command.now + again if level < len(levels) else None)]


def waits_for(source: Open) -> Step:
    match source:
        case Raised():
            return "acknowledgement"
        case Acknowledged():
            return "verification"
        case Verified():
            return "dispatch"
        case Dispatched():
            return "resolution"


def due(source: Source) -> datetime | None:
    """When the next level has to be told; None where nothing is open, or all have been told."""
    return None if isinstance(source, Quiet) else source.incident.due


INCIDENTS = Decider[Source, IncidentEvent](
    category="source", initial=Quiet(), evolve=evolve,
    decide={
        RaiseIncident: decide_raise, RestoreSource: decide_restore, AcknowledgeIncident: decide_acknowledge,
        VerifyIncident: decide_verify, FindFalse: decide_find_false, DispatchIncident: decide_dispatch,
        ResolveIncident: decide_resolve, EscalateIncident: decide_escalate,
    })
