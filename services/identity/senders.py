"""How a one-time code reaches its phone. The code exists nowhere but here on its way."""

import logging
from typing import Protocol
from uuid import UUID

from libs.eventkit.settings import Settings

log = logging.getLogger(__name__)


class CodeSender(Protocol):
    def hand_over(self, sign_in_id: UUID, phone: str, code: str) -> None:
        """Takes the code for delivery and returns at once; must not fail."""


class LogSender:
    """For the local stack: whoever runs it reads the code in the log. The phone is not written down."""

    def hand_over(self, sign_in_id: UUID, phone: str, code: str) -> None:
        log.info("one-time code for sign-in %s: %s", sign_in_id, code)


def sender_for(settings: Settings) -> CodeSender | None:
    """None where codes cannot be delivered: then nobody can sign in, and the route says so."""
    return LogSender() if settings.demo else None
