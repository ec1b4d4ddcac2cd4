"""The keeper: seals the logs and takes the heads outside, blanks what is over, removes what is old: `python -m cli.keeper [SERVICE…]`.

One process beside the services, for those that are named, else for all whose database DATABASE_URL_<SERVICE> names. Ends with 0
after SIGTERM.
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.keeper import works
from cli.keeper.heads import Outside
from libs.eventkit import obs
from libs.eventkit.run import end_where_it_stands
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for

DATABASE = "DATABASE_URL_"
SIGN, PACE = "LIFANG_ALIVE", 5.0
"""The variable of the environment: a file that is touched every so many seconds, for whoever watches over a process without a port."""


def named() -> list[str]:
    return sorted(key.removeprefix(DATABASE).lower() for key in os.environ if key.startswith(DATABASE))


def app_of(service: str) -> App:
    """Raises ImportError for what is no service, KeyError while its database is not told."""
    return App(importlib.import_module(f"services.{service}.main").SERVICE, settings_for(service))


async def say_alive(path: Path) -> None:
    while True:
        path.touch()
        await asyncio.sleep(PACE)


async def keep(services: Sequence[str]) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    apps = [app_of(service) for service in services]
    end_where_it_stands(loop)
    for app in apps:
        works.start(app, Outside.of(app.settings))
    saying = [asyncio.create_task(say_alive(Path(sign)))] if (sign := os.environ.get(SIGN)) else []
    await ended.wait()
    for task in saying:
        task.cancel()
    await asyncio.gather(*(app.close() for app in apps))


def main() -> None:
    services = sys.argv[1:] or named()
    if not services:
        sys.exit(f"nobody to keep: name services, and their databases by {DATABASE}<SERVICE>")
    obs.configure("keeper")
    asyncio.run(keep(services))


if __name__ == "__main__":
    main()
