"""The peer of the append rows. Runs with bench/requirements.lock alone, so it imports nothing of ours.

Reads lines `CALLERS SECONDS`, answers each with one of JSON: commands a second and the milliseconds of every call.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from urllib.parse import urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

TEXT = "x" * 388


class Account(Aggregate):
    @event("Added")
    def __init__(self, text: str) -> None:
        self.text = text


def main(url: str) -> None:
    place = urlsplit(url)
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": place.path.strip("/"),
        "POSTGRES_HOST": str(place.hostname), "POSTGRES_PORT": str(place.port), "POSTGRES_USER": str(place.username),
        "POSTGRES_PASSWORD": "", "POSTGRES_POOL_SIZE": "32", "POSTGRES_ENABLE_DB_FUNCTIONS": "yes"}
    application: Application = Application()
    for line in sys.stdin:
        number, seconds = map(int, line.split())
        begun = perf_counter()
        with ThreadPoolExecutor(number) as pool:
            lists = list(pool.map(caller, [application] * number, [begun + seconds] * number))
        times = [time for found in lists for time in found]
        print(json.dumps({"value": len(times) / (perf_counter() - begun), "times": times}), flush=True)
    application.close()


def caller(application: Application, until: float) -> list[float]:
    times = []
    now = perf_counter()
    while now < until:
        begun = now
        application.save(Account(TEXT))
        now = perf_counter()
        times.append(1000 * (now - begun))
    return times


if __name__ == "__main__":
    main(sys.argv[1])
