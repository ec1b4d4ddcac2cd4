"""Connections of the three roles of one service's database: `<service>_owner` migrates; `<service>_log` appends, hears, tails and writes
views (eventkit only); `<service>_read` answers queries under row-level security by a set of communities, written in SQLAlchemy Core and
run by asyncpg: SQLAlchemy's own engine would cost three times as much per query and half a second at every start."""
import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import cache, wraps
from inspect import signature
from math import inf
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
import asyncpg
import msgspec
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql import ClauseElement
from sqlalchemy.util import LRUCache
from libs.eventkit.settings import Settings

T = TypeVar("T")
_DIALECT, _COMPILED = PGDialect_asyncpg(), LRUCache[Any, Any](500)  # type: ignore[no-untyped-call]
_KEPT = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000"}  # s, ms
_KEEPS = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *((socket.IPPROTO_TCP, option, value) for name, value in (
    ("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 25_000)) if (option := getattr(socket, name, 0)))]
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy | asyncpg.Pool
class Unavailable(Exception):
    """The database does not answer. What was asked has happened once or not at all; the same key tells."""
AWAY = (Unavailable, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,  # also TimeoutError
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.TooManyConnectionsError, asyncpg.DiskFullError,
        asyncpg.InternalClientError)  # a connection that was told of its end between two queries
def is_away(error: BaseException) -> bool:
    return isinstance(error, AWAY)
async def once_there(call: Callable[[], Awaitable[T]], patience: float = inf) -> T:
    """Its answer, as soon as the database is there (and a connection does not remember a table as it was before a migration); when it
    still is away after `patience` seconds, what it said last."""
    clock = asyncio.get_running_loop().time
    until = clock() + patience
    while True:
        try:
            return await call()
        except (asyncpg.InvalidCachedStatementError, *AWAY):
            if clock() > until:
                raise
            await asyncio.sleep(0.02)
async def asked_again(read: Callable[[], Awaitable[T]]) -> T:
    """Its answer, asked anew where a connection has died. Raises Unavailable."""
    try:
        return await once_there(read, 0.2)
    except AWAY as error:
        raise Unavailable(str(error)) from error
async def alive(connection: asyncpg.Connection) -> None:
    """Returns never; raises when the connection ends."""
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    if not connection.is_closed():
        await gone.wait()
    raise ConnectionError("a connection that was to last has ended")
async def _durable(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("show synchronous_commit") == "off":
        raise RuntimeError("synchronous_commit is off: what is acknowledged could be lost")
async def _as_it_is(connection: asyncpg.Connection) -> None:
    """What is set on a connection, `_Reader` alone keeps: asyncpg's own reset would be a round trip for nothing."""
async def _reader(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=msgspec.json.encode, decoder=msgspec.json.decode)
class Ready(NamedTuple):
    """A query's text, and the values of its parameters in their order."""
    text: str
    values: Sequence[Any]
def ready(query: ClauseElement | Ready) -> Ready:
    """Compiled once for all queries of its form."""
    if isinstance(query, Ready):
        return query
    key: Any = query._generate_cache_key()
    compiled: Any = _COMPILED.get(key.key) or query.compile(dialect=_DIALECT, cache_key=key)
    _COMPILED[key.key] = compiled
    state = compiled.construct_expanded_state(compiled.construct_params(extracted_parameters=key.bindparams))
    return Ready(state.statement, state.positional_parameters)
def fixed(build: Callable[..., ClauseElement]) -> Callable[..., Ready]:
    """For a query whose form does not depend on its arguments, none of them a list: built once, which takes longer than to ask it."""
    names = [*signature(build).parameters]
    made: Any = cache(lambda: build(*map(bindparam, names)).compile(dialect=_DIALECT))
    @wraps(build)
    def query(*values: Any) -> Ready:
        one, known = made(), dict(zip(names, values, strict=True))
        return Ready(one.string, [known[name] if name in known else one.binds[name].value for name in one.positiontup])
    return query
class _Reader(asyncpg.Connection):
    """Knows what it may see, and is told only when that is something else: a query is one round trip then, not three."""
    seen, only = "", {"default_transaction_read_only": "on"}
    async def seeing(self, seen: str, text: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        if self.seen != seen:
            self.seen = ""
            await self.execute(f"set lifang.communities = '{seen}'")
            self.seen = seen
        return await self.fetch(text, *values)
class _Pool(asyncpg.Pool):
    """Waits for no connection longer than five seconds: behind a broken network, giving one back after a cancelled query never ends."""
    def acquire(self, *, timeout: float | None = 5.0) -> Any:
        return super().acquire(timeout=timeout)

class Database:
    """The pools of the log and of its readers. Both connect lazily, so that a service can start before its database."""
    def __init__(self, settings: Settings) -> None:
        self.settings, self._pools = settings, dict[str, asyncpg.Pool]()
        self._opening, self._closed = asyncio.Lock(), False
        self.spare = list[Any]()  # connections of the log that appended: to take one for each group costs turns of the loop, which are full
    async def pool(self) -> asyncpg.Pool:
        """Of the log: what is committed here is on disk."""
        return await self._open("log", init=_durable, min_size=1)
    async def folds(self) -> asyncpg.Pool:
        """Of what is folded from the log with its checkpoint, for which nobody waits for the disk: what a crash loses is folded again."""
        return await self._open("log", server_settings={"synchronous_commit": "off"})
    async def _open(self, role: str, min_size: int = 0, init: Any = None, kind: Any = asyncpg.Connection, **options: Any) -> asyncpg.Pool:
        name = f"{role} {sorted(options)}"
        async with self._opening:
            if self._closed:
                raise RuntimeError("closed")
            if name not in self._pools:
                self._pools[name] = await _Pool(self.settings.role_url(role), min_size=min_size, max_size=8, max_queries=50_000,
                    max_inactive_connection_lifetime=60, connect=None, setup=None, init=init, reset=_as_it_is, loop=None,
                    connection_class=kind, record_class=asyncpg.Record, command_timeout=30, timeout=5, **options)
            return self._pools[name]
    @asynccontextmanager
    async def direct(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of one's own, for session locks and LISTEN: what it holds ends with the block, or half a minute after the other side
        has gone without a word (a machine, a network): both kernels ask, and nobody wakes for it."""
        connection = await asyncpg.connect(self.settings.role_url("log"), timeout=5, server_settings=_KEPT)
        kept = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        for level, option, value in _KEEPS if kept.family != socket.AF_UNIX else ():
            kept.setsockopt(level, option, value)
        try:
            yield connection
        finally:
            connection.terminate()
    async def fetch(self, communities: Collection[UUID], query: ClauseElement | Ready) -> list[dict[str, Any]]:
        """Rows of one query, which sees these communities and no others. Raises Unavailable."""
        return await self.rows(communities, *ready(query))
    async def rows(self, communities: Collection[UUID], text: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """The same by its text: the one place where a reader's connection is used."""
        seen = f"{{{','.join(c.hex for c in communities)}}}"
        async def read() -> list[dict[str, Any]]:
            async with (await self._open("read", init=_reader, kind=_Reader, server_settings=_Reader.only)).acquire(timeout=3) as reader:
                return [dict(row) for row in await reader.seeing(seen, text, values)]  # type: ignore[attr-defined]
        return await asked_again(read)
    async def close(self) -> None:
        self._closed = True
        for pool in self._pools.values():
            pool.terminate()
