"""What a tariff IS: the price of a stay as data, which an event stores and which is read back years later.

Five published tariffs (`published_tariffs.py`) differ in few things: which hours are charged, what is free and whether
that is deducted, what a started unit costs and after how long it costs something else, what begins again when (steps
and cap), who pays a share or for several spaces, and whether a price buys time or a whole day. Each of these is one
field here, and there are three kinds of rule: `Metered`, `DayPass`, `Exempt`.

Money is whole fen (¥0.01), duration whole seconds. Limits are inclusive, a started unit is a whole one. Hours of the
day are wall clock in the lot's zone; "24 hours" are elapsed seconds, whatever the clocks do in between. Every stay has
its own free period, once. What a kind of rule means never changes, since old bills are computed again by it: another
meaning is another kind.
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct

from libs.eventkit.decider import Refused

DAY_SECONDS = 86_400
HIGHEST = 10_000_000
"""Fen, of any one price or cap: beyond it a comma is in the wrong place."""
SHORTEST, LONGEST = 3600, 366 * DAY_SECONDS
"""Seconds: of what begins again and again, since a car may stand for years; of anything."""


class Hours(Struct, frozen=True):
    """Half-open, every day, of the lot's clock: `opens` counts, `closes` does not. Past midnight if `closes` is not after `opens`."""

    opens: time
    closes: time


class Free(Struct, frozen=True):
    """A stay of up to `seconds` (inclusive) costs nothing; beyond, it counts from entry, or if `deducted` from where
    the free time ended. With `hours`, only seconds inside them count towards it."""

    seconds: int
    deducted: bool = False
    hours: Hours | None = None


class Step(Struct, frozen=True):
    """`fen` for each started unit of `seconds`, for `units` units; then the next step begins.

    `seconds=None`: one price, however long. `units=None`: until the period ends. With `hours`, only seconds inside
    them count. `per_visit`: taken once, in the first period of the stay that reaches it, and passed over afterwards.
    """

    fen: int
    seconds: int | None
    units: int | None = 1
    hours: Hours | None = None
    per_visit: bool = False

    @property
    def length(self) -> int | None:
        """Counted seconds until the next step, None if there is none."""
        return None if self.seconds is None or self.units is None else self.seconds * self.units


class CalendarDay(Struct, frozen=True, tag="calendar_day"):
    """Steps and cap begin again at midnight. A day is one for all stays of a car: they share its cap, though each
    stay begins at the first step."""


class SinceEntry(Struct, frozen=True, tag="since_entry"):
    """Steps and cap begin again every `seconds` after entry; the cap is the stay's own."""

    seconds: int = DAY_SECONDS


class Metered(Struct, frozen=True, tag="metered"):
    """Time is measured and priced by `steps`, again in each period, up to `cap_fen` a period (None: no cap)."""

    steps: tuple[Step, ...]
    period: CalendarDay | SinceEntry
    cap_fen: int | None = None
    free: Free | None = None


class DayPass(Struct, frozen=True, tag="day_pass"):
    """Time that no pass of the car covers, if it exceeds `free_seconds`, buys one for `fen` where it begins; it
    covers everything of this car for `seconds` from there, across stays. Free time buys none."""

    fen: int
    free_seconds: int
    seconds: int = DAY_SECONDS


class Exempt(Struct, frozen=True, tag="exempt"):
    """This class pays nothing here."""


Rule = Metered | DayPass | Exempt


class Share(Struct, frozen=True):
    """What of the price, cap included, is paid; a part of a fen is not."""

    numerator: int
    denominator: int


WHOLE = Share(1, 1)


class Vehicle(Struct, frozen=True):
    """What is known of a vehicle. `load_kg`: what it may carry. `spaces`: how many spaces for small cars it takes up."""

    kind: str = "motor_vehicle"
    seats: int | None = None
    load_kg: int | None = None
    new_energy: bool = False
    spaces: int = 1


class Belongs(Struct, frozen=True):
    """Who belongs to a class; limits are inclusive. A fact that is not known keeps nobody out."""

    kinds: tuple[str, ...] = ("motor_vehicle",)
    new_energy: bool | None = None
    max_seats: int | None = None
    max_load_kg: int | None = None
    max_spaces: int | None = None

    def holds(self, vehicle: Vehicle) -> bool:
        return (
            vehicle.kind in self.kinds
            and self.new_energy in (None, vehicle.new_energy)
            and _within(vehicle.seats, self.max_seats)
            and _within(vehicle.load_kg, self.max_load_kg)
            and _within(vehicle.spaces, self.max_spaces))


def _within(known: int | None, limit: int | None) -> bool:
    return known is None or limit is None or known <= limit


class VehicleClass(Struct, frozen=True):
    """`per_space`: pays prices and cap once for each space that the vehicle takes up."""

    name: str
    rule: Rule
    belongs: Belongs = Belongs()
    share: Share = WHOLE
    per_space: bool = False


class Tariff(Struct, frozen=True):
    """`version` counts from 1; a version never changes once a bill names it. `source`: where the prices were
    published. The order of `classes` matters: a vehicle belongs to the first that it fits."""

    name: str
    version: int
    source: str
    classes: tuple[VehicleClass, ...]

    def named(self, vehicle_class: str) -> VehicleClass:
        """Raises Refused `class_not_in_tariff`."""
        for found in self.classes:
            if found.name == vehicle_class:
                return found
        raise Refused("class_not_in_tariff", tariff=self.name, version=self.version, vehicle_class=vehicle_class)

    def class_of(self, vehicle: Vehicle) -> VehicleClass:
        """Raises Refused `vehicle_in_no_class`."""
        for found in self.classes:
            if found.belongs.holds(vehicle):
                return found
        raise Refused("vehicle_in_no_class", tariff=self.name, version=self.version, kind=vehicle.kind)


class Adoption(Struct, frozen=True):
    """From the beginning of the day `since`, in the lot's zone, the lot charges by `tariff`: whoever has not come in before
    `adopted_at`, None where nobody noted it."""

    tariff: Tariff
    since: date
    adopted_at: datetime | None = None


def in_force(adoptions: tuple[Adoption, ...], entry: datetime, zone: str) -> Tariff:
    """The tariff of the day of entry, by which the whole stay is priced: the terms that the driver met at the gate. What was adopted
    later on that day is none of them. Of two adoptions for one day the later in the tuple counts. Raises Refused `no_tariff_in_force`,
    `time_without_zone`."""
    if entry.utcoffset() is None:
        raise Refused("time_without_zone")
    day = entry.astimezone(ZoneInfo(zone)).date()
    known = [adoption for adoption in adoptions if adoption.adopted_at is None or adoption.adopted_at <= entry]
    begun = [adoption for adoption in known if adoption.since <= day]
    if not begun:
        raise Refused("no_tariff_in_force", day=day)
    latest = max(adoption.since for adoption in begun)
    return [adoption.tariff for adoption in begun if adoption.since == latest][-1]


def check(tariff: Tariff) -> None:
    """To be asked before a tariff is adopted; billing takes a tariff as it is.

    Raises Refused: `tariff_without_classes`, `class_named_twice`, or for a class `price_negative`, `price_too_high`,
    `duration_not_positive`, `duration_too_long`, `period_too_short`, `cap_negative`, `share_not_a_part`,
    `steps_without_end` (the last step, and only the last, is open-ended), `hours_with_offset`, `hours_empty`."""
    if not tariff.classes:
        raise Refused("tariff_without_classes")
    names = [vehicle_class.name for vehicle_class in tariff.classes]
    if len(names) != len(set(names)):
        raise Refused("class_named_twice")
    for vehicle_class in tariff.classes:
        fault = _fault(vehicle_class)
        if fault is not None:
            raise Refused(fault, vehicle_class=vehicle_class.name)


def _fault(vehicle_class: VehicleClass) -> str | None:
    share = vehicle_class.share
    if not 0 <= share.numerator <= share.denominator or share.denominator == 0:
        return "share_not_a_part"
    match vehicle_class.rule:
        case DayPass(fen=fen, free_seconds=free, seconds=seconds):
            if fen < 0:
                return "price_negative"
            return "duration_not_positive" if free < 0 or seconds <= 0 else _beyond([fen], [free, seconds], seconds)
        case Metered() as metered:
            return _fault_of_metered(metered)
        case _:
            return None


def _beyond(prices: list[int], durations: list[int], period: int) -> str | None:
    if any(fen > HIGHEST for fen in prices):
        return "price_too_high"
    if any(seconds > LONGEST for seconds in durations):
        return "duration_too_long"
    return "period_too_short" if period < SHORTEST else None


def _fault_of_metered(rule: Metered) -> str | None:
    period = rule.period.seconds if isinstance(rule.period, SinceEntry) else DAY_SECONDS
    durations = [step.seconds for step in rule.steps if step.seconds is not None]
    durations += [step.units for step in rule.steps if step.units is not None]
    durations += [rule.free.seconds, period] if rule.free else [period]
    hours = [step.hours for step in rule.steps] + [rule.free.hours if rule.free else None]
    if any(step.fen < 0 for step in rule.steps):
        return "price_negative"
    if any(duration <= 0 for duration in durations):
        return "duration_not_positive"
    if rule.cap_fen is not None and rule.cap_fen < 0:
        return "cap_negative"
    if not rule.steps or [step.length is None for step in rule.steps] != [False] * (len(rule.steps) - 1) + [True]:
        return "steps_without_end"
    if any(wall.tzinfo is not None for found in hours if found is not None for wall in (found.opens, found.closes)):
        return "hours_with_offset"
    if any(found is not None and found.opens == found.closes for found in hours):
        return "hours_empty"
    return _beyond([rule.cap_fen or 0, *(step.fen for step in rule.steps)], durations, period)
