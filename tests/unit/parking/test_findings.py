from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from services.parking.domain.findings import FINDINGS, FindingRaised, FindingSettled, RaiseFinding, SettleFinding
from tests.unit.parking.samples import ANN, FINDING, LANE, PASSAGE, RIGHT, SESSION, deciding

when = deciding(FINDINGS)
RAISED = FindingRaised(FINDING, "look_alike", LANE, None, PASSAGE, (RIGHT, SESSION))
SETTLE = SettleFinding(FINDING, "chosen", RIGHT, ANN, "seen it")
SETTLED = FindingSettled(FINDING, "chosen", RIGHT, ANN, "seen it")


def test_a_finding_is_raised_once() -> None:
    assert when(RaiseFinding(RAISED)) == [RAISED]
    assert when(RaiseFinding(RAISED), RAISED) == when(RaiseFinding(RAISED), RAISED, SETTLED) == []


def test_a_finding_is_settled_by_whom_and_how() -> None:
    assert when(SETTLE, RAISED) == [SETTLED]
    assert when(SettleFinding(FINDING, "turned_away", None, ANN), RAISED) == [FindingSettled(FINDING, "turned_away", None, ANN)]


def test_settling_it_again_the_same_way_says_nothing() -> None:
    assert when(SETTLE, RAISED, SETTLED) == []
    assert when(replace(SETTLE, note="again"), RAISED, SETTLED) == []


@pytest.mark.parametrize("other", [replace(SETTLE, how="waived", chosen=None), replace(SETTLE, chosen=SESSION)])
def test_what_is_settled_is_not_settled_otherwise(other: SettleFinding) -> None:
    with pytest.raises(Refused, match="finding_already_settled"):
        when(other, RAISED, SETTLED)


@pytest.mark.parametrize("change", [
    {"chosen": UUID(int=99)}, {"chosen": None}, {"how": "let_through", "chosen": UUID(int=99)}, {"how": "waived"}])
def test_only_a_candidate_is_chosen_and_only_by_choosing(change: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="not_a_candidate"):
        when(replace(SETTLE, **change), RAISED)


def test_what_nobody_raised_cannot_be_settled() -> None:
    with pytest.raises(NotFound):
        when(SETTLE)


def test_a_missing_exit_is_waived_here_but_settled_with_its_moment_only_where_the_stay_is() -> None:
    missing = replace(RAISED, kind="missing_exit", candidates=())
    left, waived = SettleFinding(FINDING, "left_earlier", None, ANN), SettleFinding(FINDING, "waived", None, ANN)
    with pytest.raises(Refused, match="left_when"):
        when(left, missing)
    assert when(waived, missing) == [FindingSettled(FINDING, "waived", None, ANN)]
    assert when(replace(left, by=None), missing) == [FindingSettled(FINDING, "left_earlier")], "the stay was settled"
