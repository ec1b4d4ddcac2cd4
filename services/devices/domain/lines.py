"""A supervised line that falls silent, and that is heard again.

Each link test would be an event fourteen thousand times a day and panel: only the change from speaking to silence and back
stands in the log. When a line was last heard is in the memory of the process that listens; where it starts anew, every line
counts as heard at that moment, so that a silence is found at the latest `supervise` seconds after the start. What is silent
stays so through restarts, until something is heard.
"""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider

# what happened


class LineSilent(Struct, frozen=True, tag="line_silent"):
    """Nothing for longer than `limit` seconds. `last_heard`: None where nothing was since the listener's start."""

    device_id: UUID
    limit: int
    last_heard: datetime | None = None


class LineBack(Struct, frozen=True, tag="line_back"):
    device_id: UUID


LineEvent = LineSilent | LineBack


# what is


class Speaking(Struct, frozen=True):
    pass


class Silent(Struct, frozen=True):
    pass


Line = Speaking | Silent


def evolve(line: Line, event: LineEvent) -> Line:
    match event:
        case LineSilent():
            return Silent()
        case LineBack():
            return Speaking()
        case _:
            return line


# what is asked


class FindSilent(Struct, frozen=True):
    """`quiet`: seconds since it was last heard, or since the listener's start."""

    device_id: UUID
    limit: int
    quiet: float
    last_heard: datetime | None = None


class HearAgain(Struct, frozen=True):
    device_id: UUID


def decide_find_silent(command: FindSilent, line: Line) -> list[LineEvent]:
    match line:
        case Speaking():
            if command.limit <= 0 or command.quiet <= command.limit:
                return []
            return [LineSilent(command.device_id, command.limit, command.last_heard)]
        case Silent():
            return []
        case _:
            assert_never(line)


def decide_hear_again(command: HearAgain, line: Line) -> list[LineEvent]:
    return [LineBack(command.device_id)] if isinstance(line, Silent) else []


LINES = Decider[Line, LineEvent](
    category="line", initial=Speaking(), evolve=evolve, decide={FindSilent: decide_find_silent, HearAgain: decide_hear_again})
