"""PostgreSQL's own tools on one service's database: a dump at one moment, and a dump put back beside the live one, then in its place."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from cli.place import Place
from cli.stack import services
from cli.stack.backups import Dump, Unfit, digest
from cli.stack.ports import HOST
from cli.stack.postgres import binaries

STATE = """select (select generation from log_state) as generation, (select coalesce(max(position), 0) from events) as position,
                  (select version_num from log_version) as log_version"""
GONE = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()"
SWAPS = 20


def address(database: str, ports: dict[str, int]) -> str:
    return f"postgresql://postgres@{HOST}:{ports['postgres']}/{database}"


@asynccontextmanager
async def connected(database: str, ports: dict[str, int]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(address(database, ports), timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


async def tool(program: str, *words: str) -> None:
    """Raises RuntimeError with what it said last."""
    process = await asyncio.create_subprocess_exec(
        str(binaries() / program), *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program}: {said.decode(errors='replace').strip()[-500:]}")


async def dump(name: str, directory: Path, ports: dict[str, int]) -> Dump:
    """Of that database, while its service runs. What is said of it is of the very moment of the dump: both look at one snapshot."""
    file = directory / f"{name}.dump"
    async with connected(name, ports) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot = await connection.fetchval("select pg_export_snapshot()")
        state = await connection.fetchrow(STATE)
        await tool("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}", address(name, ports))
    assert state is not None
    file.chmod(0o600)
    return Dump(file.name, digest(file), file.stat().st_size, state["generation"], state["position"], state["log_version"])


async def put_beside(
    name: str, database: str, one: Dump, made_at: str, directory: Path, ports: dict[str, int], migrate: Callable[[str], Awaitable[None]]
) -> str:
    """A database of the service beside the live one, whole and brought to what this code expects; returns its name. It is marked as put
    back: whoever publishes from it has to be told first what it lacks. Raises RuntimeError, Unfit."""
    beside = f"{database}_restoring"
    async with connected("postgres", ports) as server:
        for role, more in (("owner", "createrole"), ("log", ""), ("read", "")):
            if not await server.fetchval("select true from pg_roles where rolname = $1", f"{name}_{role}"):
                await server.execute(f"create role {name}_{role} login {more}")
        await server.execute(f"drop database if exists {beside} with (force)")
        await server.execute(f"create database {beside} owner {name}_owner template template0")
    await tool("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={address(beside, ports)}", str(directory / one.file))
    async with connected(beside, ports) as connection:
        await connection.execute("delete from migrated")  # roles are no part of a dump: migrate sets them again
    await migrate(beside)
    async with connected(beside, ports) as connection:
        state = await connection.fetchrow(STATE)
        if state is None or (state["generation"], state["position"]) != (one.generation, one.position):
            raise Unfit(f"{name}'s dump does not hold what the manifest says")
        await connection.execute(
            "insert into restores (backup) values ($1)",
            msgspec.json.encode({"made_at": made_at, "generation": one.generation, "position": one.position}).decode())
    return beside


async def migrate(name: str, place: Place, ports: dict[str, int], database: str) -> None:
    """That database as the service's. Raises RuntimeError."""
    owner = services.database(name, ports).rpartition("/")[0] + f"/{database}"
    environment = services.environment(name, place, {name: 0, **ports}) | {f"DATABASE_URL_{name.upper()}": owner}
    await asyncio.to_thread(services.migrate, name, place, environment)


async def swap(name: str, beside: str, ports: dict[str, int]) -> None:
    """In one transaction, so that there is always one whole database of that name or the other. Nobody of ours must be connected."""
    replaced = f"{name}_replaced"
    async with connected("postgres", ports) as server:
        await server.execute(f"drop database if exists {replaced} with (force)")
        there = await server.fetchval("select true from pg_database where datname = $1", name)
        for attempt in range(SWAPS):
            await server.execute(GONE, name)
            try:
                async with server.transaction():
                    if there:
                        await server.execute(f"alter database {name} rename to {replaced}")
                    await server.execute(f"alter database {beside} rename to {name}")
                break
            except asyncpg.ObjectInUseError:
                if attempt == SWAPS - 1:
                    raise
                await asyncio.sleep(0.1)
        await server.execute(f"drop database if exists {replaced} with (force)")
