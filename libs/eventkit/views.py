"""Views hold no truth: each is one table and one pure fold of the log, and can be thrown away and folded again. A projection declares which
rows an event `reads` (equality on some columns), then changes `Rows` in memory: the same live on a batch and in a rebuild."""
import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from math import inf
from operator import itemgetter
from typing import Any
from uuid import UUID
import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement
from libs.eventkit import db, failpoints, tail
from libs.eventkit.log import Log
from libs.eventkit.recorded import COLUMNS, Catalogue, Recorded, Retired, tag_of
from libs.eventkit.subscriptions import POLL, Lost, advance, checkpoints, holding

log = logging.getLogger(__name__)
Row = dict[str, Any]
Where = Mapping[str, Any]
_plain, _RETIRED = msgspec.to_builtins, tag_of(Retired)
LAZY = 0.05  # seconds for which a checkpoint may stay behind what does not concern a view: a caller may wait for it (`http.caught_up`)

class Rows:
    """The rows of one community that a projection may look at; values are those of JSON."""
    def __init__(self, key: tuple[str, ...], rows: Iterable[Row] = ()) -> None:
        one: Callable[[Where], tuple[Any, ...]] = (lambda row, k=key[0]: (row[k],)) if key else lambda row: ()  # type: ignore[misc]
        self._names, self._key = frozenset(key), itemgetter(*key) if len(key) > 1 else one
        self._rows: dict[tuple[Any, ...], Row] = {self._key(r): r for r in rows}
        self.changed: dict[tuple[Any, ...], Row | None] = {}
    def where(self, **columns: Any) -> list[Row]:
        if columns.keys() == self._names:
            return [row] if (row := self.get(**columns)) else []
        wanted = msgspec.to_builtins(columns)
        return [dict(r) for r in self._rows.values() if all(r[c] == v for c, v in wanted.items())]
    def get(self, **key: Any) -> Row | None:
        """By the whole key."""
        return dict(row) if (row := self._rows.get(self._key(_plain(key)))) else None
    def put(self, **row: Any) -> None:
        key = self._key(plain := _plain(row))
        self._rows[key] = self.changed[key] = {**known, **plain} if (known := self._rows.get(key)) else plain
    def remove(self, row: Row) -> None:
        key = self._key(msgspec.to_builtins(row))
        if self._rows.pop(key, None) is not None or key in self.changed:
            self.changed[key] = None
class Superseded(Exception):
    """The table is that of another version of this view: whose code is the newer one folds it, and nobody else."""
class View(msgspec.Struct, frozen=True):
    """`table`: community_id first in its key, all else nullable or in the key. `version` is raised when `project` says something else."""
    table: Table
    project: Callable[[Rows, Any, Recorded], None]
    reads: Callable[[Any, Recorded], Iterable[Where]]
    version: int = 1
    @property
    def name(self) -> str:
        return str(self.table.name)
    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.table.primary_key.columns if c.name != "community_id")
    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.table.columns)
    @property
    def shape(self) -> tuple[str, str]:
        """What the table's comment says it is, and what makes it."""
        indexes = sorted(self.table.indexes, key=lambda i: str(i.name))  # a set: else the shape would be another in each process
        made: list[DDLElement] = [CreateTable(self.table), *(CreateIndex(i) for i in indexes)]
        create = ";\n".join(str(m.compile(dialect=postgresql.dialect())) for m in made)  # type: ignore[no-untyped-call]
        return hashlib.sha256(f"{self.version} {create}".encode()).hexdigest(), create
class Fold:
    """A view's fold apart from its table, of one community, event by event as the live writer takes them: what a rebuild writes, what a
    check compares with, what was so at another time. `failed`: where the live writer could not, and why."""
    def __init__(self, view: View) -> None:
        self.view, self._rows, self.failed = view, Rows(view.key), list[tuple[int, str]]()
    def take(self, catalogue: Catalogue, row: Recorded) -> None:
        try:
            if (event := catalogue.read(row)) is not None and [*self.view.reads(event, row)]:
                self.view.project(self._rows, event, row)
        except Exception as error:
            self.failed.append((row.position, type(error).__name__))
    def rows(self) -> list[Row]:
        return [row for row in self._rows.changed.values() if row is not None]
Work = tuple[Mapping[str, Mapping[UUID, "_Concerned"]], Set[tuple[str, UUID]]]
async def take(database: db.Database, catalogue: Catalogue, views: Sequence[View], rows: Sequence[Recorded], position: int,
               work: Work | None = None, known: bool = False) -> None:
    """Folds a batch into views that all stand at `position`: one transaction holds the rows and the checkpoints. Raises Lost; Superseded
    for a table that another code has made, unless all are `known` to be ours."""
    concerned, anew = work or work_of(views, catalogue, rows)
    async with (await database.folds()).acquire() as connection, connection.transaction():
        await advance(connection, [view.name for view in views], position, rows[-1].position)  # first: two writers wait here, not for rows
        for view in views if position == 0 or not known else ():  # made anew, it stands at 0; its maker may have folded some since
            if await connection.fetchval("select obj_description(to_regclass($1))", view.name) != view.shape[0]:
                raise Superseded(view.name)
        for view in views:
            await _write(connection, view, {c: one for c, one in concerned.get(view.name, {}).items() if (view.name, c) not in anew})
            for community_id in (c for name, c in anew if name == view.name):
                await _fold_anew(connection, view, catalogue, community_id, rows[-1].position)
        failpoints.reach("view.written")
    failpoints.reach("view.committed")
async def follow_views(log_: Log, wake: tail.Wake, catalogue: Catalogue, views: Sequence[View]) -> None:
    """Holds the lease of a service's views and hands them the log, for ever: those at one place together; by itself what was
    emptied until it has come up to the others, and what fails as long as it does."""
    await holding(log_.database, "views", lambda: _follow(log_, wake, catalogue, views))
async def _follow(log_: Log, wake: tail.Wake, catalogue: Catalogue, views: Sequence[View]) -> None:
    clock, resting, due, ours = asyncio.get_running_loop().time, dict[str, float](), inf, set[str]()
    stored = await checkpoints(log_.database, [view.name for view in views])
    positions = dict(stored)
    while True:
        grown, moved, late = wake.next, False, clock() >= due
        groups: defaultdict[tuple[int, int, str], list[View]] = defaultdict(list)
        for view in views:
            if clock() >= resting.get(view.name, 0.0):
                groups[stored[view.name], positions[view.name], view.name if view.name in resting else ""].append(view)
        for (old, position, alone), group in groups.items():
            rows, names = await log_.tail.after(position, grown), [view.name for view in group]
            try:
                if late and old < position:
                    await advance(await log_.database.folds(), names, old, position)
                    stored |= dict.fromkeys(names, old := position)
                if not rows:
                    continue
                if any(work := work_of(group, catalogue, rows)) or old == 0 or not ours.issuperset(names):
                    await take(log_.database, catalogue, group, rows, old, work, ours.issuperset(names))
                    stored, ours = stored | dict.fromkeys(names, rows[-1].position), ours.union(names)
                positions |= dict.fromkeys(names, rows[-1].position)
                resting.pop(alone, None)
            except Lost:  # folded by somebody else too, as while it is rebuilt
                stored = await checkpoints(log_.database, list(positions))
                positions, ours = dict(stored), set()
            except Exception as error:
                if db.is_away(error):
                    raise
                log.error("views %s cannot be written: %s", ", ".join(names), type(error).__name__)
                resting |= {name: clock() + (POLL if alone else 0.0) for name in names}
            moved = True
        due = inf if stored == positions else clock() + LAZY if late else min(due, clock() + LAZY)
        if not moved:
            await tail.set_within(grown, min(log_.tail.pause(POLL), due - clock()))
class _Concerned(msgspec.Struct):
    """What one community's part of a batch has for a view: which rows it will read, its events, those it cannot take."""
    wanted: list[Row] = []
    events: list[tuple[Any, Recorded]] = []
    failed: list[tuple[int, str]] = []
def work_of(views: Sequence[View], catalogue: Catalogue, rows: Sequence[Recorded]) -> Work:
    """What a batch has for these views: what they will fold, and what they have to fold anew."""
    return _concerned(views, catalogue, rows), _anew(views, catalogue, rows)
def _concerned(views: Sequence[View], catalogue: Catalogue, rows: Sequence[Recorded]) -> Mapping[str, Mapping[UUID, _Concerned]]:
    named = [(view, view.name) for view in views]
    found: defaultdict[str, defaultdict[UUID, _Concerned]] = defaultdict(lambda: defaultdict(_Concerned))
    for row in rows:
        try:
            event = catalogue.read(row)
        except Exception as error:
            event = error
        for view, name in named if event is not None else ():
            try:
                if isinstance(event, Exception):
                    raise event
                if read := [dict(w) for w in view.reads(event, row)]:
                    (one := found[name][row.community_id]).wanted += read
                    one.events.append((event, row))
            except Exception as error:
                found[name][row.community_id].failed.append((row.position, type(error).__name__))
    return found
def _anew(views: Sequence[View], catalogue: Catalogue, rows: Sequence[Recorded]) -> set[tuple[str, UUID]]:
    """Which views have to forget, of which communities: those that read a type of what was retired."""
    retired = [row for row in rows if row.type == _RETIRED and row.source is None]
    kinds = [(row, kind) for row in retired for n in getattr(catalogue.read(row), "types", ()) if (kind := catalogue.types.get(n))]
    return {(view.name, row.community_id) for row, kind in kinds for view in views if _may_read(view, kind, row)}
def _may_read(view: View, kind: type[msgspec.Struct], row: Recorded) -> bool:
    """Asked with an event of the type, and its row, that fail whoever looks into them: who does, reads it."""
    try:
        return any(True for _ in view.reads(_shut(kind), _shut(Recorded, type=tag_of(kind), community_id=row.community_id)))
    except Exception:
        return True
def _shut(kind: type[msgspec.Struct], **told: Any) -> Any:
    """An instance by `isinstance`, `match`, and as a key (not by `type(…) is`) that says nothing but what it is told to say."""
    meta = type("", (type(kind),), {"__eq__": lambda me, other: other is kind, "__hash__": lambda me: hash(kind)})
    says = {"__getattribute__": lambda me, name: kind if name == "__class__" else told[name]}
    return meta("", (kind,), says)(**dict.fromkeys(kind.__struct_fields__))
async def _fold_anew(connection: db.Connection, view: View, catalogue: Catalogue, community_id: UUID, upto: int) -> None:
    """So that the view is the fold of the log as it now is, whatever it had taken from what is blanked."""
    await connection.execute(f"delete from {view.name} where community_id = $1", community_id)
    await connection.execute("delete from damaged where view = $1 and community_id = $2", view.name, community_id)
    query = f"select {COLUMNS} from events where community_id = $1 and position > $2 and position <= $3 order by position limit 500"
    after = 0
    while rows := [Recorded.of(row) for row in await connection.fetch(query, community_id, after, upto)]:
        await _write(connection, view, _concerned([view], catalogue, rows).get(view.name, {}))
        after = rows[-1].position
async def _write(connection: db.Connection, view: View, concerned: Mapping[UUID, _Concerned]) -> None:
    """Folds their events by community. One that the view cannot take is left out and marks the rows damaged; a rebuild mends it."""
    held, changed = await _load(connection, view, concerned), list[tuple[UUID, tuple[Any, ...], Row | None]]()
    for community_id, one in concerned.items():
        rows = Rows(view.key, held.get(str(community_id), ()))
        for event, row in one.events:
            try:
                view.project(rows, event, row)
            except Exception as error:
                one.failed.append((row.position, type(error).__name__))
        changed += [(community_id, key, row) for key, row in rows.changed.items()]
        for position, reason in sorted(one.failed):
            log.error("view %s is damaged for a community at %d: %s", view.name, position, reason)
            query = "insert into damaged (view, community_id, position, reason) values ($1, $2, $3, $4) on conflict do nothing"
            await connection.execute(query, view.name, community_id, position, reason)
    gone = [{**dict(zip(view.key, key, strict=True)), "community_id": c} for c, key, row in changed if row is None]
    kept = [{**row, "community_id": c} for c, _, row in changed if row is not None]
    if changed:
        await connection.execute(f"select save_{view.name}($1, $2)", msgspec.json.encode(gone).decode(), msgspec.json.encode(kept).decode())
async def _load(connection: db.Connection, view: View, concerned: Mapping[UUID, _Concerned]) -> Mapping[str, list[Row]]:
    """By community. One query for each distinct set of columns, row by row along an index; a row that two of them find comes twice."""
    shapes: defaultdict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for community_id, one in concerned.items():
        for where in one.wanted:
            shapes[tuple(where)][msgspec.json.encode({**where, "community_id": community_id}).decode()] = None
    found, columns = defaultdict[str, list[Row]](list), ", ".join(f"t.{c}" for c in view.columns)
    for shape, values in shapes.items():
        same = " and ".join(f"t.{c} = w.{c}" for c in ("community_id", *shape))
        for record in await connection.fetch(
                f"select to_json(r) from (select distinct r.* from json_populate_recordset(null::{view.name}, $1) w,"
                f" lateral (select {columns} from {view.name} t where {same} offset 0) r) r", f"[{','.join(values)}]"):
            row = msgspec.json.decode(record[0])
            found[row["community_id"]].append(row)
    return found
