"""What must hold after any fault, once it is quiet.

I1 what was acknowledged is in the log. I2 each command counted once, and its key gets the same answer again. I3 topic and
published log are the same, positions run 1…n, nothing waits. I4 everything heard, reacted to and carried out once; a device is told
at most once; what is due is done once and not before. I5 views are the fold of their log, byte for byte. I6 order per stream and
community. I7 no order is late.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct, json

from libs.eventkit.envelope import Heard, public_id
from libs.eventkit.recorded import Number, Recorded
from tests.eventkit.topics import Topic
from tests.faults.load import Asked, Load
from tests.kit import everything, folded, held, until
from tests.toy.eggs import Boiling
from tests.toy.main import ECHO
from tests.toy.process import Toy
from tests.toy.public import publish
from tests.toy.sums import VIEW

TTL = 5.0
CATALOGUE = ECHO.catalogue()
AT_THE_END = """select bool_and(position = (select coalesce(max(position), 0) from events)) from checkpoints"""
PUBLISHED = "select community_id, generation, position, n from published"
HEARD = "select community_id, generation, position, n from marks"
"""A community that waits behind a gap hears nothing more: that too is an end."""
GAPS = "select community_id from gaps"


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: object) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class Facts(Struct, frozen=True):
    log: list[Recorded]
    echo: list[Recorded]
    topic: list[Heard]
    views: list[dict[UUID, list[dict[str, Any]]]]
    rung: list[tuple[str, str, float]]
    waiting: list[str]
    answered: dict[Asked, dict[str, Any]]
    again: dict[Asked, dict[str, Any]]


async def quiet(pool: asyncpg.Pool, echo: asyncpg.Pool, timeout: float = 20.0) -> None:
    """Every reader has seen the log's end, and what was published has been heard or is known to be missing."""

    async def still() -> bool:
        try:
            if not await pool.fetchval(AT_THE_END) or await pool.fetchval("select true from timers limit 1"):
                return False
            waiting = {r[0] for r in await echo.fetch(GAPS)}
            said, heard = {tuple(r) for r in await pool.fetch(PUBLISHED)}, {tuple(r) for r in await echo.fetch(HEARD)}
            if {r for r in said ^ heard if r[0] not in waiting}:
                return False
            return bool(await echo.fetchval(AT_THE_END)) and bool(await pool.fetchval(AT_THE_END))
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            return False

    try:
        await until(still, timeout)
    except AssertionError as error:
        query = "select name, position, (select max(position) from events) as last from checkpoints"
        raise Broken("stuck", [tuple(r) for p in (pool, echo) for r in await p.fetch(query)]) from error


async def gather(pool: asyncpg.Pool, echo: asyncpg.Pool, topic: Topic, toy: Toy, load: Load) -> Facts:
    await quiet(pool, echo)
    again = await load.ask_all_again()
    await quiet(pool, echo)
    waiting = await echo.fetch(
        "select 'gap after ' || topic as what from gaps union all select 'parked ' || reason from parked"
        " union all select 'damaged ' || reason from damaged union all select 'kept aside ' || reason from kept_aside")
    return Facts(
        log=await everything(pool), echo=await everything(echo), topic=await topic.heard(),
        views=[await held(p, VIEW) for p in (pool, echo)], rung=toy.rung(),
        waiting=[r["what"] for r in waiting], answered=load.answered, again=again)


def check(facts: Facts) -> None:
    """Raises Broken for the first invariant that does not hold."""
    acknowledged_is_there(facts.log, facts.answered)
    _every_answer_is_the_first_one(facts)
    for log in (facts.log, facts.echo):
        _positions_and_versions_run(log)
    _topic_is_the_published_log(facts)
    if facts.waiting:
        raise Broken("I3", facts.waiting)
    _heard_and_done_once(facts)
    _device_told_at_most_once_and_in_time(facts)
    _eggs_boiled_once_and_not_before_time(facts.log)
    for log, view in zip((facts.log, facts.echo), facts.views, strict=True):
        expected = folded(VIEW, CATALOGUE, log)
        if json.encode(_plain(view)) != json.encode(_plain(expected)):
            raise Broken("I5", {"view": view, "fold": expected})


def _plain(view: dict[UUID, list[dict[str, Any]]]) -> list[Any]:
    return [[str(c), [sorted(row.items()) for row in rows]] for c, rows in sorted(view.items())]


def acknowledged_is_there(log: Sequence[Recorded], answered: Mapping[Asked, dict[str, Any]]) -> None:
    here = {str(row.event_id) for row in log}
    for asked, answer in answered.items():
        if lost := [e for e in answer["events"] if e not in here]:
            raise Broken("I1", f"{asked} was acknowledged, {lost} are not in the log")
    wanted = Counter(a.amount for a in answered if a.amount for _ in range(2 if a.twice else 1))
    found = Counter(json.decode(row.data)["amount"] for row in log if row.type == "added")
    if found != wanted:
        raise Broken("I1" if wanted - found else "I2", f"lost {wanted - found}, too many {found - wanted}")


def _every_answer_is_the_first_one(facts: Facts) -> None:
    if changed := [(a, facts.answered[a], facts.again[a]) for a in facts.answered if facts.answered[a] != facts.again[a]]:
        raise Broken("I2", changed[0])


def _positions_and_versions_run(log: Sequence[Recorded]) -> None:
    if [row.position for row in log] != list(range(1, len(log) + 1)):
        raise Broken("I3", "positions have gaps")
    own = sorted((row for row in log if row.stream), key=lambda r: (r.stream or "", r.position))
    for stream, rows in groupby(own, key=lambda r: r.stream):
        versions = [row.version for row in rows]
        if versions != list(range(1, len(versions) + 1)):
            raise Broken("I6", f"{stream}: {versions}")


def _topic_is_the_published_log(facts: Facts) -> None:
    wanted: dict[UUID, list[tuple[UUID, Number]]] = {}
    for row in facts.log:
        if row.source is None:
            for n in range(len(publish(CATALOGUE.read(row), row))):
                wanted.setdefault(row.community_id, []).append((public_id(row.event_id, n), Number(row.generation, row.position, n)))
    found: dict[UUID, list[tuple[UUID, Number]]] = {}
    highest: dict[UUID, Number] = {}
    for h in facts.topic:
        if h.number > highest.get(h.community_id, Number()):
            if h.previous != highest.get(h.community_id, Number()):
                raise Broken("I3", f"{h.number} follows {h.previous}, the topic's last was {highest.get(h.community_id)}")
            highest[h.community_id] = h.number
            found.setdefault(h.community_id, []).append((h.event_id, h.number))
    for community in wanted.keys() | found.keys():
        ours, theirs = wanted.get(community, []), found.get(community, [])
        if ours != theirs:
            raise Broken("I6" if sorted(ours) == sorted(theirs) else "I3", f"log {len(ours)}, topic {len(theirs)} of {community}")


def _heard_and_done_once(facts: Facts) -> None:
    said = Counter({h.event_id: 1 for h in facts.topic})
    heard = Counter(row.event_id for row in facts.echo if row.source)
    if heard != said:
        raise Broken("I4", f"never heard {len(said - heard)}, heard too often {len(heard - said)}")
    to_note = Counter(str(row.event_id) for row in facts.echo if row.type == "toy.added")
    noted = Counter(json.decode(row.data)["source"] for row in facts.echo if row.type == "noted")
    if noted != to_note:
        raise Broken("I4", f"not reacted to {len(to_note - noted)}, too often {len(noted - to_note)}")


def _device_told_at_most_once_and_in_time(facts: Facts) -> None:
    streams: dict[str, list[Recorded]] = {}
    for row in facts.log:
        if (row.stream or "").startswith("ring:"):
            streams.setdefault((row.stream or "")[5:], []).append(row)
    for ring, times in Counter(ring for _, ring, _ in facts.rung).items():
        if times > 1:
            raise Broken("I4", f"the device was told {times} times of {ring}")
    for _, ring, at in facts.rung:
        types = [row.type for row in streams.get(ring, ())]
        if "ring_attempted" not in types:
            raise Broken("I4", f"{ring} was carried out, its log says {types}")
        if at > streams[ring][0].recorded_at.timestamp() + TTL:
            raise Broken("I7", f"{ring} was carried out too late")
    for ring, rows in streams.items():
        types = [row.type for row in rows]
        if Counter(types).most_common(1)[0][1] > 1 or not {"rung", "ring_unknown", "ring_expired"} & set(types):
            raise Broken("I4", f"{ring}: {types}")


def _eggs_boiled_once_and_not_before_time(log: Sequence[Recorded]) -> None:
    eggs: dict[str, list[Recorded]] = {}
    for row in log:
        if (row.stream or "").startswith("egg:"):
            eggs.setdefault(row.stream or "", []).append(row)
    for egg, rows in eggs.items():
        until = json.decode(rows[0].data, type=Boiling).until
        if [row.type for row in rows] != ["boiling", "boiled"] or rows[1].recorded_at < until:
            raise Broken("I4", f"{egg}, due at {until}: {[(row.type, row.recorded_at) for row in rows]}")
