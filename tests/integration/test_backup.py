"""A service's database dumped while it runs and put back: roles, ownership, row-level security, functions and every row as they were."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from cli.place import Place
from cli.stack import dumping
from cli.stack.backups import Unfit
from libs.eventkit.service import App
from services.neighbors.main import SERVICE
from tests.eventkit.writers import append
from tests.kit import everything

AppOf = Callable[..., Awaitable[App]]
SHAPE = """
select 'table', c.relname, c.relkind::text, c.relowner::regrole::text, c.relrowsecurity::text, c.relforcerowsecurity::text, c.relacl::text,
       obj_description(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'
union all select 'column', attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull::text, '', '', '' from pg_attribute
          join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and attnum > 0
             and not attisdropped
union all select 'policy', tablename, policyname, roles::text, cmd, qual, with_check, permissive from pg_policies
union all select 'function', proname, pg_get_functiondef(p.oid), proowner::regrole::text, proacl::text, '', '', '' from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public'
union all select 'index', indexname, indexdef, '', '', '', '', '' from pg_indexes where schemaname = 'public'
union all select 'constraint', conname, pg_get_constraintdef(c.oid), '', '', '', '', '' from pg_constraint c
          join pg_namespace n on n.oid = c.connamespace where n.nspname = 'public'
order by 1, 2, 3, 4"""


async def shape(url: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(SHAPE)]
    finally:
        await connection.close()


@pytest.fixture
def place(tmp_path: Path, secrets: Path) -> Place:
    found = Place(tmp_path / "state")
    found.state.mkdir()
    found.secrets.symlink_to(secrets)
    return found


async def test_what_is_put_back_is_what_it_was_and_works(app_of: AppOf, place: Place, tmp_path: Path):
    app = await app_of(SERVICE)
    url, community = app.settings.database_url, uuid4()
    name, ports = urlsplit(url).path.strip("/"), {"postgres": urlsplit(url).port or 5432, "kafka": 0}
    for _ in range(5):
        await app.log.append(append(community))
    before, rows = await shape(url), await everything(await app.database.pool())
    dump = await dumping.dump(name, tmp_path, ports)
    assert (dump.generation, dump.position) == (1, 5)
    await app.log.append(append(community))

    async def migrate(database: str) -> None:
        await dumping.migrate("neighbors", place, ports, database)

    beside = await dumping.put_beside("neighbors", name, dump, "2026-01-01T00:00:00Z", tmp_path, ports, migrate)
    assert await shape(url.rpartition("/")[0] + f"/{beside}") == before
    assert (await app.log.last()) == 6, "the live one is as it was"
    await dumping.swap(name, beside, ports)
    again = await app_of(SERVICE, beside=app)
    pool = await again.database.pool()
    assert await everything(pool) == rows
    assert (await again.log.append(append(community))).position == 6
    assert await pool.fetchval("select count(*) from restores where finding is null") == 1
    reader = await asyncpg.connect(again.settings.role_url("read"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("select * from events")
    assert await reader.fetch("select * from notices") == [] and await reader.fetchval("show statement_timeout") == "5s"
    await reader.close()
    async with dumping.connected("postgres", ports) as server:
        assert await server.fetch("select datname from pg_database where datname like $1", f"{name}\\_%") == []


async def test_a_dump_that_is_not_what_the_manifest_says_changes_nothing(app_of: AppOf, place: Place, tmp_path: Path):
    app = await app_of(SERVICE)
    url = app.settings.database_url
    name, ports = urlsplit(url).path.strip("/"), {"postgres": urlsplit(url).port or 5432, "kafka": 0}
    dump = await dumping.dump(name, tmp_path, ports)
    await app.log.append(append(uuid4()))
    (tmp_path / "other.dump").write_bytes((tmp_path / dump.file).read_bytes()[:-2000])

    async def nothing(database: str) -> None:
        pass

    for wrong, error in ((replace(dump, position=7), Unfit), (replace(dump, file="other.dump"), RuntimeError)):
        with pytest.raises(error):
            await dumping.put_beside("neighbors", name, wrong, "", tmp_path, ports, nothing)
    assert await app.log.last() == 1
    async with dumping.connected("postgres", ports) as server:
        await server.execute(f"drop database if exists {name}_restoring with (force)")
