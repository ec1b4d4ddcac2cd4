"""Brings a service's database to what its code expects: `python -m cli.migrate SERVICE`, beside the service and with its environment.

In a cluster a job, ahead of a roll-out or beside it: a service waits for it, and says so.
"""

import asyncio
import importlib
import sys

from cli.migrating.database import migrate_for
from libs.eventkit import obs
from libs.eventkit.db import once_there
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for

PATIENCE = 10.0
"""Seconds for which a database that is away is waited for."""


def migrate(service: str) -> bool:
    """True when something was done. Raises what the database says."""
    app = App(importlib.import_module(f"services.{service}.main").SERVICE, settings_for(service))
    return asyncio.run(once_there(lambda: migrate_for(app), PATIENCE))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("python -m cli.migrate SERVICE")
    obs.configure(sys.argv[1], sys.stderr)
    print("migrated" if migrate(sys.argv[1]) else "nothing to do")


if __name__ == "__main__":
    main()
