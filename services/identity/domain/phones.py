"""How often one phone may be sent a code: 5 times in a quarter of an hour, 15 times a day.

The stream's id is a keyed hash of the phone, so that unknown phones are counted like known ones and none is named.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.identity.domain.budgets import left

LIMITS = ((5, timedelta(minutes=15)), (15, timedelta(days=1)))
_REMEMBERED = max(times for times, _ in LIMITS)


# what happened


class CodeCounted(Struct, frozen=True, tag="code_counted"):
    at: datetime


# what is


class Phone(Struct, frozen=True):
    """When codes were asked for, oldest first, as many as a limit can look back at."""

    asked: tuple[datetime, ...] = ()


def evolve(phone: Phone, event: CodeCounted) -> Phone:
    match event:
        case CodeCounted(at=at):
            return Phone(asked=(*phone.asked, at)[-_REMEMBERED:])
        case _:
            return phone


# what is asked


class CountCode(Struct, frozen=True):
    now: datetime


def decide_count_code(command: CountCode, phone: Phone) -> list[CodeCounted]:
    for times, within in LIMITS:
        if (wait := left(phone.asked, times, within, command.now)) > timedelta():
            raise Refused("too_many_codes", retry_after_seconds=int(wait.total_seconds()) + 1)
    return [CodeCounted(at=command.now)]


PHONES = Decider[Phone, CodeCounted](
    category="phone",
    initial=Phone(),
    evolve=evolve,
    decide={CountCode: decide_count_code},
)
