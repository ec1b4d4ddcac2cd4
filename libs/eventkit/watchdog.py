"""Ends a process that is stuck, its last line saying where, so that whoever started it starts it again. A database or a broker that is
away is waited for and never counts."""
import asyncio
import logging
import os
import signal
import sys
import threading
import time
from aiokafka import AIOKafkaConsumer
from libs.eventkit.service import App

log = logging.getLogger(__name__)
BEAT, BEATS, LOOK, LOOKS = 1.0, 30, 30.0, 4  # seconds, and so many of them without a sign of life

def end(why: str) -> None:
    log.critical("ended by its watchdog: %s", why)
    os._exit(70)

def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """From a thread, which counts its own turns: a whole process that was stopped for an hour and goes on is not stuck."""
    beats, main = [0], threading.get_ident()
    def beat() -> None:
        beats[0] += 1
        loop.call_later(BEAT, beat)
    def look() -> None:
        seen = missed = 0
        while missed < BEATS:
            time.sleep(BEAT)
            seen, missed = beats[0], missed + 1 if beats[0] == seen else 0
        at = sys._current_frames()[main]
        end(f"its event loop stands still in {at.f_code.co_filename}:{at.f_lineno} {at.f_code.co_name}")
    loop.call_soon(beat)
    threading.Thread(target=look, daemon=True).start()

async def watch(app: App, hears: bool) -> None:
    """Hearing that does not move though its topics do; and a log that has begun a new generation, of which this process knows nothing."""
    before, still = (-1, -1), 0
    while True:
        await asyncio.sleep(LOOK)
        try:
            changed, behind = await asyncio.wait_for(asked(app, hears), LOOK)
        except Exception:
            changed = behind = False
        if changed:
            log.warning("the log has begun another generation: this process ends, to begin again with it")
            os.kill(os.getpid(), signal.SIGTERM)
        moved = (sum(app.hearing.counts.values()) if app.hearing else 0, app.supervisor.restarts.get("hear", 0))
        still, before = still + 1 if behind and moved == before else 0, moved
        if still == LOOKS:
            end(f"nothing was heard for {LOOK * LOOKS:.0f} s though topics have more")

async def asked(app: App, hears: bool) -> tuple[bool, bool]:
    """Whether the log's generation is another, and whether topics have what was not fetched, by a connection of its own. Raises what
    database or broker say while they are away."""
    changed = await (await app.database.pool()).fetchval("select generation from log_state") != app.commands.generation and app.opened
    if not hears or app.hearing is None:
        return changed, False
    consumer, positions = AIOKafkaConsumer(**app.settings.broker), app.hearing.positions()
    try:
        await consumer.start()
        ends = await consumer.end_offsets(list(positions))
        return changed, not positions or any(end > positions[tp] for tp, end in ends.items())
    finally:
        await consumer.stop()
