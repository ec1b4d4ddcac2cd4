"""Tenancy in the database itself: whoever answers queries sees the communities of this transaction and nothing else."""

import hmac
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from hashlib import pbkdf2_hmac, sha256
from importlib import import_module
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import func, select

from cli.migrating.database import migrate
from libs.eventkit.service import App
from tests.conftest import Databases
from tests.eventkit.writers import append
from tests.kit import caught_up
from tests.toy.main import service
from tests.toy.sums import SUMS

AppOf = Callable[..., Awaitable[App]]
ROOT = Path(__file__).parents[2]
SERVICES = sorted(p.parent.name for p in ROOT.glob("services/*/main.py"))
NAKED = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
       and has_table_privilege($1, c.oid, 'select')
       and not (c.relrowsecurity and c.relforcerowsecurity
                and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'community_id')
                and exists (select from pg_policy p where p.polrelid = c.oid and $1::regrole = any (p.polroles)))
"""


@pytest.fixture
async def toy(app_of: AppOf, community: UUID) -> App:
    app = await app_of(service())
    app.start_worker()
    for c in (community, uuid4()):
        await app.log.append(append(c))
    await caught_up(await app.database.pool(), "sums")
    return app


@pytest.mark.parametrize("name", ["toy", *SERVICES])
async def test_no_table_that_a_query_may_read_is_without_its_policy(databases: Databases, name: str):
    owner = await asyncpg.connect((await databases.make(
        service() if name == "toy" else import_module(f"services.{name}.main").SERVICE)).database_url)
    assert [r[0] for r in await owner.fetch(NAKED, f"{name}_read")] == []
    assert await owner.fetchval(f"select rolbypassrls or rolsuper from pg_roles where rolname = '{name}_read'") is False
    await owner.execute(f"create table careless (community_id uuid); grant select on careless to {name}_read")
    assert [r[0] for r in await owner.fetch(NAKED, f"{name}_read")] == ["careless"], "the query would not notice"
    await owner.close()


async def test_a_reader_sees_its_communities_and_no_others(toy: App, community: UUID):
    assert await toy.database.fetch([], select(SUMS)) == []
    assert [r["community_id"] for r in await toy.database.fetch([community], select(SUMS))] == [community]
    assert await toy.database.fetch([uuid4()], select(SUMS)) == []
    with pytest.raises(AttributeError):  # the ids stand in the statement's text: what is no id never gets there
        await toy.database.fetch([f"{community}}}'; reset role; --"], select(SUMS))  # type: ignore[list-item]


async def test_a_reader_outside_a_transaction_of_ours_sees_nothing(toy: App):
    reader = await asyncpg.connect(toy.settings.role_url("read"))
    assert await reader.fetch("select * from sums") == []
    await reader.close()


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_what_one_request_may_see_does_not_leak_to_the_next(toy: App, community: UUID, ends: str):
    """The pool hands the same connection to both; it is told what to see whenever that is something else."""
    who = select(SUMS.c.own, func.pg_backend_pid().label("backend"))
    first = await toy.database.fetch([community], who)
    if ends == "badly":
        with pytest.raises(asyncpg.DivisionByZeroError):
            await toy.database.fetch([community], select(SUMS.c.own / (SUMS.c.own - SUMS.c.own)))
    assert await toy.database.fetch([], who) == [] == await toy.database.fetch([uuid4()], who)
    assert await toy.database.rows((), "select pg_backend_pid() as backend, current_setting('lifang.communities') as seen", ()) == [
        {"backend": first[0]["backend"], "seen": "{}"}]
    assert await toy.database.fetch([community], who) == first
    assert await toy.database.rows((), "select current_setting('transaction_read_only') as only", ()) == [{"only": "on"}]


@pytest.mark.parametrize("statement", [
    "select * from events", "select * from keys", "select * from outcomes", "delete from sums", "update sums set own = 0",
    "insert into sums select * from sums", "set role toy_log", "set row_security = off; select * from sums"])
async def test_a_reader_can_do_nothing_else(toy: App, community: UUID, statement: str):
    reader = await asyncpg.connect(toy.settings.role_url("read"), server_settings={"lifang.communities": f"{{{community}}}"})
    assert len(await reader.fetch("select * from sums")) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)
    await reader.close()


async def test_a_role_has_the_password_that_its_secret_says_whatever_characters_are_in_it(databases: Databases):
    """As PostgreSQL keeps it: SCRAM-SHA-256 (RFC 5803)."""
    settings, secret = await databases.make("locked"), "it's 100 % @/:ü"
    (settings.secrets / "db-locked-log").write_text(secret)
    await migrate(settings, (), {"once more": "now"})
    server = await asyncpg.connect(databases.servers.postgres)
    kept = await server.fetchval("select rolpassword from pg_authid where rolname = 'locked_log'")
    await server.close()
    rounds, salt, stored = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):.*", kept).groups()
    salted = pbkdf2_hmac("sha256", secret.encode(), b64decode(salt), int(rounds))
    assert sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == b64decode(stored)
