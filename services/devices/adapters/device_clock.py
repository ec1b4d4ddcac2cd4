"""Device clocks lie (domain, devices, rule 3): keep what was said, read what is unambiguous, flag the rest."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_TIME = re.compile(
    r"(?P<y>[0-9]{4})-?(?P<m>[0-9]{2})-?(?P<d>[0-9]{2})[T ]"
    r"(?P<H>[0-9]{2}):?(?P<M>[0-9]{2}):?(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?"
    r"\s?(?P<zone>[Zz]|(?P<sign>[+-]?)(?P<zh>[0-9]{2}):?(?P<zm>[0-9]{2})?)?"
)


def read_clock(raw: str) -> tuple[datetime | None, tuple[str, ...]]:
    """A moment in UTC, a naive one where no zone was given, or None; and what is wrong with it.

    Findings: clock_missing, clock_unreadable, clock_without_zone, clock_repaired. `2024-01-22T11:46:3100:00` has lost
    the sign of its zone: with 00:00 there is one reading, with any other zone there are two, so none is taken.
    """
    if not raw:
        return None, ("clock_missing",)
    match = _TIME.fullmatch(raw)
    if match is None:
        return None, ("clock_unreadable",)
    try:
        return _moment(match)
    except (ValueError, OverflowError):
        return None, ("clock_unreadable",)


def in_zone(told: datetime | None, zone: str) -> datetime | None:
    """In UTC what a clock that names no zone says, when it goes by this one (IANA); None where it names one, or that is no moment."""
    if told is None or told.tzinfo is not None:
        return None
    try:
        return told.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError, LookupError):
        return None


def _moment(match: re.Match[str]) -> tuple[datetime | None, tuple[str, ...]]:
    fraction = (match["f"] or "0").ljust(6, "0")[:6]
    day, time = "-".join(match.group("y", "m", "d")), ":".join(match.group("H", "M", "S"))
    naive = datetime.fromisoformat(f"{day}T{time}.{fraction}")
    if match["zone"] is None:
        return naive, ("clock_without_zone",)
    if match["zh"] is None:
        return naive.replace(tzinfo=UTC), ()
    sign, offset = match["sign"], timedelta(hours=int(match["zh"]), minutes=int(match["zm"] or 0))
    if offset > timedelta(hours=14) or (offset and not sign):
        return None, ("clock_unreadable",)
    zone = timezone(-offset if sign == "-" else offset)
    return naive.replace(tzinfo=zone).astimezone(UTC), () if sign else ("clock_repaired",)
