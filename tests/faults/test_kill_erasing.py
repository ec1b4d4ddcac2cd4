"""kill -9 in the middle of an erasure: whoever comes next ends it. At no moment is a key gone of which the log does not say so, and at
none is it confirmed that all are gone while one is not."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import json

from libs.eventkit.commands import Context
from libs.eventkit.erasing import BeginErasure
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.service import App
from tests.faults.mortal_erasing import service_with
from tests.kit import everything, until
from tests.toy.accounts import Add

PERSON, SUBJECTS = uuid4(), ("resident:1", "vehicle:2")


class Broken(Exception):
    pass


async def holds(pool: asyncpg.Pool) -> bool:
    """Raises Broken where the log and the keys do not say the same; True once the erasure is over."""
    rows = await everything(pool)
    said = {json.decode(r.data)["key_id"] for r in rows if r.type == "key_erased"}
    keys = {str(r[0]): r[1] for r in await pool.fetch("select key_id, wrapped is null from keys")}
    gone = {key for key, destroyed in keys.items() if destroyed}
    confirmed = [json.decode(r.data)["keys"] for r in rows if r.type == "erasure_confirmed"]
    if gone - said:
        raise Broken("a key is gone, and nobody is told")
    if confirmed and gone != keys.keys():
        raise Broken("confirmed, and a key is there")
    if confirmed not in ([], [len(SUBJECTS)]):
        raise Broken(f"confirmed: {confirmed}")
    return bool(confirmed)


async def runs(app: App, point: str, twin: str) -> asyncio.subprocess.Process:
    s = app.settings
    environment = {
        **os.environ, "DATABASE_URL_TOY": s.database_url, "KAFKA_BOOTSTRAP_SERVERS": s.kafka, "LIFANG_TOPIC_PREFIX": s.topic_prefix,
        "LIFANG_SECRETS": str(s.secrets), "LIFANG_FAILPOINT": point}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.mortal_erasing", twin, env=environment, cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)


async def begun(app: App, community: UUID) -> asyncpg.Pool:
    """Two keys of a person, announced, and the wish that they go."""
    asked = Context(community_id=community, now=datetime.now(UTC))
    for subject in SUBJECTS:
        key = await app.keyring.key_for(community, subject, "contact")
        await app.commands.handle(uuid4(), Add(1), asked, first=[KeyCreated(key.key_id)])
    await app.commands.handle(PERSON, BeginErasure(PERSON, SUBJECTS), asked)
    return await app.database.pool()


async def killed(app: App, point: str, twin: str) -> None:
    mortal = await runs(app, point, twin)
    assert await asyncio.wait_for(mortal.wait(), 60) == -signal.SIGKILL


@pytest.mark.fault(row="kill-erasure", invariants="I4")
@pytest.mark.parametrize("point", ["erasure.logged", "erasure.destroyed", "append.before", "append.after", "reaction.done"])
async def test_killed_in_an_erasure_the_next_one_ends_it(app_of, community: UUID, point: str):
    app = await app_of(service_with())
    pool = await begun(app, community)
    await killed(app, point, "")
    await holds(pool)
    second = await runs(app, "", "")
    try:
        await until(lambda: holds(pool), 60)
    finally:
        second.kill()
        await second.wait()


@pytest.mark.twin(row="kill-erasure", caught_by="I4")
@pytest.mark.parametrize(("point", "twin"), [("erasure.logged", "destroyed_first"), ("erasure.destroyed", "confirmed_first")])
async def test_the_broken_twin_is_caught(app_of, community: UUID, point: str, twin: str):
    app = await app_of(service_with())
    pool = await begun(app, community)
    await killed(app, point, twin)
    with pytest.raises(Broken):
        await holds(pool)
