"""The peer of the row `rebuild`. Runs with bench/requirements.lock alone, so it imports nothing of ours.

Writes 200 aggregates of 50 events each; then answers every line with one of JSON: events a second while all are rehydrated.
"""

import json
import os
import sys
from time import perf_counter
from urllib.parse import urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

AGGREGATES, EACH = 200, 50
TEXT = "x" * 340


class Account(Aggregate):
    @event("Opened")
    def __init__(self) -> None:
        self.total = 0

    @event("Added")
    def add(self, amount: int, text: str) -> None:
        self.total += amount


def written(application: Application) -> list[UUID]:
    accounts = [Account() for _ in range(AGGREGATES)]
    for account in accounts:
        for n in range(EACH - 1):
            account.add(n, TEXT)
        application.save(account)
    return [account.id for account in accounts]


def main(url: str) -> None:
    place = urlsplit(url)
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": place.path.strip("/"),
        "POSTGRES_HOST": str(place.hostname), "POSTGRES_PORT": str(place.port), "POSTGRES_USER": str(place.username),
        "POSTGRES_PASSWORD": ""}
    application: Application = Application()
    ids = written(application)
    for _ in sys.stdin:
        begun = perf_counter()
        for each in ids:
            application.repository.get(each)
        print(json.dumps({"value": AGGREGATES * EACH / (perf_counter() - begun)}), flush=True)
    application.close()


if __name__ == "__main__":
    main(sys.argv[1])
