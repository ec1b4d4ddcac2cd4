"""Hands notices to a provider: what the log says is waiting, and the log says what became of it.

One process a channel sends at a time. One that dies in between has recorded nothing: the notice is waiting still, and goes
out again under the same key. A provider that fails, or does not answer, holds up neither another notice nor another channel.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from libs.eventkit.commands import Context
from libs.eventkit.db import is_away
from libs.eventkit.service import App
from libs.eventkit.subscriptions import holding
from services.access.domain.deliveries import DELIVERIES, RecordFailed, RecordSent, Waiting
from services.access.notices import Notice, NoticeSender
from services.access.views import deliveries as view

log = logging.getLogger(__name__)
AT_ONCE = 20
LOOK = 0.5
"""Seconds after which somebody looks whether a notice is due."""
ANSWER = 10.0
"""Seconds that a provider has to take a notice."""


async def deliver(app: App, sender: NoticeSender) -> None:
    """Sends by one channel, for ever."""
    await holding(app.database, f"notices by {sender.channel}", lambda: _deliver(app, sender))


async def _deliver(app: App, sender: NoticeSender) -> None:
    under_way: dict[UUID, asyncio.Task[None]] = {}
    try:
        while True:
            if len(under_way) < AT_ONCE:
                for community_id, delivery_id in await _due(app, sender.channel, list(under_way), AT_ONCE - len(under_way)):
                    under_way[delivery_id] = asyncio.create_task(attempt(app, sender, community_id, delivery_id))
            if under_way:
                await asyncio.wait(under_way.values(), timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(LOOK)
            for delivery_id in [i for i, task in under_way.items() if task.done()]:
                under_way.pop(delivery_id).result()
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)


async def _due(app: App, channel: str, but: list[UUID], limit: int) -> Sequence[tuple[UUID, UUID]]:
    query, values = view.due(channel, datetime.now(UTC), but, limit)
    pool = await app.database.pool()
    return [(row["community_id"], row["delivery_id"]) for row in await pool.fetch(query, *values)]


async def attempt(app: App, sender: NoticeSender, community_id: UUID, delivery_id: UUID) -> None:
    """Raises what the database says while it is away; nothing else, so that one notice stops no other."""
    try:
        await _attempt(app, sender, community_id, delivery_id)
    except Exception as error:
        if is_away(error):
            raise
        log.error("notice %s cannot be handled: %s", delivery_id, type(error).__name__)
        await asyncio.sleep(LOOK)


async def _attempt(app: App, sender: NoticeSender, community_id: UUID, delivery_id: UUID) -> None:
    """Sends it if the log says that it is due: the view may be behind."""
    state, _ = await app.commands.state(DELIVERIES, delivery_id, community_id)
    if not isinstance(state, Waiting) or state.again_at > datetime.now(UTC):
        await asyncio.sleep(LOOK)
        return
    about = state.about
    notice = Notice(about.notice_id, about.person_id, about.kind, about.pass_id, about.detail, about.at)
    command: RecordSent | RecordFailed = RecordSent(delivery_id, sender.channel)
    try:
        await asyncio.wait_for(sender.send(notice, str(delivery_id)), ANSWER)
    except Exception as error:
        reason = type(error).__name__  # its text may hold what was to be sent
        log.warning("%s notice %s was not taken: %s", sender.channel, delivery_id, reason)
        command = RecordFailed(delivery_id, sender.channel, state.attempts + 1, reason, datetime.now(UTC))
    context = Context(community_id=community_id, now=datetime.now(UTC), caused_by=(about.notice_id,))
    await app.commands.handle(delivery_id, command, context)
