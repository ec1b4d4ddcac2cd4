"""The service's log: appended to in groups, read in commit order by position, gapless. Concurrent appends of one process share one call,
one transaction (group commit). The database function numbers the rows under one advisory lock, so that position is commit order."""
import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID
import asyncpg
import msgspec
from libs.eventkit import db, failpoints, tail
from libs.eventkit.recorded import COLUMNS, Meta, Recorded

_CALL = "select * from append_batch($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)"
BATCH, PATIENCE = 256, 4.0  # commands of a group; seconds for which an append is tried again while the database is away (then 503)
class NewEvent(msgspec.Struct, frozen=True):
    event_id: UUID
    type: str
    schema: int
    data: bytes
    meta: Meta
class Key(msgspec.Struct, frozen=True):
    """Idempotency: whose (community comes from the append), of which route, and which body it stood for."""
    principal: str
    route: str
    key: str
    body_hash: str = ""
class Append(msgspec.Struct, frozen=True):
    """One command's worth. `claims`: (scope, value) takes, (scope, None) releases. `outcome`: JSON to answer a retry."""
    community_id: UUID
    stream: str
    expected: int
    events: Sequence[NewEvent] = ()
    claims: Sequence[tuple[str, str | None]] = ()
    key: Key | None = None
    outcome: bytes = b"{}"
class Appended(msgspec.Struct, frozen=True):
    """`verdict`: ok, version, claimed, replayed (the key is known) or stored (these very events are there)."""
    verdict: str
    position: int
    body_hash: str | None
    outcome: str | None
def _arguments(batch: Sequence[Append]) -> list[list[object]]:
    commands = [(a.community_id, a.stream, a.expected, *(msgspec.structs.astuple(a.key) if a.key else (None,) * 4), a.outcome.decode())
                for a in batch]
    events = [(i, e.event_id, e.type, e.schema, e.data.decode(), msgspec.json.encode(e.meta).decode())
              for i, a in enumerate(batch, 1) for e in a.events]
    claims = [(i, scope, value) for i, a in enumerate(batch, 1) for scope, value in a.claims]
    return [*_columns(8, commands), *_columns(6, events), *_columns(3, claims)]
def _columns(width: int, rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
Waiting = tuple[Append, "asyncio.Future[Appended]"]
class Log:
    """`woken` is called after every append of this process, so that its own readers need not wait for NOTIFY."""
    def __init__(self, database: db.Database, woken: Callable[[int], None] = lambda position: None) -> None:
        self.database, self.woken, self.tail = database, woken, tail.Tail(self.read)
        self._waiting: list[Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
    async def append(self, append: Append) -> Appended:
        """Stores all of it or nothing. Raises Unavailable when the database stays away."""
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future
    async def _flush(self) -> None:
        while self._waiting:
            batch = self._admit()
            answers = await self._answers([a for a, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # else whoever asked is gone
                    (future.set_exception if isinstance(answer, Exception) else future.set_result)(answer)  # type: ignore[arg-type]
            self.woken(max([a.position for a in answers if isinstance(a, Appended)], default=0))
    def _admit(self) -> list[Waiting]:
        """At most one command per stream, key and claim: the function checks each against what was there before."""
        batch, left, taken = list[Waiting](), list[Waiting](), set[object]()
        for a, future in self._waiting:
            marks = {a.stream, (a.community_id, a.key or a.stream), *((a.community_id, s, v) for s, v in a.claims if v is not None)}
            (batch if len(batch) < BATCH and taken.isdisjoint(marks) else left).append((a, future))
            taken |= marks
        self._waiting = left
        return batch
    async def _answers(self, batch: Sequence[Append]) -> list[Appended | Exception]:
        """A batch that fails is tried one command at a time, so that a bad one harms none of its neighbours."""
        try:
            return [*await self._call(batch)]
        except Exception as error:
            if db.is_away(error) or len(batch) == 1:
                return [db.Unavailable(str(error)) if db.is_away(error) else error] * len(batch)
        found: list[Appended | Exception] = []
        for append in batch:
            gone = found and isinstance(found[-1], db.Unavailable)  # then it is for the others too
            found += [found[-1]] if gone else await self._answers([append])
        return found
    async def _call(self, batch: Sequence[Append]) -> list[Appended]:
        arguments = _arguments(batch)
        async def call() -> list[Appended]:
            failpoints.reach("append.before")
            held = self.database.spare.pop() if self.database.spare else await (await self.database.pool()).acquire()
            try:
                rows = await held.fetch(_CALL, *arguments, timeout=PATIENCE)
            except BaseException:
                held.terminate()  # who knows what it is in the middle of
                raise
            self.database.spare.append(held)
            failpoints.reach("append.after")
            return [Appended(r["verdict"], r["last_position"], r["stored_body"], r["stored_outcome"]) for r in rows]
        return await db.once_there(call, PATIENCE)  # safe to repeat: the function recognises these very event ids and keys
    async def outcome(self, community_id: UUID, key: Key) -> tuple[str, str] | None:
        """(body hash, outcome) that this key has had, or None."""
        query = "select body_hash, outcome::text from outcomes where community_id = $1 and principal = $2 and route = $3 and key = $4"
        return next((tuple(row) for row in await self._rows(query, community_id, key.principal, key.route, key.key)), None)
    async def stream(self, stream: str, after: int = 0) -> list[Recorded]:
        query = f"select {COLUMNS} from events where stream = $1 and version > $2 order by version"
        return [Recorded.of(row) for row in await self._rows(query, stream, after)]
    async def read(self, after: int, limit: int = 500, types: Sequence[str] | None = None) -> list[Recorded]:
        """The next rows in commit order; `types` narrows to these names."""
        narrow, names = ("", ()) if types is None else ("and type = any($3)", (list(types),))
        query = f"select {COLUMNS} from events where position > $1 {narrow} order by position limit $2"
        return [Recorded.of(row) for row in await (await self.database.pool()).fetch(query, after, limit, *names)]
    async def event(self, event_id: UUID) -> Recorded | None:
        return next(map(Recorded.of, await self._rows(f"select {COLUMNS} from events where event_id = $1", event_id)), None)
    async def last(self) -> int:
        return int((await self._rows("select coalesce(max(position), 0) from events"))[0][0])
    async def _rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        pool = await self.database.pool()
        return await db.asked_again(lambda: pool.fetch(query, *arguments, timeout=PATIENCE))
