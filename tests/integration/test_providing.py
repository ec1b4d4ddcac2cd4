"""Databases of an installation, on a real server: a database and three roles for each service, and nobody at another's."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cli.migrating.database import migrate, owner_url
from cli.providing.databases import ROLES, is_of, provide
from libs.eventkit.settings import Settings
from tests.conftest import Servers


class Provided:
    def __init__(self, servers: Servers, server: asyncpg.Connection, secrets: Path) -> None:
        self.servers, self.server, self.secrets = servers, server, secrets
        self.names = [f"provided_{uuid4().hex[:8]}" for _ in range(2)]
        for name in self.names:
            for role in ROLES:
                self.tell(name, role)

    def tell(self, service: str, role: str) -> None:
        """A new password."""
        (self.secrets / f"db-{service}-{role}").write_text(os.urandom(12).hex())

    def settings(self, service: str) -> Settings:
        return Settings(service=service, database_url=self.servers.url(service, "nobody"), secrets=self.secrets)

    async def drop(self) -> None:
        for name in self.names:
            await self.server.execute(f"drop database if exists {name} with (force)")
        for name in self.names:
            for role in ROLES:
                await self.server.execute(f"drop role if exists {name}_{role}")


@pytest.fixture
async def provided(servers: Servers, tmp_path: Path) -> AsyncIterator[Provided]:
    server = await asyncpg.connect(servers.url("postgres"))
    found = Provided(servers, server, tmp_path)
    try:
        yield found
    finally:
        await found.drop()
        await server.close()


async def test_a_service_migrates_on_what_it_was_given_and_a_second_time_nothing_is_done(provided: Provided):
    name, _ = provided.names
    assert await provide(provided.server, name, provided.secrets)
    assert not await provide(provided.server, name, provided.secrets)
    settings = provided.settings(name)
    assert owner_url(settings) == settings.role_url("owner") != settings.database_url
    assert await migrate(settings, (), {}) and not await migrate(settings, (), {})
    assert not await provide(provided.server, name, provided.secrets), "a migration leaves the passwords as they were"
    log = await asyncpg.connect(settings.role_url("log"))
    assert await log.fetchval("select generation from log_state") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await log.execute("create table mine (x int)")
    await log.close()


async def test_nobody_connects_to_anothers_database(provided: Provided):
    for name in provided.names:
        await provide(provided.server, name, provided.secrets)
    mine, others = provided.names
    for role in ROLES:
        await (await asyncpg.connect(provided.servers.url(mine, f"{mine}_{role}"))).close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(provided.servers.url(others, f"{mine}_{role}"))


async def test_a_password_that_was_changed_is_the_one_that_counts(provided: Provided):
    name, _ = provided.names
    await provide(provided.server, name, provided.secrets)
    provided.tell(name, "log")
    assert await provide(provided.server, name, provided.secrets)
    kept = dict(await provided.server.fetch("select rolname, rolpassword from pg_authid where rolname like $1", f"{name}_%"))
    assert all(is_of(kept[f"{name}_{role}"], (provided.secrets / f"db-{name}-{role}").read_text()) for role in ROLES)


async def test_only_an_owner_makes_roles_and_none_is_more_than_that(provided: Provided):
    name, _ = provided.names
    await provide(provided.server, name, provided.secrets)
    rows = await provided.server.fetch(
        "select rolname, rolcreaterole, rolsuper, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname like $1",
        f"{name}_%")
    assert {row["rolname"].removeprefix(f"{name}_"): row["rolcreaterole"] for row in rows} == {"owner": True, "log": False, "read": False}
    assert not any(row["rolsuper"] or row["rolcreatedb"] or row["rolreplication"] or row["rolbypassrls"] for row in rows)


def test_without_a_secret_of_its_own_the_owner_is_who_the_address_names(tmp_path: Path):
    settings = Settings(service="alarm", database_url="postgresql://alarm_owner@host/alarm", secrets=tmp_path)
    assert owner_url(settings) == settings.database_url
