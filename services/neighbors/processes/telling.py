"""Telling everybody: a broadcast becomes one telling for each resident and channel, and each is tried until it is taken.

Who lived there when it was sent, who has joined before anybody looked, and who joins while it runs: all are told. Each
channel has a timer of its own, so that a dead one holds up nobody but itself.

Nobody is asked whether they agree: the consent `notices` is about news, and a fire or a gas leak is none. To respond to an emergency
that endangers life, health or property needs no consent (PIPL article 13, item 4; general knowledge, to be confirmed by a lawyer).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.tail import within
from libs.eventkit.timers import Due, Timer
from services.neighbors.book import CircleBook
from services.neighbors.channels import NONE, Channel, Emergency, HasNoChannel
from services.neighbors.domain.broadcasts import BROADCASTS, BroadcastSent, Running
from services.neighbors.domain.circles import MemberJoined
from services.neighbors.domain.tellings import (
    TELLINGS,
    GiveUpTelling,
    QueueTelling,
    RecordFailed,
    RecordTold,
    Telling,
    TellingQueued,
    Waiting,
    telling_id_of,
    too_late,
)

log = logging.getLogger(__name__)
AT_ONCE = 32
ANSWER = 10.0
"""Seconds that a channel has to take a telling."""
Command = RecordTold | RecordFailed | GiveUpTelling


def queueing(app: App, book: CircleBook, channels: Sequence[Channel]) -> Reaction:
    names = [channel.name for channel in channels] or [NONE]

    async def sent(event: BroadcastSent, row: Recorded) -> list[Do]:
        await book.ready(row.position)
        told = {*event.recipients, *book.reached(row.community_id, event.building_id)}
        await queue(app, event.broadcast_id, event.building_id, told, names, row)
        return []

    async def joined(event: MemberJoined, row: Recorded) -> list[Do]:
        if event.building_id is None:
            return []
        await book.ready(row.position)
        for broadcast_id in book.running(row.community_id, event.building_id):
            await queue(app, broadcast_id, event.building_id, (event.resident_id,), names, row)
        return []

    return Reaction("telling", {BroadcastSent: sent, MemberJoined: joined})


async def queue(
    app: App, broadcast_id: UUID, building_id: UUID, residents: Iterable[UUID], channels: Sequence[str], row: Recorded,
) -> None:
    """All at once, so that the log takes them in a few groups. A rerun says nothing new."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(resident_id: UUID, channel: str) -> None:
        telling_id = telling_id_of(broadcast_id, resident_id, channel)
        command = QueueTelling(telling_id, broadcast_id, building_id, resident_id, channel, row.recorded_at)
        async with gate:
            await app.commands.handle(telling_id, command, context_of(row, f"queue {telling_id}"), new=True)

    await asyncio.gather(*(one(resident_id, channel) for resident_id in residents for channel in channels))


def timers(app: App, book: CircleBook, channels: Sequence[Channel]) -> tuple[Timer, ...]:
    by_name = {channel.name: channel for channel in channels}
    return tuple(
        Timer(f"telling_{name}", TELLINGS, due_by(name, tuple(by_name)), partial(tell, app, book, by_name), AT_ONCE)
        for name in by_name or (NONE,))


def due_by(name: str, names: Sequence[str]) -> Callable[[Telling], datetime | None]:
    """When the timer of a channel has to do with a telling. The first one's also ends what waits for a channel that is no more."""
    first = name == next(iter(names), NONE)

    def due(telling: Telling) -> datetime | None:
        if not isinstance(telling, Waiting):
            return None
        channel = telling.queued.channel
        return telling.again_at if channel == name or (first and channel not in names) else None

    return due


async def tell(app: App, book: CircleBook, channels: dict[str, Channel], due: Due) -> None:
    """Killed between the channel's answer and the record, it tells again under the same key."""
    waiting: Waiting = due.state
    command = await attempt(app, book, channels, due.community_id, waiting)
    context = due.context(f"telling {type(command).__name__} {waiting.attempts + 1}")
    await app.commands.handle(due.subject_id, command, context)


async def attempt(app: App, book: CircleBook, channels: dict[str, Channel], community_id: UUID, waiting: Waiting) -> Command:
    about = waiting.queued
    channel = channels.get(about.channel)
    broadcast, _ = await app.commands.state(BROADCASTS, about.broadcast_id, community_id)
    if not isinstance(broadcast, Running):
        return GiveUpTelling(about.telling_id, "ended")
    if not await lives_there(book, community_id, about):
        return GiveUpTelling(about.telling_id, "moved_out")
    if book.is_erased(community_id, about.resident_id):
        return GiveUpTelling(about.telling_id, "erased")
    if channel is None:
        return GiveUpTelling(about.telling_id, "no_channel")
    if too_late(about, datetime.now(UTC)):
        return GiveUpTelling(about.telling_id, "given_up")
    sent = broadcast.sent
    emergency = Emergency(sent.broadcast_id, sent.building_id, about.resident_id, sent.kind, sent.text)
    try:
        await within(channel.send(emergency, str(about.telling_id)), ANSWER)
    except HasNoChannel:
        return GiveUpTelling(about.telling_id, "no_channel")
    except Exception as error:
        name = type(error).__name__  # its text may hold whom it was sent to
        log.warning("%s telling %s was not taken: %s", channel.name, about.telling_id, name)
        return RecordFailed(about.telling_id, waiting.attempts + 1, name, datetime.now(UTC))
    return RecordTold(about.telling_id)


async def lives_there(book: CircleBook, community_id: UUID, about: TellingQueued) -> bool:
    """Asks the log before it says no: another process may have heard a moment ago that they moved in."""
    await book.ready()
    where = (community_id, about.building_id, about.resident_id)
    if not book.belongs(*where):
        await book.memory.catch_up()
    return book.belongs(*where)
