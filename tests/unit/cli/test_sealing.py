"""Whatever is done to a sealed log is found, at or before the first event that it concerns."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.keeper.heads import Head, Loss
from cli.sealing import BEGINNING, Check, Verdict, content_hash, hash_of

COMMUNITY = str(UUID(int=7))
COLUMNS = dict(enumerate(("position", "community_id", "stream", "version", "event_id", "type", "schema", "source", "source_generation",
                          "source_position", "source_n", "recorded_at", "data", "meta", "hash")))
Log = list[list[Any]]
quick = settings(deadline=None, max_examples=60)


def row(position: int) -> list[Any]:
    return [position, COMMUNITY, f"door:{position}", 1, str(UUID(int=position)), "opened", 1, None, None, None, None, 1_000_000 + position,
            f'{{"n":{position},"by":"张"}}', "{}", None]


def seals_of(log: Log, ends: Sequence[int]) -> Log:
    found: Log = []
    before, root = 0, BEGINNING
    for n, upto in enumerate(ends, 1):
        hashes = b"".join(hash_of(one) for one in log[before:upto])
        found.append([n, upto, root, hashes, root := hashlib.sha256(root + hashes).digest()])
        before = upto
    return found


def head(seal: Sequence[Any], generation: int = 1, losses: tuple[Loss, ...] = ()) -> Head:
    return Head("access", generation, seal[0], seal[1], seal[4].hex(), datetime(2026, 1, 1, tzinfo=UTC), losses)


def checked(log: Log, seals: Log, heads: Iterable[Head]) -> Verdict:
    async def each(items: Log) -> AsyncIterator[list[Any]]:
        for item in items:
            yield item

    return asyncio.run(Check(heads).run(each(seals), each(log)))


@st.composite
def logs(draw: st.DrawFn) -> tuple[Log, Log, list[Head]]:
    """Sealed in some pieces, of which some are known outside, the last always; with an unsealed tail or none."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    ends = [sum(sizes[:n + 1]) for n in range(len(sizes))]
    log = [row(position) for position in range(1, ends[-1] + 1 + draw(st.integers(0, 3)))]
    seals = seals_of(log, ends)
    known = draw(st.sets(st.sampled_from(range(len(seals))))) | {len(seals) - 1}
    return log, seals, [head(seals[n]) for n in sorted(known)]


def positions(log: Log, seals: Log) -> st.SearchStrategy[int]:
    return st.integers(1, seals[-1][1])


@quick
@given(logs())
def test_what_nobody_touched_is_well(whole: tuple[Log, Log, list[Head]]):
    found = checked(*whole)
    assert found.findings == [] and (found.events, found.sealed) == (len(whole[0]), whole[1][-1][1])


@quick
@given(logs(), st.data())
def test_every_column_of_every_sealed_event_counts(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    position, column = data.draw(positions(log, seals)), data.draw(st.sampled_from(range(1, 14)))
    was = log[position - 1][column]
    log[position - 1][column] = was + 1 if isinstance(was, int) else f"{was or ''}x"
    found = checked(log, seals, heads).findings
    assert [one.position for one in found] == [position], COLUMNS[column]


@quick
@given(logs(), st.data(), st.booleans(), st.booleans())
def test_deleted_events_are_found_where_they_were(whole: tuple[Log, Log, list[Head]], data: st.DataObject, tail: bool, renumbered: bool):
    log, seals, heads = whole
    position = data.draw(positions(log, seals))
    left = log[:position - 1] + ([] if tail else log[position:])
    if renumbered:
        left = [[n, *one[1:]] for n, one in enumerate(left, 1)]
    found = checked(left, seals, heads).findings
    assert found[0].position == position


@quick
@given(logs(), st.data())
def test_an_inserted_event_is_found(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    position = data.draw(positions(log, seals))
    log.insert(position - 1, row(1000))
    log = [[n, *one[1:]] for n, one in enumerate(log, 1)]
    assert checked(log, seals, heads).findings[0].position == position


@quick
@given(logs(), st.data())
def test_seals_computed_anew_are_found_by_what_is_known_outside(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    position = data.draw(positions(log, seals))
    log[position - 1][12] = '{"n":0}'
    found = checked(log, seals_of(log, [seal[1] for seal in seals]), heads).findings
    assert found and found[0].position <= position and found[0].what == "seals rewritten"


@quick
@given(logs(), st.data())
def test_a_log_cut_off_with_its_seals_is_found_by_what_is_known_outside(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    last = data.draw(st.integers(0, len(seals) - 1))
    upto = seals[last - 1][1] if last else 0
    (found,) = checked(log[:upto], seals[:last], heads).findings[:1]
    assert (found.position, found.what) == (upto + 1, "cut off")


@quick
@given(logs(), st.data())
def test_a_changed_seal_is_found_in_its_rows(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    n, column = data.draw(st.integers(0, len(seals) - 1)), data.draw(st.sampled_from((1, 2, 3, 4)))
    first = seals[n - 1][1] + 1 if n else 1
    was = seals[n][column]
    seals[n][column] = was + 1 if column == 1 else bytes([was[0] ^ 1]) + was[1:]
    found = checked(log, seals, heads).findings
    assert found and found[0].position <= first


@quick
@given(logs(), st.data())
def test_a_deleted_seal_is_found(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    n = data.draw(st.integers(0, len(seals) - 1))
    first = seals[n - 1][1] + 1 if n else 1
    del seals[n]
    found = checked(log, seals, heads).findings
    assert found and found[0].position <= first


def blanked(log: Log, positions: Sequence[int], event_id: str, said: int | None = None) -> Log:
    """As retention leaves it, its event at the end."""
    for one in (log[p - 1] for p in positions):
        one[14], one[12], one[13] = content_hash(one[12], one[13]), "{}", f'{{"retired":"{event_id}"}}'
    event = row(len(log) + 1)
    event[4:6], count = [event_id, "retired"], len(positions) if said is None else said
    event[12] = f'{{"types":["opened"],"first":{positions[0]},"upto":{positions[-1]},"count":{count}}}'
    return [*log, event]


@quick
@given(logs(), st.data())
def test_what_retention_has_blanked_is_well_and_still_sealed(whole: tuple[Log, Log, list[Head]], data: st.DataObject):
    log, seals, heads = whole
    chosen = sorted(data.draw(st.sets(positions(log, seals), min_size=1)))
    log = blanked(log, chosen, str(UUID(int=99_999)))
    found = checked(log, seals, heads)
    assert found.findings == [] and found.retired == len(chosen)
    column = data.draw(st.sampled_from((2, 4, 5, 11, 12, 13, 14)))
    was = log[chosen[0] - 1][column]
    log[chosen[0] - 1][column] = was + 1 if column == 11 else b"x" * 32 if column == 14 else was + "x"
    assert checked(log, seals, heads).findings[0].position == chosen[0]


@pytest.mark.parametrize("said", [1, 3])
def test_an_event_blanked_beside_what_was_retired_is_found(said: int):
    log = [row(position) for position in range(1, 6)]
    seals = seals_of(log, [5])
    (found,) = checked(blanked(log, [2, 4], str(UUID(int=99)), said), seals, [head(seals[0])]).findings
    assert (found.position, found.what) == (2, "changed")


def test_a_blanked_event_that_nothing_speaks_of_is_found():
    log = [row(position) for position in range(1, 6)]
    seals = seals_of(log, [5])
    (found,) = checked(blanked(log, [3], str(UUID(int=99)))[:-1], seals, [head(seals[0])]).findings
    assert (found.position, found.what) == (3, "changed") and "should say so" in found.text


def test_what_restored_has_said_is_lost_is_no_finding_and_what_came_before_still_counts():
    log = [row(position) for position in range(1, 10)]
    before = seals_of(log, [3, 6, 9])
    left = [*log[:3], [*row(4)[:2], "door:other", *row(4)[3:]]]
    seals = seals_of(left, [3, 4])
    known = [head(one) for one in before]
    assert checked(left, seals, known).findings[0].position == 4
    loss = Loss(generation=2, n=1, upto=3)
    found = checked(left, seals, [*known, head(seals[1], 2, (loss,))])
    assert found.findings == [] and found.losses == [loss]
    left[1][5] = "closed"
    assert checked(left, seals_of(left, [3, 4]), [*known, head(seals[1], 2, (loss,))]).findings[0].position == 1


def test_a_hole_in_what_is_not_yet_sealed_is_found():
    log = [row(position) for position in (1, 2, 3, 5)]
    seals = seals_of(log, [2])
    (found,) = checked(log, seals, [head(seals[0])]).findings
    assert (found.position, found.what) == (4, "missing")
