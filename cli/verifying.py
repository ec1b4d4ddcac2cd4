"""`lifang verify` of one service, run beside it: what is known outside first, then the log in one snapshot."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.keeper import heads
from cli.keeper.heads import Head, Loss, Outside
from cli.sealing import BEGINNING, ROWS, SEALS, Check, Finding, Verdict, is_lost
from libs.eventkit.relay import discard
from libs.eventkit.service import App

AT_ONCE = 1000
"""Rows in memory."""
FRESH = 10.0
"""Seconds for which a first seal may be known nowhere outside."""
SHOWN = 2.0


async def verify(app: App, outside: Outside) -> dict[str, Any]:
    name, begun = app.service.name, time.monotonic()
    places: dict[str, list[Head]] = {"file": heads.kept(outside.directory, name)}
    away = ""
    try:
        places["kafka"] = await heads.told(outside, name)
    except (KafkaError, OSError) as error:
        places["kafka"], away = [], type(error).__name__
    known = [head for some in places.values() for head in some]
    found, last, age = await checked(app, Check(known, Progress(name)))
    if away and not known and not found.findings:  # here all is as it was sealed; whether that is what was told outside, nobody can say
        raise SystemExit(f"{name}: no file knows a seal, and Kafka could not be asked ({away}): ask again when it answers")
    if not known and found.seals and age > FRESH:
        found.findings.append(Finding(1, "anchored head unknown", "neither the file nor Kafka's topic knows a seal of this log"))
    seconds = time.monotonic() - begun
    return {
        "service": name, "ok": not found.findings, "events": found.events, "seals": found.seals, "sealed": found.sealed,
        "unsealed": max(0, last - found.sealed), "retired": found.retired, "seconds": round(seconds, 2),
        "outside": {place: some[-1].upto if some else None for place, some in places.items()},
        "known_losses": msgspec.to_builtins(found.losses), "findings": msgspec.to_builtins(found.findings)}


async def checked(app: App, check: Check) -> tuple[Verdict, int, float]:
    """The verdict; the last position; how old the first seal is."""
    pool = await app.database.pool()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        found = await check.run(
            aiter(connection.cursor(SEALS, prefetch=16)), aiter(connection.cursor(ROWS, prefetch=AT_ONCE)))  # type: ignore[arg-type]
        last = await connection.fetchval("select coalesce(max(position), 0) from events")
        age = await connection.fetchval("select extract(epoch from clock_timestamp() - min(at))::float from seals")
    return found, int(last), age or 0.0


async def _agreed(app: App, known: Sequence[Head]) -> int:
    """The newest seal that is the same here and outside."""
    pool = await app.database.pool()
    roots = {row["n"]: row["root"].hex() for row in await pool.fetch(
        "select n, root from seals where n = any($1)", [head.n for head in known])}
    return max((head.n for head in known if roots.get(head.n) == head.root), default=0)


class Progress:
    """A line every two seconds."""

    def __init__(self, service: str) -> None:
        self._service, self._said = service, time.monotonic()

    def __call__(self, position: int) -> None:
        if time.monotonic() - self._said > SHOWN:
            self._said = time.monotonic()
            print(f"{self._service}: checked up to {position}", file=sys.stderr, flush=True)


async def acknowledge_loss(app: App, outside: Outside, generation: int) -> Loss | None:
    """`restored` begins `generation`: what is known outside beyond the last seal of this log is a known loss from now on. Says so
    where the heads are, with the head that this log has. Raises KafkaError."""
    name = app.service.name
    known = [*heads.kept(outside.directory, name), *await heads.told(outside, name)]
    if not known:
        return None
    head = await heads.head_of(app.database, name) or Head(name, generation, 0, 0, BEGINNING.hex(), datetime.now(UTC))
    agreed = await _agreed(app, known)
    losses = {loss for one in known for loss in one.losses}
    lost = [one for one in known if one.n > agreed and not is_lost(one, losses)]
    loss = Loss(generation, agreed, head.upto) if lost else None
    losses |= {loss} if loss else set()
    said = msgspec.structs.replace(head, generation=generation, losses=tuple(sorted(losses, key=lambda one: one.generation)))
    if outside.directory:
        heads.keep(outside.directory, said, always=True)
    producer = AIOKafkaProducer(**outside.broker, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        await heads.tell(outside, producer, said)
    finally:
        await discard(producer)
    return loss


def told(answer: dict[str, Any]) -> str:
    """For people: one line, and one for each finding."""
    lines = [f"{answer['service']:<10} {answer['events']} events, sealed up to {answer['sealed']}, {answer['retired']} retired"]
    lines += [f"  known loss: what followed {one['upto']} before generation {one['generation']}" for one in answer["known_losses"]]
    return "\n".join([*lines, *(f"  {one['what']} at {one['position']}: {one['text']}" for one in answer["findings"])])


