"""Figures in which nobody is singled out, and deadlines that were met or missed."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.figures import FEWEST, OTHER, folded, incident, lot, patrol, people
from tests.unit.gateway.heard import BUILDING, NOON


@pytest.mark.parametrize(("counts", "said"), [
    ({"registered": 50, "floating": 20, "foreign": 0}, {"registered": 50, "floating": 20}),
    ({"registered": 50, "floating": 20, "foreign": 2, "undeclared": 2}, {"registered": 50, "floating": 20, "other": 4}),
    ({"registered": 50, "floating": 20, "foreign": 1}, {"registered": 50, "other": 21}),
    ({"registered": 1, "floating": 1}, {}), ({"registered": 2, "floating": 1}, {"other": 3}), ({}, {}),
])
def test_small_counts_are_folded_until_nobody_is_singled_out(counts: dict[str, int], said: dict[str, int]) -> None:
    assert folded(counts) == said


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=3), st.integers(0, 9), max_size=6))
def test_no_count_that_is_said_is_below_the_fewest_and_none_is_lost(counts: dict[str, int]) -> None:
    counts.pop(OTHER, None)
    said = folded(counts)
    assert all(n >= FEWEST for n in said.values())
    total = sum(counts.values())
    assert sum(said.values()) == (total if said else 0) and (bool(said) or total < FEWEST)

def test_a_number_of_people_is_said_or_that_there_are_fewer() -> None:
    assert [people(n) for n in (0, 1, 2, 3)] == [{"people": 0}, {"fewer_than": 3}, {"fewer_than": 3}, {"people": 3}]


def row(**more: Any) -> dict[str, Any]:
    due = (NOON + timedelta(minutes=1)).isoformat()
    return {
        "id": 1, "kind": "fire", "severity": "critical", "silent": False, "state": "acknowledged", "building_id": BUILDING, "building": "3",
        "raised_at": NOON, "count": 1, "ended_at": None, "how": None, "escalation": None, "home_id": "secret", "spot": "kitchen",
        "raised_by": "somebody", "owner_id": "guard", "unit": 1, "floor": 7,
        "deadlines": {"acknowledgement": {"due": due, "done_at": None}}, **more}


@pytest.mark.parametrize(("done", "now", "met"), [(30, 30, True), (60, 90, True), (61, 90, False), (None, 61, False), (None, 60, None)])
def test_a_deadline_is_met_up_to_its_moment_and_open_before(done: int | None, now: int, met: bool | None) -> None:
    due = (NOON + timedelta(minutes=1)).isoformat()
    done_at = (NOON + timedelta(seconds=done)).isoformat() if done is not None else None
    found = incident(row(deadlines={"acknowledgement": {"due": due, "done_at": done_at}}), NOON + timedelta(seconds=now))
    assert found["deadlines"]["acknowledgement"].get("met") is met
    assert found.get("seconds_to_acknowledge") == done


def test_what_nobody_said_is_absent_and_who_and_where_exactly_too() -> None:
    found = incident(row(), NOON)
    assert set(found) == {"id", "kind", "severity", "silent", "state", "building_id", "building", "raised_at", "count", "deadlines"}
    assert not {"secret", "kitchen", "somebody", "guard"} & {str(value) for value in found.values()}


def test_percent_of_a_zone_is_rounded_down_and_absent_without_spaces() -> None:
    counted = {(1, "ground", "inside"): 2, (1, "ground", "quarantined"): 1}
    found = lot({"id": 1, "name": "North", "spaces": {"ground": 3, "none": 0}}, counted)
    assert found["zones"] == [
        {"zone": "ground", "spaces": 3, "inside": 2, "quarantined": 1, "percent": 66},
        {"zone": "none", "spaces": 0, "inside": 0, "quarantined": 0}]


def test_a_patrol_is_told_by_its_stops_and_percent_are_rounded_down() -> None:
    row = {"route_id": 1, "names": ["Night", "Old"], "rounds": 2, "complete": 1, "early": 1, "on_time": 1, "late": 0, "missed": 1}
    assert patrol(row) == {
        "route_id": 1, "name": "Night", "rounds": 2, "complete": 1, "stops": 3, "early": 1, "on_time": 1, "late": 0, "missed": 1,
        "percent": 66}
