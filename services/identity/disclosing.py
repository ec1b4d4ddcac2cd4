"""Showing personal data in the clear to somebody else: the look is in the log before anything is opened.

Recorded and not shown (the process died in between) is a look too many on record; shown and not recorded must not be.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import Decider
from libs.eventkit.log import Key
from libs.eventkit.service import App
from services.identity.domain.askers import check_retry

Shown = dict[str, Any]


async def recorded_first(record: Callable[[], Awaitable[Done]], show: Callable[[], Awaitable[Shown]]) -> tuple[Done, Shown]:
    """What `show` opens, once the look is stored. Raises what `record` raises; then nothing has been opened."""
    done = await record()
    return done, await show()


async def looked(
    app: App, decider: Decider[Any, Any], subject_id: UUID, command: Struct, asked: Context, key: Key | None, expected: int | None = None
) -> Done:
    """The look, recorded; of a retry the one that is on record, if it would be allowed now, too. Raises Refused."""
    done = await app.commands.handle(subject_id, command, asked, key=key, expected=expected)
    if done.replayed:
        state, _ = await app.commands.state(decider, subject_id, asked.community_id)
        decider.decide[type(command)](command, state)
        row = await app.log.event(done.outcome.events[0])
        assert row is not None
        check_retry(row.recorded_at, asked.now)
    return done
