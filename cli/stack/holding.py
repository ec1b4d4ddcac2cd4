"""Which session of PostgreSQL holds up others: somebody's open transaction, a long query, a tool."""

import asyncio
from typing import Any

import asyncpg

HOLDING = """
    select held.pid, held.usename as user, held.datname as database, held.xact_start as since, count(distinct waits.pid) as others
      from pg_stat_activity waits, unnest(pg_blocking_pids(waits.pid)) by(pid) join pg_stat_activity held on held.pid = by.pid
     where waits.query_start < clock_timestamp() - interval '1 second' and cardinality(pg_blocking_pids(held.pid)) = 0
       and held.datname is not null and held.xact_start is not null
     group by held.pid, held.usename, held.datname, held.xact_start order by held.xact_start"""
"""Only those that nobody holds up in turn, and only what has waited for longer than a second: short waits are how one log has one order."""


def holding(address: str) -> list[dict[str, Any]]:
    """By whoever may see all sessions. None where the server does not answer: it is said to be down elsewhere."""
    try:
        return asyncio.run(_asked(address))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return []


async def _asked(address: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(address, timeout=3)
    try:
        rows = await connection.fetch(HOLDING, timeout=3)
    finally:
        await connection.close()
    return [{**row, "since": row["since"].isoformat()} for row in rows]
