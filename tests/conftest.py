"""Real servers for every test: databases from templates, topics and communities of one's own. Nothing is mocked."""

import base64
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import hypothesis
import pytest
from msgspec import Struct

from cli.migrating.database import migrate, migrate_for
from libs.eventkit.service import App, Service
from libs.eventkit.settings import Settings
from tests.documented import documented
from tests.eventkit.topics import with_topics
from tests.faults import tally as tallies

__all__ = ["documented"]
NEEDED = ("LIFANG_TEST_POSTGRES", "KAFKA_BOOTSTRAP_SERVERS")
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "serial: kills or wipes servers that other tests share; runs last", "whole: of the services that all share", *tallies.MARKERS,
    ):
        config.addinivalue_line("markers", marker)
    # how long something takes is measured in bench/, not here
    hypothesis.settings.register_profile("lifang", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("lifang")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    tallies.write_down(item, report)
    return report


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> tallies.Tally:
    """Where a test of a fault counts what it did."""
    return tallies.tally_of(request.node)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever ends a server that others share comes last. What is marked as a fault names a row that there is."""
    for item in items:
        list(tallies.marks(item))
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("whole")
    items.sort(key=lambda item: (item.get_closest_marker("serial") is not None, item.get_closest_marker("faults") is not None))


class Servers(Struct, frozen=True):
    """`record`: where the supervisor writes the pids of the servers; None where nobody would start them again."""

    postgres: str
    kafka: str
    record: Path | None

    def url(self, database: str, user: str | None = None) -> str:
        parts = urlsplit(self.postgres)
        login = f"{user}:{parts.password}" if parts.password else user
        place = parts.netloc if user is None else f"{login}@{parts.netloc.rpartition('@')[2]}"
        return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))

    def pid(self, name: str) -> int:
        """Skips the test where the servers are not ours to kill."""
        if self.record is None:
            pytest.skip("the servers are not kept by a supervisor of ours: nothing may be killed")
        return int(json.loads(self.record.read_text())["parts"][name]["pid"])


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Those that the environment names, else a stack of the tests' own, stopped at the end."""
    if all(os.environ.get(name) for name in NEEDED):
        yield _named()
        return
    from cli.test import servers as started

    with started(containers=False) as environment:
        os.environ.update(environment)
        yield _named()


def _named() -> Servers:
    record = os.environ.get("LIFANG_TEST_SUPERVISOR_STATE")
    return Servers(os.environ[NEEDED[0]], os.environ[NEEDED[1]], Path(record) if record else None)


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Path:
    directory = tmp_path_factory.mktemp("secrets")
    for name in ("blind-index", "kek-contact", "kek-credential", "kek-device-raw", "kek-id-number", "kek-neighbor", "kek-plate",
                 "kek-webhook", "signing-seed", "visitor-qr-seed"):
        (directory / name).write_text(base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
    (directory / "demo").write_text(os.urandom(16).hex())
    (directory / "payment-local").write_text(os.urandom(16).hex())
    (directory / "dc09-key").write_text(os.urandom(16).hex().upper())
    (directory / "device-password").write_text(os.urandom(16).hex())
    if state := os.environ.get("LIFANG_TEST_STATE"):
        for known in (Path(state) / "secrets").glob("kafka-*"):
            (directory / known.name).write_text(known.read_text())
    return directory


class Databases:
    """One migrated template a service and session; a database made from it takes some 50 ms."""

    def __init__(self, servers: Servers, secrets: Path) -> None:
        self.servers, self.secrets = servers, secrets
        self._templates: dict[str, str] = {}
        self._kept: list[Service | str] = []
        self._made: list[str] = []

    async def make(self, service: Service | str) -> Settings:
        """Settings of the service on a fresh database and fresh topics. By name alone: the log's tables without views."""
        name = service if isinstance(service, str) else service.name
        kind = name if isinstance(service, str) else f"{name}_{id(service)}"
        if kind not in self._templates:
            self._templates[kind] = await self._template(service, name)
            self._kept.append(service)  # an id may be given again once its object is gone
        return self._settings(name, await self._create(name, self._templates[kind]))

    async def drop(self, *settings: Settings) -> None:
        async with self._server() as server:
            for database in [urlsplit(each.database_url).path.strip("/") for each in settings] or self._made[:]:
                await server.execute(f"drop database if exists {database} with (force)")
                self._made.remove(database)

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[asyncpg.Connection]:
        """Connected anew each time: some tests kill the server."""
        connection = await asyncpg.connect(self.servers.url("postgres"))
        try:
            yield connection
        finally:
            await connection.close()  # with what it has locked, so that nobody waits for one that failed

    async def _template(self, service: Service | str, name: str) -> str:
        password = urlsplit(self.servers.postgres).password
        for role in ("log", "read") if password else ():
            (self.secrets / f"db-{name}-{role}").write_text(str(password))
        async with self._server() as server:
            await server.execute("select pg_advisory_lock(726900)")  # roles are the server's: of two processes that make some, one fails
            if not await server.fetchval("select true from pg_roles where rolname = $1", f"{name}_owner"):
                await server.execute(f"create role {name}_owner login createrole" + (f" password '{password}'" if password else ""))
            settings = self._settings(name, await self._create(name, "template1"))
            if isinstance(service, str):
                await migrate(settings, (), {})
            else:
                app = App(service, settings)
                await migrate_for(app)
                await app.close()
        return urlsplit(settings.database_url).path.strip("/")

    async def _create(self, name: str, template: str) -> str:
        database = f"{name}_{os.getpid()}_{next(_numbers)}"
        async with self._server() as server:
            await server.execute(f"create database {database} owner {name}_owner template {template}")
        self._made.append(database)
        return database

    def _settings(self, name: str, database: str) -> Settings:
        return Settings(
            service=name, database_url=self.servers.url(database, f"{name}_owner"), secrets=self.secrets,
            kafka_user=os.environ.get("LIFANG_TEST_KAFKA_USER", ""),
            topic_prefix=(prefix := f"t{uuid4().hex[:12]}"), open_prefix=f"{prefix}.")


@pytest.fixture(scope="session")
async def databases(servers: Servers, secrets: Path) -> AsyncIterator[Databases]:
    os.environ["KAFKA_BOOTSTRAP_SERVERS"] = servers.kafka
    found = Databases(servers, secrets)
    yield found
    await found.drop()


@pytest.fixture(scope="module")
async def pool_of(databases: Databases) -> AsyncIterator[Callable[[str], Awaitable[asyncpg.Pool]]]:
    """A pool as `<service>_log` on a database of this module with the log's tables."""
    pools: dict[str, asyncpg.Pool] = {}

    async def pool(name: str) -> asyncpg.Pool:
        if name not in pools:
            settings = await databases.make(name)
            pools[name] = await asyncpg.create_pool(settings.role_url("log"), min_size=1, max_size=20)
        return pools[name]

    yield pool
    for made in pools.values():
        made.terminate()


@pytest.fixture
async def app_of(databases: Databases) -> AsyncIterator[Callable[..., Awaitable[App]]]:
    """An opened app of a service on a fresh database, or beside another one (`beside`) on the same."""
    apps: list[App] = []

    async def app(service: Service, beside: App | None = None) -> App:
        settings = beside.settings if beside else await databases.make(service)
        apps.append(with_topics(App(service, settings)))
        await apps[-1].open()
        return apps[-1]

    yield app
    for made in reversed(apps):
        await made.close()
    for database in {made.settings.database_url: made.settings for made in apps}.values():
        await databases.drop(database)


@pytest.fixture
def community() -> UUID:
    return uuid4()
