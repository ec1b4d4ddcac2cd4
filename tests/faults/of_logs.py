"""What holds for every log, its topic and whoever hears it: the toy's and those of the real services alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

import asyncpg
from msgspec import Struct, json
from sqlalchemy import DateTime

from libs.eventkit.commands import Outcome, Publish
from libs.eventkit.envelope import Heard, partition_of, public_id
from libs.eventkit.recorded import COLUMNS, Catalogue, Number, Recorded
from libs.eventkit.views import Row, View
from tests.faults.findings import Finding
from tests.kit import folded, held

Said = tuple[UUID, Number]
WAITING = """select 'gap' as kind, 'after ' || topic as what from gaps union all select 'parked', reason from parked
 union all select 'damaged', view || ': ' || reason from damaged union all select 'kept aside', reason from kept_aside"""


class Log(Struct, frozen=True):
    """One service's database as one moment saw it. `numbers`: what its relay has told, by community; `marks`: what it has heard."""

    events: list[Recorded]
    outcomes: list[tuple[UUID, str]]
    claims: list[tuple[UUID, str, str, str]]
    checkpoints: dict[str, int]
    numbers: dict[UUID, Number]
    marks: dict[tuple[str, UUID], Number]
    waiting: list[tuple[str, str]]
    views: dict[str, dict[UUID, list[Row]]]

    @property
    def own(self) -> list[Recorded]:
        return [row for row in self.events if row.source is None]


async def log_of(connection: asyncpg.Connection, views: Sequence[View]) -> Log:
    """All of it in one transaction with one snapshot, so that it may be asked while everybody works."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return Log(
            events=[Recorded.of(r) for r in await connection.fetch(f"select {COLUMNS} from events order by position")],
            outcomes=[(r[0], r[1]) for r in await connection.fetch("select community_id, outcome::text from outcomes")],
            claims=[(r[0], r[1], r[2], r[3]) for r in await connection.fetch("select community_id, scope, value, stream from claims")],
            checkpoints=await checkpoints_of(connection),
            numbers=await numbers_of(connection),
            marks=await marks_of(connection),
            waiting=[(r["kind"], r["what"]) for r in await connection.fetch(WAITING)],
            views={view.name: await held(connection, view) for view in views})


async def checkpoints_of(connection: asyncpg.Connection) -> dict[str, int]:
    return {r[0]: r[1] for r in await connection.fetch("select name, position from checkpoints")}


async def numbers_of(connection: asyncpg.Connection) -> dict[UUID, Number]:
    return {r[0]: Number(*r[1:]) for r in await connection.fetch("select community_id, generation, position, n from published")}


async def marks_of(connection: asyncpg.Connection) -> dict[tuple[str, UUID], Number]:
    rows = await connection.fetch("select topic, community_id, generation, position, n from marks")
    return {(r[0], r[1]): Number(*r[2:]) for r in rows}


def positions_and_versions_run(log: Sequence[Recorded]) -> Iterator[Finding]:
    if (positions := [row.position for row in log]) != list(range(1, len(log) + 1)):
        gaps = [(a, b) for a, b in zip([0, *positions], positions, strict=False) if b != a + 1]
        yield Finding("I3", f"positions have gaps: {gaps[:5]}", lost=len(gaps))
    own = sorted((row for row in log if row.stream), key=lambda r: (r.stream or "", r.position))
    for stream, rows in groupby(own, key=lambda r: r.stream):
        versions = [row.version for row in rows]
        if versions != list(range(1, len(versions) + 1)):
            yield Finding("I6", f"{stream}: {versions}")


def published(log: Iterable[Recorded], catalogue: Catalogue, publish: Publish) -> dict[UUID, list[Said]]:
    """What the log has for others, in order, by community."""
    found: dict[UUID, list[Said]] = {}
    for row in log:
        if row.source is None and (event := catalogue.read(row)) is not None:
            for n in range(len(publish(event, row))):
                found.setdefault(row.community_id, []).append((public_id(row.event_id, n), Number(row.generation, row.position, n)))
    return found


def topic_is_the_published_log(wanted: Mapping[UUID, list[Said]], topic: Iterable[Heard]) -> Iterator[Finding]:
    """What comes again does no harm; what comes first comes in order, each naming the one before it."""
    found: dict[UUID, dict[Said, Number]] = {}
    for h in topic:
        found.setdefault(h.community_id, {}).setdefault((h.event_id, h.number), h.previous)
    for community in wanted.keys() | found.keys():
        ours, theirs = wanted.get(community, []), found.get(community, {})
        if ours != list(theirs):
            lost = len(set(ours) - set(theirs))
            yield Finding("I6" if set(ours) == set(theirs) else "I3", f"log {len(ours)}, topic {len(theirs)} of {community}", lost)
        before = Number()
        for (_, number), previous in theirs.items():
            if previous != before:
                yield Finding("I3", f"{number} follows {previous}, the topic's last of {community} was {before}", lost=1)
                break
            before = number


def message_is_of_its_community(log: Iterable[Recorded], topic: Iterable[tuple[int, Heard]]) -> Iterator[Finding]:
    """`topic` with the partition that each record lies in."""
    mine = {row.event_id: row.community_id for row in log if row.source is None}
    for partition, h in topic:
        if mine.get(h.event_id, h.community_id) != h.community_id or partition != partition_of(h.community_id):
            yield Finding("I11", f"{h.event_id} of {mine.get(h.event_id)} was told to {h.community_id}, partition {partition}")


def outcome_is_in_the_log(log: Log) -> Iterator[Finding]:
    """What a retry would be told has happened: in the community that asked, ending where it says."""
    here = {row.event_id: row for row in log.events}
    for community, text in log.outcomes:
        outcome = json.decode(text, type=Outcome)
        rows = [here.get(event_id) for event_id in outcome.events]
        if None in rows or (rows and max(row.position for row in rows if row) != outcome.position):
            yield Finding("I2", f"an outcome says {outcome.events} up to {outcome.position}", lost=rows.count(None))
        if any(row.community_id != community for row in rows if row):
            yield Finding("I11", f"an outcome of {community} is about {outcome.stream}")


def claim_has_its_stream(log: Log) -> Iterator[Finding]:
    streams = {(row.community_id, row.stream) for row in log.events}
    for community, scope, _, stream in log.claims:
        if (community, stream) not in streams:
            yield Finding("I2", f"{scope} is claimed by {stream}, of which nothing is known", stuck=1)


def nothing_waits(log: Log) -> Iterator[Finding]:
    """A gap is an order that is not there yet; what is parked, damaged or unreadable is poison."""
    for kind, what in log.waiting:
        yield Finding("I3" if kind == "gap" else "I12", f"{kind} {what}", stuck=1)


def view_is_the_fold(log: Log, catalogue: Catalogue, view: View) -> Iterator[Finding]:
    """Of the log up to where the view says it is. Moments have two spellings, and are compared as moments; so has a
    whole number of a column that has others too (-1 and -1.0)."""
    moments = [c.name for c in view.table.columns if isinstance(c.type, DateTime)]
    expected = folded(view, catalogue, (row for row in log.events if row.position <= log.checkpoints[view.name]))
    here, there = _rows(log.views[view.name], moments), _rows(expected, moments)
    if here != there:
        lacks, more = set(there) - set(here), set(here) - set(there)
        yield Finding("I5", {"view": view.name, "too much": sorted(more)[:3], "lacks": sorted(lacks)[:3]}, len(lacks))


def _rows(view: Mapping[UUID, list[Row]], moments: Sequence[str]) -> list[tuple[str, bytes]]:
    def plain(row: Row) -> bytes:
        at = {m: datetime.fromisoformat(row[m]).astimezone(UTC).isoformat() for m in moments if row.get(m)}
        said = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in (row | at).items() if v is not None}
        return json.encode(said, order="deterministic")

    return [(str(community), plain(row)) for community, rows in sorted(view.items()) for row in rows]


def heard_up_to_the_mark(listener: Log, source: str, topic: str, said: Mapping[UUID, list[Said]]) -> Iterator[Finding]:
    """In order and once, nothing below the mark left out; `said`, by the source's log, may be a little older."""
    heard: dict[UUID, list[Said]] = {}
    for row in listener.events:
        if row.source == source and row.number is not None:
            heard.setdefault(row.community_id, []).append((row.event_id, row.number))
    for community, theirs in said.items():
        mark = listener.marks.get((topic, community), Number())
        wanted, found = [one for one in theirs if one[1] <= mark], [one for one in heard.get(community, ()) if one[1] <= theirs[-1][1]]
        if wanted != found:
            lost, doubled = len(set(wanted) - set(found)), len(found) - len(set(wanted) & set(found))
            yield Finding("I6" if sorted(wanted) == sorted(found) else "I4",
                          f"{source}, {community}: {lost} never heard, {doubled} too much", lost, doubled)
