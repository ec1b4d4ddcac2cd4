"""Did it happen just now? Only then may anything follow from it in the world.

What the device says comes first: its mark of history is believed. Its clock is not (domain, devices, rule 3), but a
device that has told the time keeps to it from then on: what claims to be of the past, and more than ten minutes off
the clock's known error, is a replay without the mark. Where the clock is or was ahead, so is what claims to be of now
or of a future no further than that: it was kept while the clock was wrong. A clock that was put back looks the same at
first; it is believed once it has kept to its new time for five minutes.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

IN_SYNC = 60.0
LATE = 600.0
STEADY = 30.0
SETTLED = timedelta(minutes=5)


class Clock(Struct, frozen=True):
    """A device's clock minus ours, in seconds, as last believed; another one not yet believed, since when; and how far ahead
    it was at most when it was believed."""

    skew: float | None = None
    doubted: float | None = None
    since: datetime | None = None
    ahead: float = 0.0


class Liveness(Struct, frozen=True):
    """`skew` is None where the clock could not be read or the report is not live, whose age says nothing of a clock."""

    live: bool
    skew: float | None = None
    findings: tuple[str, ...] = ()


def offset(device_time: datetime | None, now: datetime) -> float | None:
    """Device time minus ours in seconds; None without a zone."""
    if device_time is None or device_time.tzinfo is None:
        return None
    return round((device_time - now).total_seconds(), 3)


def is_live(history: bool, device_time: datetime | None, clock: Clock, now: datetime) -> Liveness:
    """Findings: clock_skew (beyond 60 s), replay_unmarked (hence not live), clock_moved (believed anew)."""
    skew = offset(device_time, now)
    if history:
        return Liveness(live=False)
    if skew is None:
        return Liveness(live=True)
    skewed = ("clock_skew",) if abs(skew) > IN_SYNC else ()
    if clock.skew is None or _believed(skew, clock.skew, clock.ahead):
        return Liveness(live=True, skew=skew, findings=skewed)
    if _settled(skew, clock, now):
        return Liveness(live=True, skew=skew, findings=(*skewed, "clock_moved"))
    return Liveness(live=False, findings=("replay_unmarked",))


def _believed(skew: float, known: float, ahead: float) -> bool:
    """What claims to be of the device's known now, of this moment where that is not ahead, or of a future that no replay comes from."""
    return abs(skew - known) <= LATE or abs(skew) <= LATE >= known or skew > max(LATE, known, ahead)


def _settled(skew: float, clock: Clock, now: datetime) -> bool:
    if clock.doubted is None or clock.since is None:
        return False
    return abs(skew - clock.doubted) <= STEADY and now - clock.since >= SETTLED


def learn(clock: Clock, live: bool, history: bool, device_time: datetime | None, at: datetime) -> Clock:
    """What a report received at `at` teaches about its device's clock."""
    skew = offset(device_time, at)
    if history or skew is None:
        return clock
    if live:
        return Clock(skew=skew, ahead=max(skew, clock.skew or 0.0, clock.ahead))
    if clock.doubted is not None and abs(skew - clock.doubted) <= STEADY:
        return clock
    return replace(clock, doubted=skew, since=at)
