"""Showing personal data in the clear to somebody else: the look is in the log before anything is opened.

Recorded and not shown (the process died in between) is a look too many on record; shown and not recorded must not be.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from libs.eventkit.commands import Done

Shown = dict[str, Any]


async def recorded_first(record: Callable[[], Awaitable[Done]], show: Callable[[], Awaitable[Shown]]) -> tuple[Done, Shown]:
    """What `show` opens, once the look is stored. Raises what `record` raises; then nothing has been opened."""
    done = await record()
    return done, await show()
