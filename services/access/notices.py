"""What a person is told, and how it reaches them: in the application always (`views/notices.py`), by push and SMS where they agree to
that (consent `notices`) and there is somebody who sends these (`sending.py`), at least once, under one key for each notice and channel.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.settings import Settings
from services.access.domain.deliveries import PATIENCE, QueueNotice, delivery_id_of
from services.access.domain.pass_history import VisitorArrived, VisitorPassRevoked
from services.access.ways import Ways

log = logging.getLogger(__name__)
NAME = "notices_sent"


class Notice(Struct, frozen=True):
    """Free of personal data: the reader's own list says who the visitor is. `detail`: a stable code."""

    notice_id: UUID
    person_id: UUID
    kind: str
    pass_id: UUID
    detail: str
    at: datetime


class NoticeSender(Protocol):
    channel: str

    async def send(self, notice: Notice, key: str) -> None:
        """Hands it over, once per key however often it is called. Raises what kept it from being taken: only the name of
        the error is kept."""


class LogSender:
    """For the local stack, which has no provider: whoever runs it sees in the log that something would be sent."""

    def __init__(self, channel: str) -> None:
        self.channel = channel

    async def send(self, notice: Notice, key: str) -> None:
        log.info("%s notice %s: %s", self.channel, key, notice.kind)


def senders_for(settings: Settings) -> tuple[NoticeSender, ...]:
    """Nobody where there are no providers; what stands in the application reaches everybody all the same."""
    return (LogSender("push"), LogSender("sms")) if settings.demo else ()


def notice_of(event: Any, row: Recorded) -> Notice | None:
    """Whom an event has to be told, if anybody. Hosts know what they have ended themselves, and who is erased is told nothing."""
    match event:
        case VisitorArrived(pass_id=pass_id, host_id=host_id, how=how, at=at):
            return Notice(row.event_id, host_id, "visitor_arrived", pass_id, how, at)
        case VisitorPassRevoked(pass_id=pass_id, host_id=host_id, reason=reason) if reason not in ("host", "host_erased"):
            return Notice(row.event_id, host_id, "visitor_pass_revoked", pass_id, reason, row.recorded_at)
        case _:
            return None


def queueing(senders: Sequence[NoticeSender], ways: Ways) -> Reaction:
    """Every notice is to be sent by every channel to whoever agrees to it. What is a day old is news to nobody, whether we read it late
    or heard of it late."""

    async def to_be_told(event: VisitorArrived | VisitorPassRevoked, row: Recorded) -> list[Do]:
        notice = notice_of(event, row)
        if notice is None or datetime.now(UTC) - notice.at > PATIENCE:
            return []
        await ways.ready(row.position, row.community_id)
        if not ways.agrees(row.community_id, notice.person_id, "notices"):
            return []
        found = []
        for sender in senders:
            delivery_id = delivery_id_of(notice.notice_id, sender.channel)
            command = QueueNotice(
                delivery_id=delivery_id, channel=sender.channel, **asdict(notice), queued_at=row.recorded_at)
            found.append(Do(f"queue {sender.channel}", delivery_id, command))
        return found

    return Reaction(NAME, {VisitorArrived: to_be_told, VisitorPassRevoked: to_be_told})
