"""Every service in this process on a database of its own, and tokens as identity makes them."""

import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from msgspec import Struct

from cli.migrating.database import migrate_for
from libs.eventkit.run import web
from libs.eventkit.service import App
from services.identity.tokens import Secrets
from tests.conftest import Databases
from tests.e2e.conftest import stack

__all__ = ["stack"]
SERVICES = sorted(p.parent.name for p in (Path(__file__).parents[2] / "services").glob("*/main.py"))
KID = "of-the-tests"


class Signed(Struct, frozen=True):
    """Tokens by a key that every service of these tests knows."""

    own: Secrets

    def token(self, role: str, community_id: UUID | None = None, person_id: UUID | None = None) -> str:
        return self.own.access_token(KID, person_id or uuid4(), role, community_id or uuid4(), datetime.now(UTC))

    def teach(self, app: App) -> None:
        now = datetime.now(UTC)
        public = self.own.signing_key(KID).public_key().public_bytes_raw()
        app.verifier.learn(KID, public, now - timedelta(hours=1), now + timedelta(hours=1))


@pytest.fixture(scope="session")
def signed() -> Signed:
    return Signed(Secrets(os.urandom(32)))


@pytest.fixture(scope="session")
async def served(databases: Databases, signed: Signed) -> AsyncIterator[Callable[[str], object]]:
    """The HTTP application of a service by name, opened, with its memories and without anything that runs by itself beside."""
    apps: dict[str, tuple[App, FastAPI]] = {}

    async def application(name: str) -> FastAPI:
        if name not in apps:
            service = import_module(f"services.{name}.main").SERVICE
            app = App(service, (await databases.make(service)).model_copy(update={"demo": True}))
            await migrate_for(app)  # the demo's channels have places of their own
            await app.open()
            signed.teach(app)
            for memory in app.memories:
                await memory.catch_up()
            apps[name] = app, web(app)
        return apps[name][1]

    yield application
    for app, _ in apps.values():
        await app.close()
