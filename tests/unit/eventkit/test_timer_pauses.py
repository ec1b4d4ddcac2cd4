"""What a timer cannot read is tried again after pauses that grow, and another moment at once."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from msgspec import Struct

from libs.eventkit.decider import Decider
from libs.eventkit.recorded import UnknownVersion
from libs.eventkit.timers import Timer, Timers
from tests.kit import recorded

HERE, EGG = UUID(int=1), UUID(int=2)
STREAM = f"egg:{EGG}"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Until(Struct, frozen=True, tag="until"):
    at: datetime


class Kept:
    """A log of one stream; `unread`: versions that a newer writer has written."""

    database = SimpleNamespace()

    def __init__(self, *events):
        self.rows = [recorded(event, HERE, stream=STREAM, version=n) for n, event in enumerate(events, 1)]
        self.events, self.unread, self.written = list(events), set(), []

        async def folds():
            return self

        self.database = SimpleNamespace(folds=folds)

    async def stream(self, stream, after=0):
        return self.rows[after:]

    def read(self, row):
        if row.version in self.unread:
            raise UnknownVersion(str(row.version))
        return self.events[row.version - 1]

    async def execute(self, query, *arguments):
        self.written.append(arguments)

    def append(self, event):
        self.rows.append(recorded(event, HERE, stream=STREAM, version=len(self.rows) + 1))
        self.events.append(event)


def timers(log, fired):
    async def fire(due):
        fired.append(due.at)

    eggs = Decider("egg", None, lambda state, event: event.at, {})
    return Timers(SimpleNamespace(log=log, catalogue=log), Timer("eggs", eggs, lambda state: state, fire))


def pause(found):
    return found._again[STREAM][1]


async def test_a_stream_that_cannot_be_read_is_tried_after_pauses_that_grow():
    log, fired = Kept(Until(NOW), Until(NOW + timedelta(seconds=1))), []
    log.unread.add(2)
    found, seen = timers(log, fired), []
    for _ in range(8):
        await found._one(STREAM, HERE)
        seen.append(pause(found))
    assert seen == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] and fired == []


@pytest.mark.parametrize("known", [True, False])
async def test_what_says_nothing_is_paused_and_another_moment_is_not(known):
    log, fired = Kept(Until(NOW)), []
    found = timers(log, fired)
    await found._one(STREAM, HERE)
    await found._one(STREAM, HERE)
    assert pause(found) == 2.0 and fired == [NOW, NOW]
    log.append(Until(NOW + timedelta(seconds=1)))
    if not known:
        found._known.clear()
    await found._look(STREAM)
    assert STREAM not in found._again
