"""What holds for the toy besides: it knows what its callers were told, what its device was told, and what it should have decided."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import json

from libs.eventkit.recorded import Recorded
from tests.faults.findings import Finding
from tests.faults.load import Asked
from tests.faults.of_logs import Log
from tests.toy.eggs import Boiling

TTL = 5.0
Answers = Mapping[Asked, dict[str, Any]]


def acknowledged_is_there(log: Sequence[Recorded], answered: Answers) -> Iterator[Finding]:
    here = {str(row.event_id): row for row in log}
    for asked, answer in answered.items():
        if lost := [e for e in answer["events"] if e not in here]:
            yield Finding("I1", f"{asked} was acknowledged, {lost} are not in the log", lost=len(lost))
        if any(here[e].community_id != asked.community_id for e in answer["events"] if e in here):
            yield Finding("I11", f"{asked} was answered with another community's events")
    wanted = Counter(a.amount for a in answered if a.amount for _ in range(2 if a.twice else 1))
    found = Counter(json.decode(row.data)["amount"] for row in log if row.type == "added")
    if found != wanted:
        lost_sums, more = wanted - found, found - wanted
        yield Finding("I1" if lost_sums else "I2", f"lost {lost_sums}, too many {more}", 0, more.total())


def every_answer_is_the_first_one(answered: Answers, again: Answers) -> Iterator[Finding]:
    for asked in answered:
        if answered[asked] != again[asked]:
            yield Finding("I2", (asked, answered[asked], again[asked]))


def heard_and_noted_once(echo: Sequence[Recorded]) -> Iterator[Finding]:
    to_note = Counter(str(row.event_id) for row in echo if row.type == "toy.added")
    noted = Counter(json.decode(row.data)["source"] for row in echo if row.type == "noted")
    if noted != to_note:
        lost, more = (to_note - noted).total(), (noted - to_note).total()
        yield Finding("I4", f"not reacted to {lost}, too often {more}", lost, more)


def claims_are_the_fold(log: Log) -> Iterator[Finding]:
    """Whoever is named holds the name; nobody holds another."""
    names: dict[tuple[UUID, str], str] = {}
    for row in log.events:
        if row.type in ("named", "unnamed") and row.stream:
            names.pop((row.community_id, row.stream), None)
            if row.type == "named":
                names[row.community_id, row.stream] = json.decode(row.data)["name"]
    claimed = {(community, stream): value for community, _, value, stream in log.claims}
    if claimed != names or len(claimed) != len(log.claims):
        yield Finding("I2", f"claims {claimed}, names {names}", lost=len(names.keys() - claimed.keys()),
                      stuck=len(claimed.keys() - names.keys()))
    if len(set(names.items())) != len({(community, name) for (community, _), name in names.items()}):
        yield Finding("I2", f"one name is two accounts': {names}", doubled=1)


def device_told_at_most_once_and_in_time(log: Sequence[Recorded], rung: Sequence[tuple[str, str, float]]) -> Iterator[Finding]:
    streams = _streams(log, "ring:")
    for ring, times in Counter(ring for _, ring, _ in rung).items():
        if times > 1:
            yield Finding("I4", f"the device was told {times} times of {ring}", doubled=times - 1)
    for _, ring, at in rung:
        types = [row.type for row in streams.get(ring, ())]
        if "ring_attempted" not in types:
            yield Finding("I4", f"{ring} was carried out, its log says {types}", lost=1)
        elif at > streams[ring][0].recorded_at.timestamp() + TTL:
            yield Finding("I7", f"{ring} was carried out too late")
    for ring, rows in streams.items():
        types = [row.type for row in rows]
        most, ended = Counter(types).most_common(1)[0][1], {"rung", "ring_unknown", "ring_expired"} & set(types)
        if most > 1 or not ended:
            yield Finding("I4", f"{ring}: {types}", doubled=most - 1, stuck=0 if ended else 1)


def eggs_boiled_once_and_not_before_time(log: Sequence[Recorded]) -> Iterator[Finding]:
    for egg, rows in _streams(log, "egg:").items():
        types, until = [row.type for row in rows], json.decode(rows[0].data, type=Boiling).until
        if types != ["boiling", "boiled"] or rows[1].recorded_at < until:
            yield Finding("I4", f"{egg}, due at {until}: {[(row.type, row.recorded_at) for row in rows]}",
                          doubled=max(0, len(types) - 2), stuck=max(0, 2 - len(types)))


def _streams(log: Sequence[Recorded], prefix: str) -> dict[str, list[Recorded]]:
    found: dict[str, list[Recorded]] = {}
    for row in log:
        if (row.stream or "").startswith(prefix):
            found.setdefault((row.stream or "").removeprefix(prefix), []).append(row)
    return found


def alive_all_the_while(livez: Sequence[int]) -> Iterator[Finding]:
    if bad := [status for status in livez if status != 200]:
        yield Finding("I14", f"/livez answered {bad} while something else was away")


def heard_soon(log: Sequence[Recorded], echo: Sequence[Recorded], seconds: float) -> Iterator[Finding]:
    """From the log of who said it to the log of who heard it, at the 99th percentile."""
    said = {row.event_id: row.recorded_at for row in log}
    took = sorted((row.recorded_at - said[row.event_id]).total_seconds() for row in echo if row.source and row.event_id in said)
    if took and (worst := took[int(len(took) * 0.99)]) > seconds:
        yield Finding("I9", f"it took {worst:.1f} s at the 99th percentile")
