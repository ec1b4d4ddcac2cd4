"""What a person is told, and how it reaches them: in the application always (`views/notices.py`), by push and SMS where
there is somebody who sends these, at least once, each time with the event's id as the key against doubles."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from libs.eventkit.recorded import Recorded, tag_of
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from libs.eventkit.subscriptions import Subscription, advance
from services.access.domain.pass_history import VisitorArrived, VisitorPassRevoked

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
        """Hands it over, once per key however often it is called. Raises what kept it from being taken."""


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
    """Whom an event has to be told, if anybody. Hosts know what they have ended themselves."""
    match event:
        case VisitorArrived(pass_id=pass_id, host_id=host_id, how=how, at=at):
            return Notice(row.event_id, host_id, "visitor_arrived", pass_id, how, at)
        case VisitorPassRevoked(pass_id=pass_id, host_id=host_id, reason=reason) if reason != "host":
            return Notice(row.event_id, host_id, "visitor_pass_revoked", pass_id, reason, row.recorded_at)
        case _:
            return None


def sending(app: App, senders: Sequence[NoticeSender]) -> Subscription:
    """Tells nobody of the past. What a sender does not take is sent again, to all, until it does."""
    types = {tag_of(VisitorArrived), tag_of(VisitorPassRevoked)}

    async def take(rows: Sequence[Recorded], position: int) -> None:
        for row in rows:
            notice = notice_of(app.catalogue.read(row), row) if row.type in types else None
            if notice is not None:
                for sender in senders:
                    await sender.send(notice, str(notice.notice_id))
        await advance(await app.database.folds(), NAME, position, rows[-1].position)

    return Subscription(name=NAME, take=take, start="now")
