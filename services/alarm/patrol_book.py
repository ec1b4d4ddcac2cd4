"""What alarm keeps in memory of patrols: at which point a tag hangs and hung, and by which points routes have ever gone. A fold of
the own log."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import NotFound, NotYet, Refused
from libs.eventkit.memory import Memory
from libs.eventkit.privacy import BlindIndex
from libs.eventkit.recorded import Recorded
from services.alarm.domain.patrol_points import PatrolPointPlaced
from services.alarm.domain.patrol_routes import PatrolRouteSet

NUMBER = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2})+")
"""Of an NFC tag: written with and without colons, in small and large letters."""
EVENTS = (PatrolPointPlaced, PatrolRouteSet)


class Hung(Struct):
    """A tag at a point as that was, up to `until` (None: still)."""

    placed: PatrolPointPlaced
    until: datetime | None = None


class PatrolBook:
    """`memory` says how fresh it is."""

    def __init__(self) -> None:
        self.memory = Memory("patrol_book", EVENTS, self._apply)
        self._points: dict[tuple[UUID, UUID], PatrolPointPlaced] = {}
        self._tagged: dict[tuple[UUID, str], list[Hung]] = {}
        self._routes: dict[tuple[UUID, UUID], dict[UUID, None]] = {}

    def _apply(self, event: Any, row: Recorded) -> None:
        here = row.community_id
        match event:
            case PatrolPointPlaced(point_id=point_id, tag=tag, in_use=in_use):
                if (before := self._points.get((here, point_id))) is not None and before.in_use:
                    self._tagged[here, before.tag][-1].until = row.recorded_at
                self._points[here, point_id] = event
                if in_use:
                    self._tagged.setdefault((here, tag), []).append(Hung(event))
            case PatrolRouteSet(route_id=route_id, course=course):
                for stop in course.stops:
                    self._routes.setdefault((here, stop.point_id), {})[route_id] = None

    def understood(self, community_id: UUID) -> None:
        """Raises NotYet where this version cannot read all that was said of the community: a tag or a route might be there."""
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def walkable(self, community_id: UUID, point_id: UUID) -> None:
        """Raises NotFound, also for a point of another community; Refused `point_not_in_use`."""
        known = self._points.get((community_id, point_id))
        if known is None:
            raise NotFound("patrol_point")
        if not known.in_use:
            raise Refused("point_not_in_use")

    def tagged(self, community_id: UUID, tag: str, at: datetime) -> PatrolPointPlaced | None:
        """The point that this tag (its keyed hash) hung at then, as it was; where it hung nowhere yet, the next: tags are put up first and
        told of later."""
        hung = self._tagged.get((community_id, tag), ())
        return next((one.placed for one in hung if one.until is None or at < one.until), None)

    def routes(self, community_id: UUID, point_id: UUID) -> list[UUID]:
        """Those that go by this point, or did."""
        return list(self._routes.get((community_id, point_id), ()))


def tag_of(blind: BlindIndex, community_id: UUID, tag: str) -> str:
    """What is read of a tag as a keyed hash; the same however a tag's number is written."""
    return blind.of(community_id, "patrol tag", tag.replace(":", "").upper() if NUMBER.fullmatch(tag) else tag)
