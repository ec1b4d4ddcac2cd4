"""Signs of life at a home that is cared for: that somebody who lives there used a door or lift. A day (UTC) has a stream of its own, so
that it is blanked when its purpose is over; where nobody is cared for, nothing of this is kept."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct

from libs.eventkit.decider import Decider

APART = timedelta(minutes=15)
"""What is nearer to another sign says nothing new."""


# what happened


class SignOfLife(Struct, frozen=True, tag="sign_of_life"):
    home_id: UUID
    at: datetime


# what is


class Day(Struct, frozen=True):
    signs: tuple[datetime, ...] = ()


def evolve(day: Day, event: SignOfLife) -> Day:
    return Day(tuple(sorted((*day.signs, event.at))))


# what is asked


class TakeSign(Struct, frozen=True):
    home_id: UUID
    at: datetime


def decide_take(command: TakeSign, day: Day) -> list[SignOfLife]:
    if any(abs(command.at - sign) < APART for sign in day.signs):
        return []
    return [SignOfLife(command.home_id, command.at)]


def day_of(home_id: UUID, day: date) -> UUID:
    """The stream of a day."""
    return uuid5(home_id, f"signs of {day.isoformat()}")


SIGNS = Decider[Day, SignOfLife](category="signs", initial=Day(), evolve=evolve, decide={TakeSign: decide_take})
