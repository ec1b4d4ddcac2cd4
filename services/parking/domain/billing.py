"""THE BILL: what a car owes for its stays, line by line, so that anyone can say why and add it up again.

Each line is `units` × `unit_fen`, and the total is the sum of the lines. What a cap or a share takes off is a negative
line of its own beside what it would have cost. What costs nothing has a line too: free time, a permit, a vehicle on
duty. The same stays under the same tariff give the same bill, however much later.

1. A stay of a vehicle on duty costs nothing (emergency vehicles: 国办发〔2018〕114号). Whether it was is a fact about the
   stay, never a pattern of its plate.
2. Time under a permit costs nothing; where a permit runs out or begins during a stay, a new stay begins.
3. The rest is priced by the class that the vehicle has when it pays, the whole stay.

A stay owes what it owes whatever comes after it: what was paid stays paid. A day that costs what the day before cost is counted
and not written out again (`bill_lines.py`): a car that was left behind for years has a bill that can be read, and sent.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec import Struct

from libs.eventkit.decider import Refused
from services.parking.domain.bill_lines import Code, Facts, Line, written
from services.parking.domain.lot_time import EPOCH, LotTime, seconds_begun, seconds_complete
from services.parking.domain.tariffs import CalendarDay, DayPass, Exempt, Free, Hours, Metered, SinceEntry, Step, Tariff, VehicleClass


class Stay(Struct, frozen=True):
    """Half-open. A second that is only partly inside, at entry or exit, is not counted."""

    entry: datetime
    exit: datetime
    on_duty: bool = False


class Permit(Struct, frozen=True):
    """Half-open: at `valid_until` it is valid no more."""

    valid_from: datetime
    valid_until: datetime


class Bill(Struct, frozen=True, kw_only=True):
    """Computed again from the tariff's version, the class, the stays, their permits and the lines billed before them."""

    tariff: str
    version: int
    vehicle_class: str
    lines: tuple[Line, ...]
    total_fen: int

    def of_stay(self, stay: int) -> int:
        """What this one of the stays owes, in fen."""
        return sum(line.amount_fen for line in self.lines if line.stay == stay)


def bill(
    tariff: Tariff, stays: tuple[Stay, ...], vehicle_class: str, zone: str, *, spaces: int = 1, read_at_entry: str | None = None,
    permits: tuple[Permit, ...] = (), earlier: tuple[Line, ...] = (),
) -> Bill:
    """The stays of ONE car in order of entry; `zone` is the lot's (IANA). `vehicle_class`: what it is now; `read_at_entry`:
    what it was taken for. `spaces`: spaces for small cars it took up. `earlier`: lines billed to this car before; what it
    paid of a day's cap and which passes it holds is read from them.

    Raises Refused: `class_not_in_tariff`, `spaces_not_positive`, `time_without_zone`, `exit_before_entry`, `stays_overlap`
    (or are out of order)."""
    found = tariff.named(vehicle_class)
    _check(stays, permits, spaces)
    lines: list[Line] = []
    for number, stay in enumerate(stays):
        desk = _Desk(found, LotTime(ZoneInfo(zone)), number, spaces if found.per_space else 1)
        if read_at_entry not in (None, vehicle_class):
            corrected: Facts = {"read_at_entry": str(read_at_entry), "vehicle_class": vehicle_class}
            lines.append(desk.line("class_corrected", *_seconds(stay), facts=corrected))
        lines += _bill_stay(desk, stay, permits, (*earlier, *lines))
    return Bill(
        tariff=tariff.name, version=tariff.version, vehicle_class=vehicle_class, lines=tuple(lines),
        total_fen=sum(line.amount_fen for line in lines))


def _check(stays: tuple[Stay, ...], permits: tuple[Permit, ...], spaces: int) -> None:
    if spaces < 1:
        raise Refused("spaces_not_positive", spaces=spaces)
    pairs = [(stay.entry, stay.exit) for stay in stays] + [(permit.valid_from, permit.valid_until) for permit in permits]
    if any(moment.utcoffset() is None for pair in pairs for moment in pair):
        raise Refused("time_without_zone")
    for stay in stays:
        if stay.exit - EPOCH < stay.entry - EPOCH:
            raise Refused("exit_before_entry", entry=stay.entry, exit=stay.exit)
    for before, after in pairwise(stays):
        if after.entry - EPOCH < before.exit - EPOCH:
            raise Refused("stays_overlap", exit=before.exit, entry=after.entry)


class _Desk(Struct, frozen=True):
    """What is the same for all lines of a stay."""

    vehicle_class: VehicleClass
    time: LotTime
    stay: int
    spaces: int

    def line(self, code: Code, start: int, end: int, units: int = 0, unit_fen: int = 0, facts: Facts | None = None) -> Line:
        return Line(
            code=code, stay=self.stay, starts=self.time.clock(start), ends=self.time.clock(end), units=units, unit_fen=unit_fen,
            amount_fen=units * unit_fen, facts=facts or {})


def _seconds(stay: Stay) -> tuple[int, int]:
    entry = seconds_complete(stay.entry)
    return entry, max(entry, seconds_begun(stay.exit))


def _bill_stay(desk: _Desk, stay: Stay, permits: tuple[Permit, ...], before: tuple[Line, ...]) -> Iterator[Line]:
    if stay.on_duty:
        yield desk.line("on_duty", *_seconds(stay))
        return
    said = list(before)
    for start, end, permitted in _parts(stay, permits):
        lines = [desk.line("permit", start, end)] if permitted else list(_price(desk, start, end, said))
        said += lines
        yield from lines


def _parts(stay: Stay, permits: tuple[Permit, ...]) -> Iterator[tuple[int, int, bool]]:
    now, end = _seconds(stay)
    if now == end:
        yield now, end, False
    for permit in sorted(permits, key=lambda permit: seconds_begun(permit.valid_from)):
        valid_from, valid_until = max(now, seconds_begun(permit.valid_from)), min(end, seconds_complete(permit.valid_until))
        if valid_from < valid_until:
            if now < valid_from:
                yield now, valid_from, False
            yield valid_from, valid_until, True
            now = valid_until
    if now < end:
        yield now, end, False


def _price(desk: _Desk, start: int, end: int, before: list[Line]) -> Iterator[Line]:
    match desk.vehicle_class.rule:
        case Exempt():
            yield desk.line("exempt", start, end, facts={"vehicle_class": desk.vehicle_class.name})
        case DayPass() as day_pass:
            yield from _passes(desk, day_pass, start, end, before)
        case Metered() as metered:
            yield from _metered(desk, metered, start, end, before)
        case rule:
            assert_never(rule)


def _passes(desk: _Desk, rule: DayPass, start: int, end: int, before: list[Line]) -> Iterator[Line]:
    covered = max((seconds_begun(line.ends) for line in before if line.code == "day_pass"), default=start)
    if covered > start:
        yield desk.line("covered_by_pass", start, min(end, covered))
        start = min(end, covered)
        if start == end:
            return
    passes: list[list[Line]] = []
    while end - start > rule.free_seconds:
        bought = desk.line("day_pass", start, start + rule.seconds, desk.spaces, rule.fen, {"spaces": desk.spaces})
        passes.append(_shared(desk, [bought], start, start + rule.seconds))
        start = min(end, start + rule.seconds)
    yield from written(passes)
    if start < end or not passes:
        yield desk.line("free_period", start, end, facts=_free_facts(rule.free_seconds, end - start))


def _metered(desk: _Desk, rule: Metered, start: int, end: int, before: list[Line]) -> Iterator[Line]:
    paid_from = start
    if rule.free is not None:
        free = _free(desk, rule.free, start, end)
        yield free
        if free.code == "free_period":
            paid_from = seconds_begun(free.ends)
    visited: set[int] = set()
    priced: list[list[Line]] = []
    for begins, ends, period in _periods(desk, rule.period, start, end):
        begins = max(paid_from, begins)
        if begins >= ends:
            continue
        lines = list(_steps(desk, rule.steps, begins, ends, visited, period))
        if rule.cap_fen is not None:
            lines += _cap(desk, rule.cap_fen, lines, before, begins, ends, period)
        if lines:
            priced.append(_shared(desk, lines, begins, ends))
    yield from written(priced)


def _free(desk: _Desk, free: Free, start: int, end: int) -> Line:
    counted = desk.time.counted(free.hours, start, end)
    facts = _free_facts(free.seconds, counted, free.deducted) | _hours(free.hours)
    if free.deducted:
        return desk.line("free_period", start, desk.time.after(free.hours, start, end, free.seconds), facts=facts)
    return desk.line("free_period_exceeded" if counted > free.seconds else "free_period", start, end, facts=facts)


def _free_facts(free_seconds: int, counted_seconds: int, deducted: bool = False) -> Facts:
    return {"free_seconds": free_seconds, "counted_seconds": counted_seconds, "deducted": int(deducted)}


def _hours(hours: Hours | None) -> Facts:
    return {} if hours is None else {"opens": hours.opens.isoformat(), "closes": hours.closes.isoformat()}


def _periods(desk: _Desk, kind: CalendarDay | SinceEntry, start: int, end: int) -> Iterator[tuple[int, int, Facts]]:
    number = 1
    while start < end:
        match kind:
            case CalendarDay():
                ends, period = desk.time.midnight_after(start), Facts(day=desk.time.clock(start).date().isoformat())
            case SinceEntry(seconds=seconds):
                ends, period = start + seconds, Facts(period=number)
            case _:
                assert_never(kind)
        yield start, min(end, ends), period
        start, number = ends, number + 1


def _steps(desk: _Desk, steps: tuple[Step, ...], start: int, end: int, visited: set[int], period: Facts) -> Iterator[Line]:
    after = 0
    for number, step in enumerate(steps, 1):
        if number in visited:
            continue
        ends = end if step.length is None else desk.time.after(step.hours, start, end, step.length)
        seconds = desk.time.counted(step.hours, start, ends)
        if seconds:
            units = 1 if step.seconds is None else -(-seconds // step.seconds)
            yield desk.line("step", start, ends, units * desk.spaces, step.fen, {
                "step": number, "seconds": seconds, "unit_seconds": step.seconds or 0, "after_seconds": after,
                "per_visit": int(step.per_visit), "spaces": desk.spaces, **period, **_hours(step.hours)})
            if step.per_visit:
                visited.add(number)
        start, after = ends, after + (step.length or 0)


def _cap(
    desk: _Desk, cap_fen: int, lines: list[Line], before: list[Line], start: int, end: int, period: Facts,
) -> Iterator[Line]:
    """Of a day's cap the car's earlier stays may have paid a part; a period since entry is this stay's own."""
    day, cap_fen = period.get("day"), cap_fen * desk.spaces
    paid = sum(line.amount_fen for line in before if line.code in ("step", "cap") and day and line.facts.get("day") == day)
    over = sum(line.amount_fen for line in lines) - max(0, cap_fen - paid)
    if over > 0:
        yield desk.line("cap", start, end, 1, -over, {"cap_fen": cap_fen, "before_fen": paid, "spaces": desk.spaces, **period})


def _shared(desk: _Desk, lines: list[Line], start: int, end: int) -> list[Line]:
    """Rounded down, for the one who pays, once for each period or pass."""
    share, of_fen = desk.vehicle_class.share, sum(line.amount_fen for line in lines)
    off = of_fen - of_fen * share.numerator // share.denominator
    if not off:
        return lines
    return [*lines, desk.line("share", start, end, 1, -off, {
        "numerator": share.numerator, "denominator": share.denominator, "of_fen": of_fen})]
