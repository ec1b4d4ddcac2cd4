"""How long a home is usually silent, from when it has given signs of life. Pure.

What a home does on nine days of ten is its rhythm: of each day's longest silence (that which ended on it) the one that nine of ten do not
exceed, and a quarter more. Until it is known, after `ENOUGH` days with a sign, the longest that the arrangement allows. Nobody is asked at
night: what falls due between 22:00 and 7:00 is due at 7:00, for at night silence says nothing. The numbers are ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from msgspec import Struct

LEARNT, ENOUGH = timedelta(days=28), 7
MORE = 1.25
NIGHT, MORNING = time(22), time(7)


class Absence(Struct, frozen=True):
    """Nobody is at home, or was: silence says nothing then."""

    since: datetime
    until: datetime


def silences(last: datetime | None, signs: Iterable[datetime], absences: Sequence[Absence], zone: str) -> dict[date, int]:
    """The longest silence, in minutes, that ended on each day. One in which nobody was at home is none."""
    found: dict[date, int] = {}
    for sign in sorted(signs):
        if last is not None and last < sign and not any(one.since < sign and last < one.until for one in absences):
            day = sign.astimezone(_zone(zone)).date()
            found[day] = max(found.get(day, 0), int((sign - last).total_seconds() // 60))
        last = max(last or sign, sign)
    return found


def learnt(known: Mapping[date, int], new: Mapping[date, int]) -> dict[date, int]:
    """Both, without what is older than `LEARNT`."""
    both = {day: max(known.get(day, 0), new.get(day, 0)) for day in sorted({*known, *new})}
    return {day: minutes for day, minutes in both.items() if max(both) - day < LEARNT}


def usual(days: Mapping[date, int], least: timedelta, most: timedelta) -> timedelta:
    """How long it may be silent without anybody's asking."""
    longest = sorted(days.values(), reverse=True)
    if len(longest) < ENOUGH:
        return most
    return max(least, min(most, MORE * timedelta(minutes=longest[len(longest) // 10])))


def by_day(at: datetime, zone: str) -> datetime:
    """That moment, or the end of the night that it falls in."""
    here = at.astimezone(_zone(zone))
    if MORNING <= here.time() < NIGHT:
        return at
    day = here.date() + timedelta(days=1) if here.time() >= NIGHT else here.date()
    return datetime.combine(day, MORNING, _zone(zone)).astimezone(at.tzinfo)


_zone = cache(ZoneInfo)
