"""The servers that the rows run on, and databases with the log's tables on them."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from msgspec import Struct

from cli.migrating.database import migrate
from libs.eventkit.settings import Settings


class Servers(Struct, frozen=True):
    """`postgres`: a superuser's address. `peer`: the interpreter that has the peer installed; empty where it could not
    be, and then `without` says why. `secrets`: a directory that may be empty. `whole`: the file that
    says where the services are, for the rows that need them."""

    postgres: str
    kafka: str
    pgbench: Path
    secrets: Path
    peer: str
    without: str
    whole: str = ""

    def url(self, database: str, user: str) -> str:
        parts = urlsplit(self.postgres)
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}", path=f"/{database}"))

    def settings(self, name: str) -> Settings:
        return Settings(
            service=name, database_url=self.url(name, f"{name}_owner"), KAFKA_BOOTSTRAP_SERVERS=self.kafka,
            topic_prefix="bench", secrets=self.secrets)

    @property
    def broker(self) -> dict[str, str]:
        return self.settings("bench").broker

    async def database(self, name: str) -> Settings:
        """An empty one, with the tables and roles that a service's log has."""
        server = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            if not await server.fetchval("select true from pg_roles where rolname = $1", f"{name}_owner"):
                await server.execute(f"create role {name}_owner login createrole")
            await server.execute(f"drop database if exists {name} with (force)")
            await server.execute(f"create database {name} owner {name}_owner")
        finally:
            await server.close()
        settings = self.settings(name)
        await migrate(settings, (), {"relay": "beginning"})
        return settings


