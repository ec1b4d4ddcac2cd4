"""Brings a database to what its code expects: roles, the log's tables (Alembic), views, checkpoints; as owner, locked, expand only."""

import hashlib
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from cli.migrating.statements import SQL, of_log, of_view
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from libs.eventkit.views import View

SCRIPTS = Path(__file__).parent
VERSIONS = SCRIPTS / "versions"
_LOCK = 726002


def owner_url(settings: Settings) -> str:
    """The database as its owner, whose password, if any, is the secret `db-<service>-owner`."""
    told = (settings.secrets / f"db-{settings.service}-owner").exists()
    return settings.role_url("owner") if told else settings.database_url


async def migrate_for(app: App) -> bool:
    """For that code, which need not run. As `migrate`."""
    return await migrate(app.settings, app.service.views, app.checkpoints())


async def migrate(settings: Settings, views: tuple[View, ...], checkpoints: Mapping[str, str]) -> bool:
    """True when something was done. Raises what the database says when it cannot be reached."""
    service = settings.service
    statements = [of_log(service), *(of_view(view, service) for view in views)]
    scripts = [path.read_text() for path in (SCRIPTS / "env.py", *sorted(VERSIONS.glob("*.py")), *sorted(SQL.glob("*.sql")))]
    wanted = hashlib.sha256("\n".join([*scripts, *statements, str(dict(checkpoints))]).encode()).hexdigest()
    owner = await asyncpg.connect(owner_url(settings), timeout=5)
    try:
        await owner.execute(f"select pg_advisory_lock({_LOCK})")
        if await owner.fetchval("select to_regclass('migrated')") and await owner.fetchval("select fingerprint from migrated") == wanted:
            return False
        script = await _log_tables(owner)
        for statement in statements[1:] if script is None else (script, *statements):
            await owner.execute(statement)
        for role in ("log", "read"):
            if password := urlsplit(settings.role_url(role)).password:
                await owner.execute(f"alter role {service}_{role} password '{unquote(password).replace(chr(39), chr(39) * 2)}'")
        await owner.execute("select has_migrated($1, $2, $3)", [*checkpoints], [*checkpoints.values()], wanted)
        return True
    finally:
        await owner.close()


async def _log_tables(owner: asyncpg.Connection) -> str | None:
    """The script by which Alembic brings the log's tables from what they are to its head; None where a newer code has been here, which
    only ever adds, so that this one runs beside it and after it."""
    from alembic import command  # here, because a warm start has no use for it and would wait half a second
    from alembic.config import Config

    there = await owner.fetchval("select to_regclass('public.log_version')")
    version = await owner.fetchval("select version_num from log_version") if there else "base"
    if version != "base" and not list(VERSIONS.glob(f"{version}_*.py")):
        return None
    config = Config(output_buffer=(script := StringIO()))
    config.set_main_option("script_location", str(SCRIPTS))
    command.upgrade(config, f"{version}:head", sql=True)
    return script.getvalue()
