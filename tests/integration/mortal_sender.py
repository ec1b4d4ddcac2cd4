"""A process that queues and sends notices and is killed at a point: `python -m tests.integration.mortal_sender POINT FILE`.

Keys that the provider has taken are lines of the file, written through before the point is reached."""

import asyncio
import os
import signal
import sys
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from libs.eventkit.subscriptions import follow
from libs.eventkit.views import follow_views
from services.access.domain.deliveries import QueueNotice, RecordSent
from services.access.main import SERVICE
from services.access.notices import NAME, Notice, queueing
from services.access.sending import name_of, sending
from services.access.views.deliveries import VIEW
from services.access.ways import Ways

POINTS = ("one channel queued", "before it is sent", "sent, nothing recorded", "recorded")


class Agreeing(Ways):
    """Everybody agrees to everything."""

    async def ready(self, position: int = 0, community_id: UUID | None = None) -> None:
        pass

    def agrees(self, community_id: UUID, person_id: UUID, purpose: str) -> bool:
        return True


class Provider:
    def __init__(self, channel: str, point: str, path: str) -> None:
        self.channel, self.point, self.path = channel, point, path

    async def send(self, notice: Notice, key: str) -> None:
        reach(self.point, "before it is sent")
        with open(self.path, "a") as taken:
            taken.write(f"{self.channel} {key}\n")
            taken.flush()
            os.fsync(taken.fileno())
        reach(self.point, "sent, nothing recorded")


def reach(chosen: str, here: str) -> None:
    if chosen == here:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(point: str, path: str) -> None:
    senders = [Provider(channel, point, path) for channel in ("push", "sms")]
    service = replace(
        SERVICE, reactions=lambda app: (queueing(senders, Agreeing()),),
        timers=lambda app: (sending(app, sender, Agreeing()) for sender in senders))
    app = App(service, settings_for("access"))
    await app.open()
    handle = app.commands.handle

    async def handling(subject: Any, command: Any, *rest: Any, **more: Any) -> Any:
        done = await handle(subject, command, *rest, **more)
        if isinstance(command, QueueNotice):
            reach(point, "one channel queued")
        if isinstance(command, RecordSent):
            reach(point, "recorded")
        return done

    app.commands.handle = handling  # type: ignore[method-assign]
    working = [s for s in app.subscriptions if s.name in (NAME, *(name_of(sender.channel) for sender in senders))]
    await asyncio.gather(
        follow_views(app.log, app.wake, app.catalogue, [VIEW]), *(follow(app.log, app.wake, s) for s in working))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
