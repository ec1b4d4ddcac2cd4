"""How somebody is told of an emergency: by push and SMS, where there is somebody who sends these. In the application it stands
for all who live in the building, whatever becomes of these."""

import logging
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from libs.eventkit.settings import Settings

log = logging.getLogger(__name__)
NONE = "none"
"""The channel of those whom no channel reaches: so that they are counted too."""


class Emergency(Struct, frozen=True):
    """Free of personal data. `kind`: a stable code; the text is for a channel that cannot translate."""

    broadcast_id: UUID
    building_id: UUID
    resident_id: UUID
    kind: str
    text: str


class HasNoChannel(Exception):
    """The resident cannot be reached by this channel: it is not tried again."""


class Channel(Protocol):
    name: str

    async def send(self, emergency: Emergency, key: str) -> None:
        """Hands it over, once per key however often it is called. Raises HasNoChannel, or what kept it from being taken: only
        the name of the error is kept."""


class LogChannel:
    """For the local stack, which has no provider: whoever runs it sees in the log that something would be sent."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, emergency: Emergency, key: str) -> None:
        log.info("%s emergency %s: %s", self.name, key, emergency.kind)


def channels_for(settings: Settings) -> tuple[Channel, ...]:
    """None where there are no providers."""
    return (LogChannel("push"), LogChannel("sms")) if settings.demo else ()
