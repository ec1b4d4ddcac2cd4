"""Of each service a database and its three roles, on one server: `python -m cli.providing.databases [SERVICE…]`.

DATABASE_URL is the server's, as its own user; LIFANG_SECRETS has the passwords, of which the server is told a verifier alone.
What is as it should be is left alone: as often as one likes. To any one database nobody but its own roles may connect.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from cli.providing.holders import SERVER, SERVICES
from libs.eventkit.db import once_there

PATIENCE = 60.0
ITERATIONS = 4096
"""As PostgreSQL's own; the passwords are random, not remembered."""
ROLES = {"owner": "login createrole", "log": "login", "read": "login"}


def verifier(password: str, salt: bytes) -> str:
    """SCRAM-SHA-256 (RFC 5803), as the server keeps it."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    parts = [base64.b64encode(raw).decode() for raw in (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def is_of(kept: str | None, password: str) -> bool:
    """Whether the server knows this password already."""
    if not kept or not kept.startswith(f"SCRAM-SHA-256${ITERATIONS}:"):
        return False
    return hmac.compare_digest(kept, verifier(password, base64.b64decode(kept.split(":")[1].split("$")[0])))


async def provide(server: asyncpg.Connection, service: str, secrets: Path) -> bool:
    """True when something was done."""
    changed = False
    for role, rights in ROLES.items():
        name, password = f"{service}_{role}", (secrets / f"db-{service}-{role}").read_text().strip()
        if not await server.fetchval("select to_regrole($1)", name):
            await server.execute(f"create role {name} {rights}")
        if not is_of(await server.fetchval("select rolpassword from pg_authid where rolname = $1", name), password):
            await server.execute(f"alter role {name} password '{verifier(password, os.urandom(16))}'")
            changed = True
    await server.execute(f"grant {service}_log, {service}_read to {service}_owner with admin true, inherit false, set false")
    if not await server.fetchval("select 1 from pg_database where datname = $1", service):
        await server.execute(f"create database {service} owner {service}_owner")
        changed = True
    await server.execute(f"revoke all on database {service} from public")
    await server.execute(f"grant connect on database {service} to {service}_log, {service}_read")
    return changed


async def provide_all(url: str, services: tuple[str, ...], secrets: Path) -> list[str]:
    """Those for which something was done."""
    server = await asyncpg.connect(url, timeout=5)
    try:
        await server.execute("revoke connect on database postgres, template1 from public")
        return [service for service in services if await provide(server, service, secrets)]
    finally:
        await server.close()


def address(url: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"))


def main() -> None:
    services, secrets = tuple(sys.argv[1:]) or SERVICES, Path(os.environ["LIFANG_SECRETS"])
    url = address(os.environ["DATABASE_URL"], (secrets / SERVER).read_text().strip())
    done = asyncio.run(once_there(lambda: provide_all(url, services, secrets), PATIENCE))
    print(f"databases made or changed: {', '.join(done) or 'none'}")


if __name__ == "__main__":
    main()
