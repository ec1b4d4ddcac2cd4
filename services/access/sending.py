"""Hands notices to a provider: the log says what is waiting and since when, and what became of it.

One process a channel sends at a time. One that dies in between has recorded nothing: the notice is due still, and goes
out again under the same key. A provider that fails, or does not answer, holds up neither another notice nor another channel.
Who has withdrawn the consent `notices` meanwhile is sent nothing, and nobody what has waited for a day.
"""

import logging
from datetime import UTC, datetime

from msgspec.structs import replace

from libs.eventkit.service import App
from libs.eventkit.tail import within
from libs.eventkit.timers import Due, Timer
from services.access.domain.deliveries import DELIVERIES, Delivery, DropNotice, RecordFailed, RecordSent, Waiting, too_late
from services.access.notices import Notice, NoticeSender
from services.access.ways import Ways

log = logging.getLogger(__name__)
AT_ONCE = 20
"""Notices of one community that are with a provider at a time."""
ANSWER = 10.0
"""Seconds that a provider has to take a notice."""


def name_of(channel: str) -> str:
    return f"notices by {channel}"


def sending(app: App, sender: NoticeSender, ways: Ways) -> Timer:
    """Sends by one channel what is due."""

    def due_at(delivery: Delivery) -> datetime | None:
        return delivery.again_at if isinstance(delivery, Waiting) and delivery.about.channel == sender.channel else None

    async def send(due: Due) -> None:
        await ways.ready()
        agreed = ways.agrees(due.community_id, due.state.about.person_id, "notices")
        late = too_late(due.state.about, datetime.now(UTC))
        no_more = "consent_withdrawn" if not agreed else (due.state.error or "too_late") if late else ""
        command = DropNotice(due.subject_id, sender.channel, no_more) if no_more else await _handed_over(sender, due)
        context = replace(due.context(type(command).__name__), caused_by=(due.state.about.notice_id,))
        await app.commands.handle(due.subject_id, command, context)

    return Timer(name_of(sender.channel), DELIVERIES, due=due_at, fire=send, at_once=AT_ONCE)


async def _handed_over(sender: NoticeSender, due: Due) -> RecordSent | RecordFailed:
    """What there is to be recorded of it."""
    about, delivery_id = due.state.about, due.subject_id
    notice = Notice(about.notice_id, about.person_id, about.kind, about.pass_id, about.detail, about.at)
    try:
        await within(sender.send(notice, str(delivery_id)), ANSWER)
    except Exception as error:
        reason = type(error).__name__  # its text may hold what was to be sent
        log.warning("%s notice %s was not taken: %s", sender.channel, delivery_id, reason)
        return RecordFailed(delivery_id, sender.channel, due.state.attempts + 1, reason, datetime.now(UTC))
    return RecordSent(delivery_id, sender.channel)
