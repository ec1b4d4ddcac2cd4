"""Who may agree to what, and for whom; and how often an account may look and guess."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.eventkit.decider import NotFound, Refused
from services.identity.ages import is_under
from services.identity.domain.askers import ASKERS, AttemptCounted, CountAttempt, NoteProbing, ProbingFound
from services.identity.domain.consents import (
    CONSENTS,
    PURPOSES,
    ConsentGiven,
    ConsentWithdrawn,
    DeclareGuardian,
    EndGuardian,
    GiveConsent,
    GuardianDeclared,
    GuardianEnded,
    WithdrawConsent,
)

ANN, CHILD, STAFF, STRANGER = (UUID(int=n) for n in range(1, 5))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DECLARED = GuardianDeclared(CHILD, ANN, STAFF)


def when(command: Any, *events: Any) -> list[Any]:
    return CONSENTS.decide[type(command)](command, CONSENTS.fold(events))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_resident_agrees_once_and_withdraws_once(purpose):
    given_, withdrawn = ConsentGiven(ANN, purpose, ANN), ConsentWithdrawn(ANN, purpose, ANN)
    give, withdraw = GiveConsent(ANN, purpose, ANN, False), WithdrawConsent(ANN, purpose, ANN, None)
    assert when(give) == [given_] and when(withdraw, given_) == [withdrawn]
    assert when(give, given_) == [] and when(withdraw) == [] and when(withdraw, given_, withdrawn) == []
    assert when(give, given_, withdrawn) == [given_]


def test_one_purpose_is_not_another():
    assert when(WithdrawConsent(ANN, "face", ANN, False), ConsentGiven(ANN, "notices", ANN)) == []
    assert when(GiveConsent(ANN, "face", ANN, False), ConsentGiven(ANN, "notices", ANN)) == [ConsentGiven(ANN, "face", ANN)]


def test_for_a_child_their_guardian_agrees_and_not_they():
    for young, events in ((True, ()), (True, (DECLARED,)), (None, (DECLARED,))):
        with pytest.raises(Refused, match="guardian_needed"):
            when(GiveConsent(CHILD, "face", CHILD, young), *events)
    for young in (True, None):
        assert when(GiveConsent(CHILD, "face", ANN, young), DECLARED) == [ConsentGiven(CHILD, "face", ANN)]


def test_a_child_withdraws_what_a_guardian_gave():
    assert when(WithdrawConsent(CHILD, "face", CHILD, True), DECLARED, ConsentGiven(CHILD, "face", ANN)) == [
        ConsentWithdrawn(CHILD, "face", CHILD)]


@pytest.mark.parametrize("kind", [GiveConsent, WithdrawConsent])
def test_nobody_speaks_for_a_stranger_and_is_not_told_that_there_is_one(kind):
    for by, young, events in ((STRANGER, True, (DECLARED,)), (STAFF, True, (DECLARED,)), (ANN, True, ()), (ANN, None, ()), (
            ANN, True, (DECLARED, GuardianEnded(CHILD, ANN, STAFF)))):
        with pytest.raises(NotFound):
            when(kind(CHILD, "face", by, young), *events, ConsentGiven(CHILD, "face", CHILD))


@pytest.mark.parametrize("kind", [GiveConsent, WithdrawConsent])
def test_a_guardian_speaks_for_nobody_of_fourteen(kind):
    with pytest.raises(Refused, match="guardianship_over"):
        when(kind(CHILD, "face", ANN, False), DECLARED, ConsentGiven(CHILD, "face", ANN))
    assert when(GiveConsent(CHILD, "face", CHILD, False), DECLARED) == [ConsentGiven(CHILD, "face", CHILD)]


def test_staff_declare_guardians_of_children_alone_and_end_them():
    declare = DeclareGuardian(CHILD, ANN, STAFF, True, False)
    assert when(declare) == [DECLARED] == when(DeclareGuardian(CHILD, ANN, STAFF, None, None))
    assert when(declare, DECLARED) == []
    for wrong, code in (
        (DeclareGuardian(CHILD, CHILD, STAFF, True, True), "no_guardian"), (DeclareGuardian(CHILD, ANN, STAFF, True, True), "no_guardian"),
        (DeclareGuardian(CHILD, ANN, STAFF, False, False), "no_guardian_needed")):
        with pytest.raises(Refused, match=code):
            when(wrong)
    assert when(EndGuardian(CHILD, ANN, STAFF), DECLARED) == [GuardianEnded(CHILD, ANN, STAFF)]
    assert when(EndGuardian(CHILD, ANN, STAFF)) == []


SAID = st.lists(st.tuples(st.sampled_from([GiveConsent, WithdrawConsent]), st.sampled_from(PURPOSES), st.sampled_from(
    [ANN, CHILD, STRANGER]), st.sampled_from([True, False, None])), max_size=30)


@given(SAID)
@settings(max_examples=200, deadline=None)
def test_whatever_is_said_what_holds_is_the_last_word_of_who_may_say_it(said):
    events, last = [DECLARED], {}
    for kind, purpose, by, young in said:
        try:
            found = when(kind(CHILD, purpose, by, young), *events)
        except (Refused, NotFound):
            continue
        assert by != STRANGER and not (kind is GiveConsent and by == CHILD and young is not False)
        events += found
        last[purpose] = kind is GiveConsent
    assert CONSENTS.fold(events).given == {purpose for purpose, holds in last.items() if holds}


@pytest.mark.parametrize("birth, today, young", [
    (date(2012, 3, 1), date(2026, 2, 28), True), (date(2012, 3, 1), date(2026, 3, 1), False),
    (date(2012, 2, 29), date(2026, 2, 28), True), (date(2012, 2, 29), date(2026, 3, 1), False),
    (date(2011, 12, 31), date(2026, 1, 1), False), (date(2026, 1, 1), date(2026, 1, 1), True)])
def test_fourteen_is_a_birthday(birth, today, young):
    assert is_under(14, birth, today) is young


# looks and guesses


def counted(number: int, kind: str = "look", each: timedelta = timedelta(seconds=1)) -> list[Any]:
    return [AttemptCounted(kind, NOON + n * each) for n in range(number)]


def asks(kind: str, at: datetime, *events: Any) -> list[Any]:
    return ASKERS.decide[CountAttempt](CountAttempt(ANN, "staff", kind, at), ASKERS.fold(events))


def test_looks_are_counted_up_to_the_limit_then_found_once_and_refused():
    at = NOON + timedelta(minutes=5)
    assert asks("look", at, *counted(59)) == [AttemptCounted("look", at)]
    found = ProbingFound(ANN, "staff", "look", 60, 3600, at)
    assert asks("look", at, *counted(60)) == [found]
    with pytest.raises(Refused, match="too_many_looks") as refused:
        asks("look", at, *counted(60), found)
    assert refused.value.facts == {"retry_after_seconds": 3301}


def test_an_hour_later_there_are_looks_again_and_a_new_finding_if_they_go_on():
    found = ProbingFound(ANN, "staff", "look", 60, 3600, NOON + timedelta(minutes=5))
    later = NOON + timedelta(hours=1)
    assert asks("look", later, *counted(60), found) == [AttemptCounted("look", later)]
    again = NOON + timedelta(hours=2)
    more = [AttemptCounted("look", again + timedelta(seconds=n)) for n in range(60)]
    at = again + timedelta(minutes=2)
    assert asks("look", at, *counted(60), found, *more) == [ProbingFound(ANN, "staff", "look", 60, 3600, at)]


def test_what_a_clock_counted_that_was_a_year_ahead_hides_nothing_and_keeps_nobody_out():
    at, year = NOON + timedelta(minutes=5), timedelta(days=365)
    ahead = [AttemptCounted("look", NOON + year), ProbingFound(ANN, "staff", "look", 60, 3600, NOON + year)]
    assert asks("look", at, *ahead, *counted(59)) == [AttemptCounted("look", at)]
    assert asks("look", at, *ahead, *counted(60)) == [ProbingFound(ANN, "staff", "look", 60, 3600, at)]


def test_a_plate_too_many_is_found_once_a_day():
    def noted(at, *events):
        return ASKERS.decide[NoteProbing](NoteProbing(ANN, "resident", "declaration", at), ASKERS.fold(events))

    found = ProbingFound(ANN, "resident", "declaration", 10, 86400, NOON)
    assert noted(NOON) == [found] and noted(NOON + timedelta(hours=23), found) == []
    assert len(noted(NOON + timedelta(hours=24), found)) == 1


def test_a_look_is_no_guess():
    at = NOON + timedelta(minutes=5)
    assert asks("miss", at, *counted(60)) == [AttemptCounted("miss", at)]
    assert asks("miss", at, *counted(20, "miss")) == [ProbingFound(ANN, "staff", "miss", 20, 86400, at)]
    assert asks("look", at, *counted(60, "miss")) == [AttemptCounted("look", at)]
