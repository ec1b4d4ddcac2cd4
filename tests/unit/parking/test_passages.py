from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused, Release, Take
from services.parking.domain.passages import (
    PASSAGES,
    BarrierOrdered,
    CompletePassage,
    FailPassage,
    JudgePassage,
    PassageCompleted,
    PassageFailed,
    PassageJudged,
    held_back,
    read_again,
)
from tests.unit.parking.samples import HOUR, INSTALLED, LANE, NO, NOW, PASSAGE, SEEN, SESSION, YES, deciding

when = deciding(PASSAGES)
JUDGE = JudgePassage(PASSAGE, INSTALLED, SEEN, YES, SESSION, waits=True)
JUDGED = PassageJudged(PASSAGE, INSTALLED, SEEN, YES, SESSION)
COMPLETED, FAILED = PassageCompleted(PASSAGE, "barrier"), PassageFailed(PASSAGE, "unknown")
COMPLETE, FAIL = CompletePassage(PASSAGE, "barrier"), FailPassage(PASSAGE, "unknown")


def test_who_may_pass_finds_the_barrier_ordered_in_the_answer_for_which_the_camera_waits() -> None:
    assert when(JUDGE) == [JUDGED, BarrierOrdered(PASSAGE, INSTALLED, PASSAGE, YES)]


def test_a_camera_that_does_not_wait_gets_an_order_that_answers_nothing() -> None:
    assert when(replace(JUDGE, waits=False))[1] == BarrierOrdered(PASSAGE, INSTALLED, None, YES)


def test_who_may_not_pass_has_nothing_ordered() -> None:
    assert when(replace(JUDGE, judgement=NO)) == [replace(JUDGED, judgement=NO)]


@pytest.mark.parametrize("judgement", [YES, NO])
def test_what_passed_while_we_were_away_is_over_and_lifts_nothing(judgement: Any) -> None:
    past = replace(SEEN, live=False)
    assert when(replace(JUDGE, judgement=judgement, seen=past)) == [
        replace(JUDGED, judgement=judgement, seen=past), PassageCompleted(PASSAGE, "device")]


@pytest.mark.parametrize("judgement", [YES, NO])
def test_of_what_is_old_and_told_as_new_nothing_follows_until_a_person_has_looked(judgement: Any) -> None:
    past = replace(SEEN, live=False)
    assert when(replace(JUDGE, judgement=judgement, seen=past, doubted=True)) == [
        replace(JUDGED, judgement=replace(judgement, finding="unclear_passage"), seen=past)]


@pytest.mark.parametrize(("live", "ago", "late"), [(False, 72 * HOUR, False), (False, 73 * HOUR, True), (True, 73 * HOUR, False)])
def test_only_what_a_camera_kept_for_longer_than_three_days_is_told_late(live: bool, ago: timedelta, late: bool) -> None:
    assert replace(SEEN, live=live).told_late(NOW + ago) is late


@pytest.mark.parametrize("more", [(), (COMPLETED,), (FAILED,)])
def test_a_passage_is_judged_once(more: tuple[Any, ...]) -> None:
    assert when(replace(JUDGE, judgement=NO), JUDGED, *more) == []


def test_a_passage_completes_once() -> None:
    assert when(COMPLETE, JUDGED) == [COMPLETED]
    assert when(COMPLETE, JUDGED, COMPLETED) == when(replace(COMPLETE, by="fallback"), JUDGED, COMPLETED) == []


def test_what_failed_may_turn_out_to_have_gone_through_but_never_the_other_way() -> None:
    assert when(COMPLETE, JUDGED, FAILED) == [COMPLETED]
    assert when(COMPLETE, JUDGED, FAILED, COMPLETED) == []
    assert when(FAIL, JUDGED, COMPLETED) == when(FAIL, JUDGED, FAILED, COMPLETED) == []


def test_a_passage_fails_once() -> None:
    assert when(FAIL, JUDGED) == [FAILED]
    assert when(FAIL, JUDGED, FAILED) == when(replace(FAIL, reason="refused"), JUDGED, FAILED) == []


@pytest.mark.parametrize("command", [COMPLETE, FAIL])
def test_of_a_passage_that_a_restore_has_lost_nothing_follows(command: Any) -> None:
    assert when(command) == []


def test_a_person_lets_through_whom_we_kept_back_and_nobody_who_went_through() -> None:
    refused = replace(JUDGED, judgement=NO)
    for back in ((refused,), (JUDGED, FAILED), (refused, FAILED)):
        assert held_back(PASSAGES.fold(back)) == back[0]
    for events, code in (((JUDGED,), "passage_under_way"), ((JUDGED, COMPLETED), "passage_completed"), ((refused, COMPLETED), "passage_c")):
        with pytest.raises(Refused, match=code):
            held_back(PASSAGES.fold(events))
    with pytest.raises(NotFound):
        held_back(PASSAGES.initial)


def test_of_two_guards_one_lets_a_car_through_and_again_only_where_the_barrier_did_not_rise() -> None:
    by_hand = replace(JUDGE, lets_through=SESSION)
    (said, _) = when(by_hand)
    assert said.lets_through == SESSION
    assert list(PASSAGES.claims(by_hand, said)) == [Take("let_through", str(SESSION), "let_through_already")]
    assert list(PASSAGES.claims(FAIL, FAILED)) == [Release("let_through")]
    assert [claim for event in (JUDGED, *when(JUDGE), COMPLETED) for claim in PASSAGES.claims(JUDGE, event)] == []


def test_what_was_said_of_a_car_that_passed_is_said_again_without_a_finding() -> None:
    doubt = replace(JUDGED, judgement=replace(YES, finding="look_alike", candidates=(LANE,)))
    assert read_again(PASSAGES.fold([doubt, COMPLETED]), SESSION, LANE, NOW) == replace(YES, session_id=SESSION)
    for kept in ((), (doubt,), (doubt, FAILED)):
        assert read_again(PASSAGES.fold(kept), SESSION, LANE, NOW) is None
