"""A gateway that tells authorities what it has heard, until it comes to the point that LIFANG_FAILPOINT names."""

import asyncio

from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from libs.eventkit.subscriptions import follow
from services.gateway.main import SERVICE
from services.gateway.reactions import NAME


async def main() -> None:
    app = App(SERVICE, settings_for("gateway"))
    await app.open()
    reaction = next(s for s in app.subscriptions if s.name == NAME)
    assert app.relay is not None
    await asyncio.gather(follow(app.log, app.wake, reaction), app.relay.run())


if __name__ == "__main__":
    asyncio.run(main())
