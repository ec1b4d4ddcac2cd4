"""How long people have for each step of an incident, and who is told when they have not taken it.

The numbers are ours, except where a source is named: no standard that we know gives deadlines for a community's control room.
A community may set others (`ladder_settings.py`).

| | acknowledge | verify | dispatch | resolve | next level after |
|---|---|---|---|---|---|
| critical | 60 s: somebody sits at the desk | 180 s: two cameras, or two floors on foot | 120 s: one telephone call | 2 h | 60 s |
| high | 3 min: one patrol may be at another screen | 10 min: a walk across the community | 10 min | 8 h: one shift | 5 min |
| low | 30 min | 4 h: within the shift | 8 h: the next working day | 3 days: a spare part | 1 h |

Each level tells everybody of the level before and one role more. Of duress and panic the police are the third, of all else the
operator, who sees that the desk is not manned. The highest level stays; it is not said again and again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from services.alarm.domain.kinds import IncidentKind, Severity

Step = Literal["acknowledgement", "verification", "dispatch", "resolution"]


class Ladder(Struct, frozen=True):
    """Seconds for each step, counted from the step before; `again`: from one level to the next."""

    acknowledge: int
    verify: int
    dispatch: int
    resolve: int
    again: int

    def until(self, step: Step, start: datetime) -> datetime:
        seconds = {
            "acknowledgement": self.acknowledge, "verification": self.verify, "dispatch": self.dispatch, "resolution": self.resolve}
        return start + timedelta(seconds=seconds[step])


LADDERS: Mapping[Severity, Ladder] = {
    "critical": Ladder(60, 180, 120, 7200, 60),
    "high": Ladder(180, 600, 600, 28_800, 300),
    "low": Ladder(1800, 14_400, 28_800, 259_200, 3600),
}
FIRST, SECOND = ("guard", "staff"), ("guard", "staff", "grid")
POLICE: frozenset[IncidentKind] = frozenset({"duress", "panic"})


def levels_of(kind: IncidentKind) -> tuple[tuple[str, ...], ...]:
    """Who is told at level 1, 2, …"""
    return FIRST, SECOND, (*SECOND, "police" if kind in POLICE else "operator")
