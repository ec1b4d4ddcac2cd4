"""The other end of the row `hop`: a process that hears, and looks at the clock when its own log's reader has the event.

Reads lines `LABEL NUMBER`, answers each with the milliseconds of so many events of that label (fewer after ten seconds).
"""

import asyncio
import gc
import json
import sys
from collections import defaultdict
from pathlib import Path
from time import monotonic_ns

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer

from bench.hop import PublicTold
from bench.servers import Servers
from libs.eventkit.db import Database
from libs.eventkit.hear import Hearing
from libs.eventkit.log import Log
from libs.eventkit.settings import Settings
from libs.eventkit.tail import Wake

PATIENCE = 10.0
Times = defaultdict[str, list[float]]
_decode = msgspec.json.Decoder(PublicTold).decode


def note(times: Times, bodies: list[str | bytes]) -> None:
    now = monotonic_ns()
    for body in bodies:
        told = _decode(body)
        times[told.label].append((now - told.sent) / 1e6)


async def read(database: Database, wake: Wake, times: Times) -> None:
    log, position = Log(database), 0
    while True:
        grown = wake.next
        rows = await log.read(position)
        if rows:
            position = rows[-1].position
            note(times, [row.data for row in rows])
        else:
            await grown.wait()


async def bare(settings: Settings, times: Times) -> None:
    consumer = AIOKafkaConsumer(
        settings.topic("bench_bare"), **settings.broker, group_id="bench.bare", auto_offset_reset="earliest")
    await consumer.start()
    try:
        while True:
            note(times, [(await consumer.getone()).value])
    finally:
        await consumer.stop()


async def answer(times: Times) -> None:
    loop = asyncio.get_running_loop()
    while line := await asyncio.to_thread(sys.stdin.readline):
        label, number = line.split()
        until = loop.time() + PATIENCE
        while len(times[label]) < int(number) and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        print(json.dumps(times.pop(label)), flush=True)


async def main(postgres: str, kafka: str, secrets: str, *sources: str) -> None:
    settings = Servers(postgres, kafka, Path(), Path(secrets), "", "").settings("bench_hears")
    database, wake, times = Database(settings), Wake(), Times(list)
    works = (Hearing(settings, database, sources, ()).run(), wake.listen(database), read(database, wake, times), bare(settings, times))
    tasks = [asyncio.create_task(work) for work in (answer(times), *works)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await database.close()
    for task in done:
        task.result()


if __name__ == "__main__":
    gc.freeze()  # as `libs.eventkit.run` does it for every service
    gc.set_threshold(20_000, 10, 10)
    uvloop.run(main(*sys.argv[1:]))
