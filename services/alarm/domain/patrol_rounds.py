"""A round of a patrol: at which stop somebody was early, on time or late, and which was missed (智能巡更).

1. A scan is of the stop at its point whose time is nearest; within `tolerance` it is on time, within `counts` early or late, else it is of
   no stop of this round. Of several the nearest to the stop's time counts. So the end is the same in whatever order they are told.
2. A stop that nobody has been at when its time and `counts` are over is missed.
3. A round is judged as soon as nothing is open any more, and judged again whenever what a phone had kept is told later and changes that.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider
from services.alarm.domain.patrol_routes import Round

Met = Literal["early", "on_time", "late"]
How = Literal["early", "on_time", "late", "missed"]


class Visit(Struct, frozen=True):
    scan_id: UUID
    by: UUID
    at: datetime


# what happened


class PatrolRoundOpened(Struct, frozen=True, tag="patrol_round_opened"):
    round: Round


class PatrolStopVisited(Struct, frozen=True, tag="patrol_stop_visited"):
    """Said again where a scan that is told later was nearer to the time. `stop`: its number, from 0."""

    round_id: UUID
    stop: int
    visit: Visit
    met: Met


class PatrolStopMissed(Struct, frozen=True, tag="patrol_stop_missed"):
    round_id: UUID
    stop: int


class PatrolRoundJudged(Struct, frozen=True, tag="patrol_round_judged"):
    """How many of its stops were met how; `times`: how often it has been judged."""

    round_id: UUID
    route_id: UUID
    name: str
    starts_at: datetime
    stops: dict[How, int]
    times: int


RoundEvent = PatrolRoundOpened | PatrolStopVisited | PatrolStopMissed | PatrolRoundJudged


# what is


class NoRound(Struct, frozen=True):
    pass


class Walked(Struct, frozen=True):
    """A round that has opened. `judged`: how it last was."""

    round: Round
    visits: Mapping[int, Visit] = {}
    missed: frozenset[int] = frozenset()
    judged: PatrolRoundJudged | None = None


RoundState = NoRound | Walked


def evolve(state: RoundState, event: RoundEvent) -> RoundState:
    match state, event:
        case NoRound(), PatrolRoundOpened(round=new):
            return Walked(new)
        case Walked(visits=visits, missed=missed), PatrolStopVisited(stop=stop, visit=visit):
            return replace(state, visits={**visits, stop: visit}, missed=missed - {stop})
        case Walked(missed=missed), PatrolStopMissed(stop=stop):
            return replace(state, missed=missed | {stop})
        case Walked(), PatrolRoundJudged():
            return replace(state, judged=event)
        case _:
            return state


# what is asked


class OpenRound(Struct, frozen=True):
    round: Round


class VisitPoint(Struct, frozen=True):
    """`round` as it was begun, should this be the first that is heard of it."""

    round: Round
    point_id: UUID
    visit: Visit


class CloseStops(Struct, frozen=True):
    now: datetime


def decide_open(command: OpenRound, state: RoundState) -> list[RoundEvent]:
    return [PatrolRoundOpened(command.round)] if isinstance(state, NoRound) else []


def decide_visit(command: VisitPoint, state: RoundState) -> list[RoundEvent]:
    opened, visit = decide_open(OpenRound(command.round), state), command.visit
    walked = _walked(_after(state, opened))
    stop = nearest(walked.round, command.point_id, visit.at)
    known = walked.visits.get(stop) if stop is not None else None
    if stop is None or (known is not None and _order(walked.round, stop, known) <= _order(walked.round, stop, visit)):
        return opened
    met = met_by(walked.round, stop, visit.at)
    return _judged(state, [*opened, PatrolStopVisited(walked.round.round_id, stop, visit, met)])


def decide_close(command: CloseStops, state: RoundState) -> list[RoundEvent]:
    match state:
        case NoRound():
            return []
        case Walked(round=walked):
            over = [stop for stop in open_stops(state) if walked.due(stop) + walked.counts <= command.now]
            return _judged(state, [PatrolStopMissed(walked.round_id, stop) for stop in over])
        case _:
            assert_never(state)


def nearest(walked: Round, point_id: UUID, at: datetime) -> int | None:
    """The stop that a scan at a point is of; of two that are as near the earlier."""
    near = [(off(walked, n, at), n) for n, stop in enumerate(walked.course.stops) if stop.point_id == point_id]
    distance, stop = min(near, default=(walked.counts, -1))
    return stop if stop >= 0 and distance <= walked.counts else None


def off(walked: Round, stop: int, at: datetime) -> timedelta:
    """How far a moment is from a stop's time."""
    return abs(at - walked.due(stop))


def met_by(walked: Round, stop: int, at: datetime) -> Met:
    if off(walked, stop, at) <= timedelta(minutes=walked.course.tolerance):
        return "on_time"
    return "early" if at < walked.due(stop) else "late"


def open_stops(walked: Walked) -> list[int]:
    return [n for n in range(len(walked.round.course.stops)) if n not in walked.visits and n not in walked.missed]


def due(state: RoundState) -> datetime | None:
    """When the next stop has to be closed."""
    if isinstance(state, NoRound):
        return None
    return min((state.round.due(stop) + state.round.counts for stop in open_stops(state)), default=None)


def _order(walked: Round, stop: int, visit: Visit) -> tuple[timedelta, datetime, UUID]:
    return off(walked, stop, visit.at), visit.at, visit.scan_id


def _judged(before: RoundState, new: list[RoundEvent]) -> list[RoundEvent]:
    """With how the round is judged, where nothing is open any more and it was not judged so before."""
    if not new or open_stops(walked := _walked(_after(before, new))):
        return new
    one, last = walked.round, walked.judged
    met = Counter[How](met_by(one, stop, visit.at) for stop, visit in walked.visits.items())
    stops: dict[How, int] = {"early": met["early"], "on_time": met["on_time"], "late": met["late"], "missed": len(walked.missed)}
    if last is not None and last.stops == stops:
        return new
    times = last.times + 1 if last is not None else 1
    return [*new, PatrolRoundJudged(one.round_id, one.route_id, one.course.name, one.starts_at, stops, times)]


def _after(state: RoundState, events: list[RoundEvent]) -> RoundState:
    for event in events:
        state = evolve(state, event)
    return state


def _walked(state: RoundState) -> Walked:
    assert isinstance(state, Walked)
    return state


ROUNDS = Decider[RoundState, RoundEvent](
    category="patrol_round", initial=NoRound(), evolve=evolve,
    decide={OpenRound: decide_open, VisitPoint: decide_visit, CloseStops: decide_close})
