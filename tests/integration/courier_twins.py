"""Couriers that must not get away with it, and one that is killed: `python -m tests.integration.courier_twins [position first]`."""

import asyncio
import sys

from msgspec import json

from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from libs.eventkit.subscriptions import follow
from services.gateway.api.incident_events import told
from services.gateway.main import SERVICE
from services.gateway.webhooks.delivering import Courier, Delivery
from services.gateway.webhooks.sending import Bounds, Sender

FAST = Bounds(connect=0.5, whole=0.5, first=0.02, longest=0.1)


class SharedQueue(Courier):
    """One queue for all: whoever stands before it keeps everybody waiting."""

    def __init__(self, app: App, bounds: Bounds) -> None:
        super().__init__(app, bounds, private=True)
        line = asyncio.Lock()

        class InLine(Delivery):
            async def _deliver(self, sender: Sender, row: Recorded) -> None:
                async with line:
                    await super()._deliver(sender, row)

        self.delivery = InLine


class PositionFirst(Courier):
    class First(Delivery):
        async def _deliver(self, sender: Sender, row: Recorded) -> None:
            await self.course.taken(row)
            body = json.encode(told(self.app, row))
            while (await self._attempt(sender, row, body)).code:
                pass

    delivery = First


async def main(twin: str) -> None:
    app = App(SERVICE, settings_for("gateway"))
    await app.open()
    courier = (PositionFirst if twin else Courier)(app, FAST, private=True)
    await asyncio.gather(follow(app.log, app.wake, courier.subscription()), app.wake.listen(app.database))


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:])))
