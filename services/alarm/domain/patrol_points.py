"""A place that patrols go by (巡更点): an NFC tag or a QR code on a wall, and where that is. A tag is of one point.

The tag stands in the log as a keyed hash alone: whoever could read it could be there without going.
"""

from math import asin, cos, radians, sin, sqrt
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from services.alarm.domain.kinds import Place

EARTH = 6_371_008.8
"""Metres: the mean radius of WGS 84."""


class Ground(Struct, frozen=True):
    """WGS 84, in degrees; whoever is within so many metres of it is there."""

    longitude: float
    latitude: float
    within: int


# what happened


class PatrolPointPlaced(Struct, frozen=True, tag="patrol_point_placed"):
    """Said again when that changes. `tag`: keyed hash. `in_use` false: its tag may be used elsewhere."""

    point_id: UUID
    name: str
    place: Place
    spot: Ground | None
    tag: str
    in_use: bool = True


# what is


class NoPoint(Struct, frozen=True):
    pass


class Point(Struct, frozen=True):
    said: PatrolPointPlaced


PointState = NoPoint | Point


def evolve(point: PointState, event: PatrolPointPlaced) -> PointState:
    return Point(event) if isinstance(event, PatrolPointPlaced) else point


# what is asked


class PlacePatrolPoint(Struct, frozen=True):
    """`placed.tag` empty: the one that it has."""

    placed: PatrolPointPlaced


def decide_place(command: PlacePatrolPoint, point: PointState) -> list[PatrolPointPlaced]:
    asked = command.placed
    tag = asked.tag or (point.said.tag if isinstance(point, Point) else "")
    if not tag:
        raise Refused("tag_missing")
    placed = PatrolPointPlaced(asked.point_id, asked.name, asked.place, asked.spot, tag, asked.in_use)
    return [] if point == Point(placed) else [placed]


def claims(command: PlacePatrolPoint, event: PatrolPointPlaced) -> tuple[Release | Take, ...]:
    taken = (Take("patrol-tag", event.tag, "tag_of_another_point"),) if event.in_use else ()
    return Release("patrol-tag"), *taken


POINTS = Decider[PointState, PatrolPointPlaced](
    category="patrol_point", initial=NoPoint(), evolve=evolve, decide={PlacePatrolPoint: decide_place}, claims=claims)


def metres(spot: Ground, longitude: float, latitude: float) -> float:
    """Between two places on the ground (haversine)."""
    north, other = radians(spot.latitude), radians(latitude)
    half = sin((other - north) / 2) ** 2 + cos(north) * cos(other) * sin(radians(longitude - spot.longitude) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))
