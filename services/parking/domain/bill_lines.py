"""The lines of a bill: what each of them says, which of them count for a stay that follows, and how the bill of years stays a page."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

Code = Literal[
    "class_corrected", "on_duty", "permit", "exempt", "free_period", "free_period_exceeded", "step", "cap", "day_pass",
    "covered_by_pass", "share", "as_before"]
Facts = dict[str, int | str]


class Line(Struct, frozen=True, kw_only=True):
    """`stay`: which of the bill's stays, from 0. `starts`, `ends`: in the lot's zone. `amount_fen` = `units` × `unit_fen`.

    `facts` by code, durations in seconds:
    class_corrected `read_at_entry`, `vehicle_class`; exempt `vehicle_class`; free_period and free_period_exceeded
    `free_seconds`, `counted_seconds`, `deducted` (1 or 0); step `step` (from 1), `seconds` (counted), `unit_seconds` (0: one
    price however long), `after_seconds` (length of the steps before it), `per_visit` (1 or 0), `spaces`; cap `cap_fen`,
    `before_fen` (paid of this day's cap by earlier stays), `spaces`; day_pass `spaces`, and the line ends where the pass does;
    share `numerator`, `denominator`, `of_fen`; as_before `repeats`: of so many lines right before it, the sum, `units` times more. A
    step and a cap also have `day` (a date) or `period` (from 1, since entry); what counts only inside hours of the day has `opens`
    and `closes`.
    """

    code: Code
    stay: int
    starts: datetime
    ends: datetime
    units: int = 0
    unit_fen: int = 0
    amount_fen: int
    facts: Facts = {}


def carried(lines: Iterable[Line], entry: datetime, zone: str) -> tuple[Line, ...]:
    """Of lines billed to a car before, those at which a stay looks that begins at `entry`: of that day, or of a pass that runs."""
    day = entry.astimezone(ZoneInfo(zone)).date().isoformat()
    return tuple(
        line for line in lines
        if (line.code in ("step", "cap") and str(line.facts.get("day", "")) >= day) or (line.code == "day_pass" and line.ends > entry))


def together(known: tuple[Line, ...], more: tuple[Line, ...]) -> tuple[Line, ...]:
    """What bills of one car say between them: a line that several of them take along is one."""
    return (*known, *(line for line in more if line not in known))


def written(periods: list[list[Line]]) -> Iterator[Line]:
    """Periods, or passes, that cost the same in a row for the same reasons are written out once, and counted. The last is written out
    always: a stay that follows may share its day or be covered by its pass."""
    for _, same in groupby(periods[:-1], lambda lines: [_says(line) for line in lines]):
        first, *again = same
        yield from first
        if again:
            each = sum(line.amount_fen for line in first)
            yield replace(
                first[0], code="as_before", starts=again[0][0].starts, ends=again[-1][-1].ends, units=len(again), unit_fen=each,
                amount_fen=len(again) * each, facts={"repeats": len(first)})
    for last in periods[-1:]:
        yield from last


def _says(line: Line) -> tuple[Any, ...]:
    """What it would say on any other day."""
    return line.code, line.units, line.unit_fen, {name: fact for name, fact in line.facts.items() if name not in ("day", "period")}
