"""Measuring side by side: every side has its turn in every round, and the middle round counts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from typing import Any

from msgspec import Struct

LONGEST_LINE = 64 * 2**20
"""Bytes of one line from another process: all its times, one by one."""


class Measured(Struct, frozen=True):
    """One side in one round: its figure, and where calls were timed one by one, milliseconds of the 50th and 99th."""

    value: float
    p50: float | None = None
    p99: float | None = None


Side = Callable[[], Awaitable[Measured]]


class Sides(Struct, frozen=True):
    """All rounds of all sides of one row."""

    rounds: dict[str, list[Measured]]

    def value(self, side: str) -> float:
        return median(m.value for m in self.rounds[side])

    def ratio(self, side: str, other: str) -> float:
        """The median of the rounds' own ratios: what slowed a round down has slowed both sides of it."""
        return median(a.value / b.value for a, b in zip(self.rounds[side], self.rounds[other], strict=True))

    def p99(self, side: str) -> float:
        return median(m.p99 or 0.0 for m in self.rounds[side])

    def spread(self) -> dict[str, dict[str, Any]]:
        """What lies behind the medians: least and greatest of the rounds, and the median p99 where there is one."""
        found: dict[str, dict[str, Any]] = {}
        for name, rounds in self.rounds.items():
            values = [m.value for m in rounds]
            found[name] = {"value": rounded(median(values)), "min": rounded(min(values)), "max": rounded(max(values))}
            if rounds[0].p99 is not None:
                found[name]["p99_ms"] = rounded(self.p99(name))
        return found


async def side_by_side(sides: Mapping[str, Side], rounds: int) -> Sides:
    """Another side begins each round, so that none always follows the same one. One round before them is thrown away."""
    found: dict[str, list[Measured]] = {name: [] for name in sides}
    names = list(sides)
    for name in names:
        await sides[name]()
    for n in range(rounds):
        for name in names[n % len(names):] + names[:n % len(names)]:
            found[name].append(await sides[name]())
    return Sides(found)


def percentile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rounded(value: float) -> float:
    """Three significant digits: more is noise."""
    return float(f"{value:.3g}")


class Part(Struct, frozen=True):
    """Something compared with; `value` None where it could not be measured (`of` says why)."""

    of: str
    value: float | None


class Result(Struct, frozen=True, omit_defaults=True):
    """`of_limit`, `of_peer`: medians of the ratios round by round, which the goals are about where they name a ratio.
    `p99`: milliseconds, where the goal names them. `decided`: the share that was answered by a decision, not by a fallback.
    `through`: how many a second came through from end to end; below the rate, `ours` is mostly the queue."""

    row: str
    unit: str
    ours: float
    limit: Part
    peer: Part
    goal: str
    met: bool
    of_limit: float
    of_peer: float | None
    rounds: int
    spread: dict[str, dict[str, Any]]
    p99: float | None = None
    decided: float | None = None
    through: float | None = None
