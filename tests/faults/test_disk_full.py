"""The disk that the toy's database lies on is full: a clean 503 and nothing lost, and with room again everything goes on. I1.

A file system of its own is mounted for it, which takes root. (A full disk under the write-ahead log ends the server: test_servers.)
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from cli.stack.account import unprivileged
from tests.conftest import Servers
from tests.faults.checker import Broken
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.kit import until

SceneOf = Callable[..., Awaitable[Scene]]
SIZE = 64
"""Megabytes: some databases' worth, so that there is room to begin with."""


class Disk:
    def __init__(self, path: Path) -> None:
        self.path, self.filler = path, path / "filler"

    def fill(self) -> None:
        """Not a block is left."""
        with self.filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    def empty(self) -> None:
        self.filler.unlink()


@contextlib.asynccontextmanager
async def small_disk(servers: Servers, database: str) -> AsyncIterator[Disk]:
    """Mounted, and the database moved to it. Skips the test where nothing may be mounted."""
    account = unprivileged()
    path = Path(tempfile.mkdtemp(prefix="lifang-disk-"))
    owner = f",uid={account.uid},gid={account.gid}" if account else ""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=0700{owner}", "tmpfs", str(path)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        path.rmdir()
        pytest.skip("a disk can only be filled where a file system may be mounted: as root")
    server = await asyncpg.connect(servers.url("postgres"))
    name = f"small_{database}"
    try:
        await server.execute(f"create tablespace {name} location '{path}'")
        await server.execute(f"alter database {database} allow_connections false")  # a pool brings back what is ended
        await server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + database + "'")
        await server.execute(f"alter database {database} set tablespace {name}")
        await server.execute(f"alter database {database} allow_connections true")
        yield Disk(path)
    finally:
        await server.execute(f"drop database if exists {database} with (force)")
        await server.execute(f"drop tablespace if exists {name}")
        await server.close()
        subprocess.run(["umount", "-l", str(path)], check=True)
        path.rmdir()


async def filled(scene: Scene, servers: Servers) -> None:
    database = scene.toy.settings.database_url.rpartition("/")[2]
    await scene.pool.expire_connections()
    async with small_disk(servers, database) as disk:
        await scene.toy.start()
        await scene.load.last_words()
        disk.fill()
        asking = asyncio.create_task(scene.load.run(callers=12, each=10))
        await until(lambda: scene.load.errors or asking.done(), 60)
        if asking.done():
            settle([Finding("I1", "commands are acknowledged on a full disk")], scene.tally)
        await until(lambda: len(scene.load.livez) > 3, 60)
        disk.empty()
        await asking
        if scene.load.errors - {"ReadTimeout"} != {"503"}:  # who waits behind another of the same account may lose patience first
            settle([Finding("I1", f"not only 503: {scene.load.errors}")], scene.tally)
        await scene.load.last_words()
        await scene.check()
        await scene.toy.stop()


@pytest.mark.fault(row="disk-full", invariants="I1 I2 I3 I5 I14")
async def test_on_a_full_disk_nothing_is_acknowledged_and_later_everything_is_done(scene_of: SceneOf, servers: Servers):
    await filled(await scene_of(), servers)


@pytest.mark.twin(row="disk-full", caught_by="I1")
async def test_twin_that_swallows_the_error_is_caught(scene_of: SceneOf, servers: Servers):
    with pytest.raises(Broken) as broken:
        await filled(await scene_of("disk_full_is_nothing"), servers)
    assert broken.value.invariant == "I1"
