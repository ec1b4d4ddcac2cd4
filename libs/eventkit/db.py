"""Connections of the three roles of one service's database.

`<service>_owner` migrates; `<service>_log` appends, hears, tails and writes views (eventkit only); `<service>_read`
answers queries under row-level security by a set of communities.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Executable, Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from libs.eventkit.settings import Settings

log = logging.getLogger(__name__)
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, TimeoutError)
"""What a database that is not there looks like; SQLAlchemy's own wrapper is unwrapped by `is_away`."""


def is_away(error: BaseException) -> bool:
    return isinstance(error, AWAY) or isinstance(getattr(error, "orig", None), AWAY) or isinstance(
        getattr(getattr(error, "orig", None), "__cause__", None), AWAY)


async def _durable(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("show synchronous_commit") == "off":
        raise RuntimeError("synchronous_commit is off: what is acknowledged could be lost")


class Database:
    """The log's pool and the readers' engine. Both connect lazily, so that a service can start before its database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._engine: AsyncEngine | None = None

    async def pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self.settings.role_url("log"), min_size=1, max_size=8, init=_durable,
                    command_timeout=30, timeout=5, max_inactive_connection_lifetime=300)
            return self._pool

    async def direct(self) -> asyncpg.Connection:
        """A connection of one's own: for session locks and LISTEN. The caller closes it."""
        return await asyncpg.connect(self.settings.role_url("log"), timeout=5)

    @property
    def engine(self) -> AsyncEngine:
        if self._engine is None:
            url = self.settings.role_url("read").replace("postgresql://", "postgresql+asyncpg://", 1)
            self._engine = create_async_engine(
                url, pool_size=8, max_overflow=0, pool_timeout=3, pool_recycle=300, pool_pre_ping=False,
                connect_args={"timeout": 5, "command_timeout": 10})
        return self._engine

    @asynccontextmanager
    async def reading(self, communities: Collection[UUID]) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction that sees the rows of these communities and no others."""
        async with self.engine.begin() as connection:
            await connection.execute(
                text("select set_config('lifang.communities', :ids, true), set_config('transaction_read_only', 'on', true)"),
                {"ids": "{" + ",".join(map(str, communities)) + "}"})
            yield connection

    async def fetch(self, communities: Collection[UUID], query: Executable) -> list[dict[str, Any]]:
        """Rows of one query; asked once more when the pool held connections of a server that has restarted."""
        for attempt in (1, 2):
            try:
                async with self.reading(communities) as connection:
                    rows: list[Row[Any]] = list(await connection.execute(query))
                return [dict(row._mapping) for row in rows]
            except Exception as error:
                if attempt == 2 or not is_away(error):
                    raise
        raise AssertionError

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
        if self._engine is not None:
            await self._engine.dispose()
