"""Serial numbers that have been seen, as ranges."""

from bisect import bisect_right

from msgspec import Struct

RANGES = 1000
"""Beyond that the lowest are forgotten: what then comes again is taken as new, which loses nothing."""
_BEYOND = 2**63

Gap = tuple[int, int]
"""What lies between two numbers: after the first, before the second."""


class Serials(Struct, frozen=True):
    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, serial: int) -> bool:
        i = bisect_right(self.ranges, (serial, _BEYOND)) - 1
        return i >= 0 and serial <= self.ranges[i][1]

    def never(self, serial: int) -> bool:
        """Whether it has certainly not been seen."""
        return len(self.ranges) < RANGES and serial not in self

    def add(self, serial: int) -> "Serials":
        i = bisect_right(self.ranges, (serial, _BEYOND))
        below, above = self.ranges[:i], self.ranges[i:]
        first = last = serial
        if below and below[-1][1] >= serial - 1:
            first, last = below[-1][0], max(below[-1][1], serial)
            below = below[:-1]
        if above and above[0][0] == last + 1:
            last, above = above[0][1], above[1:]
        return Serials((*below, (first, last), *above)[-RANGES:])

    def below(self, serial: int) -> int | None:
        """The highest number seen under this one."""
        i = bisect_right(self.ranges, (serial - 1, _BEYOND)) - 1
        return min(self.ranges[i][1], serial - 1) if i >= 0 else None

    def missing(self, after: int, before: int) -> tuple[Gap, ...]:
        """The gaps between two numbers, in their order."""
        gaps, reached = [], after
        for first, last in self.ranges:
            if last <= reached:
                continue
            if first >= before:
                break
            if first > reached + 1:
                gaps.append((reached, first))
            reached = last
        return (*gaps, (reached, before)) if before > reached + 1 else tuple(gaps)
