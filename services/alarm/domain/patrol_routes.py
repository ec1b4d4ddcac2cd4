"""A patrol's route: by which points it goes, how long after its start, and on which days at what times it starts.

A round is begun when the first of its stops may be reached, for every start since the route has been as it is, also where everything
stood still meanwhile. What has begun stays as it was begun; a route that changes or is given up changes the rounds that come after.
Starts are by the community's clock: one that its clock leaps over is as much later, one that it has twice is the first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import dropwhile, zip_longest
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, Refused, VersionMismatch
from services.alarm.domain.patrol_scans import KEPT

MOST_STOPS, MOST_STARTS, LONGEST = 100, 96, 720
"""Stops of a route, starts a day, and minutes from the start to the last stop."""
REMEMBERED = KEPT + timedelta(minutes=3 * LONGEST)
"""Between the start of a round that may still be judged and that of the newest: its last stop is so long after its start and may be reached
so late, and the newest begins so early."""
AT_ONCE = 50
"""Rounds begun by one command, where many are due."""


class Stop(Struct, frozen=True):
    """`after`: minutes from the start."""

    point_id: UUID
    after: int


class Course(Struct, frozen=True):
    """Minutes: whoever comes to a stop within `tolerance` of its time is on time, within `counts` early or late, else not in this round."""

    name: str
    stops: tuple[Stop, ...]
    tolerance: int
    counts: int


class Timetable(Struct, frozen=True):
    """`weekdays` by ISO 8601 (1: Monday), `starts` in minutes of the day."""

    zone: str
    weekdays: tuple[int, ...]
    starts: tuple[int, ...]


class Round(Struct, frozen=True):
    """One time that a route is to be walked, as it was when the round began."""

    round_id: UUID
    route_id: UUID
    starts_at: datetime
    course: Course

    def due(self, stop: int) -> datetime:
        return self.starts_at + timedelta(minutes=self.course.stops[stop].after)

    @property
    def counts(self) -> timedelta:
        return timedelta(minutes=self.course.counts)

    @property
    def opens(self) -> datetime:
        return self.due(0) - self.counts


# what happened


class PatrolRouteSet(Struct, frozen=True, tag="patrol_route_set"):
    """Said again when that changes, `edition` counts how often. `since`: starts before are none of it. `in_use` false: no further round
    begins."""

    route_id: UUID
    course: Course
    timetable: Timetable
    in_use: bool
    since: datetime
    edition: int = 1


class PatrolRoundBegun(Struct, frozen=True, tag="patrol_round_begun"):
    round: Round


RouteEvent = PatrolRouteSet | PatrolRoundBegun


# what is


class NoRoute(Struct, frozen=True):
    pass


class Route(Struct, frozen=True):
    """`said`: how it has been set since its last round began, the latest last, the first since that round. `begun`: rounds that may still
    be judged."""

    said: tuple[PatrolRouteSet, ...]
    begun: tuple[Round, ...] = ()


RouteState = NoRoute | Route


def evolve(route: RouteState, event: RouteEvent) -> RouteState:
    match route, event:
        case NoRoute(), PatrolRouteSet():
            return Route((event,))
        case Route(said=said, begun=begun), PatrolRouteSet():
            return Route((*said, event), begun)
        case Route(said=said, begun=begun), PatrolRoundBegun(round=new):
            ended = sum(after.since < new.starts_at for after in said[1:])
            since = new.starts_at - REMEMBERED
            kept = dropwhile(lambda one: one.starts_at < since, begun)
            return Route((replace(said[ended], since=new.starts_at), *said[ended + 1:]), (*kept, new))
        case _:
            return route


# what is asked


class SetPatrolRoute(Struct, frozen=True):
    """`seen`: the edition that the caller knows (0: none). A round that begins meanwhile does not change it, though it does the stream."""

    said: PatrolRouteSet
    seen: int


class BeginRounds(Struct, frozen=True):
    """All that open by `now`."""

    now: datetime


def decide_set(command: SetPatrolRoute, route: RouteState) -> list[RouteEvent]:
    asked = command.said
    afters = [stop.after for stop in asked.course.stops]
    if not 1 <= len(afters) <= MOST_STOPS:
        raise Refused("stops_out_of_range", most=MOST_STOPS)
    if afters != sorted(afters) or afters[0] < 0 or afters[-1] > LONGEST:
        raise Refused("stops_out_of_order", longest_minutes=LONGEST)
    if not 0 < asked.course.tolerance <= asked.course.counts:
        raise Refused("tolerance_out_of_range")
    last = route.said[-1] if isinstance(route, Route) else None
    edition = last.edition if last is not None else 0
    if command.seen != edition:
        raise VersionMismatch(f"patrol_route:{asked.route_id}")
    if last is not None and (last.course, last.timetable, last.in_use) == (asked.course, asked.timetable, asked.in_use):
        return []
    return [replace(asked, edition=edition + 1)]


def decide_begin(command: BeginRounds, route: RouteState) -> list[RouteEvent]:
    begun: list[RouteEvent] = []
    while len(begun) < AT_ONCE and (one := next_round(route)) is not None and one.opens <= command.now:
        begun.append(PatrolRoundBegun(one))
        route = evolve(route, begun[-1])
    return begun


def next_round(route: RouteState) -> Round | None:
    """None where the route is out of use."""
    if isinstance(route, NoRoute):
        return None
    for said, after in zip_longest(route.said, route.said[1:]):
        ahead = {one.starts_at for one in route.begun if one.starts_at > said.since}
        start = next((start for start in starts(said.timetable, said.since) if start not in ahead), None) if said.in_use else None
        if start is not None and (after is None or start <= after.since):
            return Round(uuid5(said.route_id, start.isoformat()), said.route_id, start, said.course)
    return None


def due(route: RouteState) -> datetime | None:
    """When a round has to begin."""
    return one.opens if (one := next_round(route)) is not None else None


def starts(table: Timetable, after: datetime) -> Iterator[datetime]:
    """In their order, those later than `after` of the days around it."""
    day = after.astimezone(_zone(table.zone)).date() - timedelta(days=1)
    for _ in range(10):
        yield from (start for start in _starts_on(table, day) if start > after)
        day += timedelta(days=1)


@lru_cache(256)
def _starts_on(table: Timetable, day: date) -> list[datetime]:
    """Remembered: who reads years of a route asks for each day as often as it has rounds."""
    if day.isoweekday() not in table.weekdays:
        return []
    zone = _zone(table.zone)
    return sorted({datetime.combine(day, time(*divmod(minute, 60)), zone).astimezone(UTC) for minute in table.starts})


_zone = cache(ZoneInfo)


ROUTES = Decider[RouteState, RouteEvent](
    category="patrol_route", initial=NoRoute(), evolve=evolve,
    decide={SetPatrolRoute: decide_set, BeginRounds: decide_begin})
