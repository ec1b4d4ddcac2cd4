"""Roles are the server's: databases of one service that are migrated beside each other make them together."""

import asyncio
import os

from cli.migrating.database import migrate
from tests.conftest import Databases

BESIDE = 6


async def test_roles_that_several_make_at_one_moment_are_made_once(databases: Databases):
    name = f"together{os.getpid()}"
    async with databases._server() as server:
        await server.execute(f"create role {name}_owner login createrole")
        made = [databases._settings(name, await databases._create(name, "template1")) for _ in range(BESIDE)]
        try:
            assert await asyncio.gather(*(migrate(each, (), {}) for each in made)) == [True] * BESIDE
            found = await server.fetch("select rolname, cardinality(rolconfig) from pg_roles where starts_with(rolname, $1)", f"{name}_")
            assert {row[0]: row[1] for row in found} == {f"{name}_owner": None, f"{name}_log": 2, f"{name}_read": 2}
        finally:
            await databases.drop(*made)
            for role in ("log", "read", "owner"):
                await server.execute(f"drop role if exists {name}_{role}")
