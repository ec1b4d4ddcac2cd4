"""The clock of a lot: wall clock for what a tariff plans, seconds since 1970 in UTC for what has elapsed.

The difference of two wall clocks of one zone is not what elapsed between them where the clocks are changed, which
datetime's subtraction hides: durations are therefore only ever differences of these seconds.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.parking.domain.tariffs import Hours

EPOCH, SECOND, DAY = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(days=1)


def seconds_begun(moment: datetime) -> int:
    return (moment - EPOCH) // SECOND


def seconds_complete(moment: datetime) -> int:
    """The first whole second that is not before `moment`."""
    return -((EPOCH - moment) // SECOND)


def months_after(moment: datetime, months: int, zone: str) -> datetime:
    """The same day of the month and hour in `zone`, so many months later; the last day of a month that has no such day."""
    local = moment.astimezone(ZoneInfo(zone))
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


class LotTime(Struct, frozen=True):
    zone: ZoneInfo

    def clock(self, moment: int) -> datetime:
        return (EPOCH + moment * SECOND).astimezone(self.zone)

    def at(self, day: date, wall: time) -> int:
        return seconds_begun(datetime.combine(day, wall, self.zone))

    def midnight_after(self, moment: int) -> int:
        return self.at(self.clock(moment).date() + DAY, time())

    def counted(self, hours: Hours | None, start: int, end: int) -> int:
        """Seconds from `start` to `end` that lie inside the hours; None: all hours."""
        return sum(ends - begins for begins, ends in self._spans(hours, start, end))

    def after(self, hours: Hours | None, start: int, end: int, seconds: int) -> int:
        """When `seconds` of them have been counted, or the end."""
        for begins, ends in self._spans(hours, start, end):
            if seconds <= ends - begins:
                return begins + seconds
            seconds -= ends - begins
        return end

    def _spans(self, hours: Hours | None, start: int, end: int) -> Iterator[tuple[int, int]]:
        if hours is None:
            yield start, end
            return
        day = self.clock(start).date() - DAY
        while (opens := self.at(day, hours.opens)) < end:
            closes = self.at(day if hours.opens < hours.closes else day + DAY, hours.closes)
            if max(start, opens) < min(end, closes):
                yield max(start, opens), min(end, closes)
            day += DAY
