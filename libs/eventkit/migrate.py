"""Brings a service's database to what its code expects: roles, the log's tables (Alembic), views, checkpoints.

Runs as owner, under a lock, expand only; quick when there is nothing to do."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from libs.eventkit.envelope import PARTITIONS
from libs.eventkit.settings import Settings
from libs.eventkit.views import View

MIGRATIONS = Path(__file__).parent / "migrations"
_LOG = (MIGRATIONS / "service.sql").read_text()
_LOCK = 726002
_MONTH = str(30 * 24 * 3600 * 1000)

async def migrate(settings: Settings, views: tuple[View, ...], checkpoints: Mapping[str, str]) -> bool:
    """True when something was done. Raises what the database says when it cannot be reached."""
    service = settings.service
    statements = [view.ddl(service) for view in views]
    scripts = [path.read_text() for path in sorted(MIGRATIONS.rglob("*")) if path.suffix in (".py", ".sql")]
    wanted = hashlib.sha256("\n".join([*scripts, *statements, str(dict(checkpoints))]).encode()).hexdigest()
    owner = await asyncpg.connect(settings.database_url, timeout=5)
    try:
        if await _fingerprint(owner) == wanted:
            return False
        await owner.execute(f"select pg_advisory_lock({_LOCK})")
        if await _fingerprint(owner) == wanted:
            return False
        await _roles(owner, settings)
        await _log_tables(settings)
        for statement in (_LOG.replace("$service", service), *statements):
            await owner.execute(statement)
        await owner.executemany(
            "insert into checkpoints (name, position) select $1, case $2 when 'beginning' then 0 else"
            " (select coalesce(max(position), 0) from events) end on conflict do nothing", checkpoints.items())
        await owner.execute(
            "insert into migrated (fingerprint) values ($1) on conflict (one) do update set fingerprint = excluded.fingerprint", wanted)
        return True
    finally:
        await owner.close()

async def _fingerprint(owner: asyncpg.Connection) -> str | None:
    there = await owner.fetchval("select to_regclass('public.migrated')")
    return str(await owner.fetchval("select fingerprint from migrated")) if there else None

async def _roles(owner: asyncpg.Connection, settings: Settings) -> None:
    for role in ("log", "read"):
        name = f"{settings.service}_{role}"
        if not await owner.fetchval("select true from pg_roles where rolname = $1", name):
            await owner.execute(f"create role {name} login")
        if password := urlsplit(settings.role_url(role)).password:
            await owner.execute(f"alter role {name} password '{password.replace(chr(39), chr(39) * 2)}'")

async def _log_tables(settings: Settings) -> None:
    from alembic import command  # here, because a warm start has no use for it and would wait half a second
    from alembic.config import Config
    from sqlalchemy.ext.asyncio import create_async_engine

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_async_engine(settings.database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        def upgrade(sync: object) -> None:
            config.attributes["connection"] = sync
            command.upgrade(config, "head")

        await connection.run_sync(upgrade)
    await engine.dispose()

async def ensure_topics(settings: Settings, services: tuple[str, ...]) -> None:
    """Makes the topics that this service writes and hears; leaves those that exist as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id=f"{settings.service}-topics")
    await admin.start()
    try:
        known = set(await admin.list_topics())
        wanted = {settings.topic(s): {"retention.ms": _MONTH} for s in services} | {settings.keys_topic: {"cleanup.policy": "compact"}}
        if new := [NewTopic(name, PARTITIONS, 1, topic_configs=options) for name, options in wanted.items() if name not in known]:
            with suppress(TopicAlreadyExistsError):  # another service was first
                await admin.create_topics(new)
    finally:
        await admin.close()
