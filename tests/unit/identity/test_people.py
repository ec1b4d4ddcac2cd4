"""Residents, and where they live."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.identity.domain import residences
from services.identity.domain.residences import (
    RESIDENCES,
    EndResidence,
    ResidenceEnded,
    ResidenceStarted,
    StartResidence,
)
from services.identity.domain.residents import (
    RESIDENTS,
    ContactCorrected,
    ContactDisclosed,
    CorrectContact,
    DiscloseContact,
    RegisterResident,
    ResidentRegistered,
)

ANN, STAFF, HOME, BUILDING, LIVING = (UUID(int=n) for n in range(1, 6))
MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def box(text: str) -> Sealed:
    return Sealed(UUID(int=9), UUID(int=10), "name", text)


def when(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))


# residents

REGISTERED = ResidentRegistered(ANN, box("a"), box("p"))


def test_a_resident_is_registered():
    assert when(RESIDENTS, RegisterResident(ANN, box("a"), box("p"))) == [REGISTERED]


def test_a_resident_is_registered_once_and_whoever_is_sealed_anew_may_be_somebody_else():
    with pytest.raises(Refused, match="resident_already_registered"):
        when(RESIDENTS, RegisterResident(ANN, box("sealed anew")), REGISTERED)


def test_a_correction_keeps_what_it_does_not_name():
    other_name, other_phone = CorrectContact(ANN, name=box("b")), CorrectContact(ANN, phone=box("q"))
    assert when(RESIDENTS, other_name, REGISTERED) == [ContactCorrected(ANN, box("b"), box("p"))]
    assert when(RESIDENTS, other_phone, REGISTERED) == [ContactCorrected(ANN, box("a"), box("q"))]


def test_what_was_found_in_a_phone_is_forgotten_with_that_phone_alone():
    odd = ResidentRegistered(ANN, box("a"), box("p"), ("no_sms",))
    assert when(RESIDENTS, CorrectContact(ANN, name=box("b")), odd) == [ContactCorrected(ANN, box("b"), box("p"), ("no_sms",))]
    assert when(RESIDENTS, CorrectContact(ANN, phone=box("q")), odd) == [ContactCorrected(ANN, box("a"), box("q"))]


def test_a_phone_that_is_nobodys_any_more_is_removed_once():
    odd = ResidentRegistered(ANN, box("a"), box("p"), ("no_sms",))
    removed = CorrectContact(ANN, no_phone=True)
    assert when(RESIDENTS, removed, odd) == [ContactCorrected(ANN, box("a"))]
    assert when(RESIDENTS, CorrectContact(ANN, name=box("b"), no_phone=True), odd) == [ContactCorrected(ANN, box("b"))]
    assert when(RESIDENTS, removed, odd, ContactCorrected(ANN, box("a"))) == []


def test_a_correction_of_nothing_says_nothing():
    assert when(RESIDENTS, CorrectContact(ANN), REGISTERED) == []


def test_nobody_unknown_is_corrected():
    with pytest.raises(NotFound):
        when(RESIDENTS, CorrectContact(ANN, name=box("b")))


def test_a_look_at_a_contact_is_recorded_each_time():
    looked = ContactDisclosed(ANN, STAFF, "parcel at the gate")
    command = DiscloseContact(ANN, STAFF, "parcel at the gate")
    assert when(RESIDENTS, command, REGISTERED) == when(RESIDENTS, command, REGISTERED, looked) == [looked]


def test_a_look_at_the_id_number_is_told_from_one_at_the_contact():
    looked = when(RESIDENTS, DiscloseContact(ANN, STAFF, "lost card", id_number=True), REGISTERED)
    assert looked == [ContactDisclosed(ANN, STAFF, "lost card", id_number=True)]


def test_a_look_without_a_purpose_is_refused():
    for purpose in ("", "?", "abc"):
        with pytest.raises(Refused, match="purpose_missing"):
            when(RESIDENTS, DiscloseContact(ANN, STAFF, purpose), REGISTERED)
    assert when(RESIDENTS, DiscloseContact(ANN, STAFF, "post"), REGISTERED) == [ContactDisclosed(ANN, STAFF, "post")]


def test_a_grid_worker_is_shown_somebody_who_agrees_to_it_and_nobody_else():
    look = DiscloseContact(ANN, STAFF, "door to door", role="grid")
    with pytest.raises(Refused, match="consent_missing"):
        when(RESIDENTS, look, REGISTERED)
    agreed = DiscloseContact(ANN, STAFF, "door to door", role="grid", sharing=True)
    assert when(RESIDENTS, agreed, REGISTERED) == [ContactDisclosed(ANN, STAFF, "door to door", role="grid")]


def test_the_police_say_on_what_they_rest_and_need_no_consent():
    for basis in ("", "?"):
        with pytest.raises(Refused, match="legal_basis_missing"):
            when(RESIDENTS, DiscloseContact(ANN, STAFF, "burglary", role="police", basis=basis, sharing=True), REGISTERED)
    look = DiscloseContact(ANN, STAFF, "burglary", True, "police", "case 2026-17")
    assert when(RESIDENTS, look, REGISTERED) == [ContactDisclosed(ANN, STAFF, "burglary", True, "police", "case 2026-17")]


def test_nobody_unknown_is_looked_at():
    with pytest.raises(NotFound):
        when(RESIDENTS, DiscloseContact(ANN, STAFF, "parcel at the gate"))


# residences

START = StartResidence(LIVING, ANN, HOME, BUILDING, 1, "tenant", MAY, JUNE)
STARTED = ResidenceStarted(LIVING, ANN, HOME, BUILDING, 1, "tenant", MAY)
ENDED = ResidenceEnded(LIVING, ANN, HOME, BUILDING, JUNE)


def test_a_residence_starts():
    assert when(RESIDENCES, START) == [STARTED]


def test_starting_the_same_residence_again_says_nothing_new():
    assert when(RESIDENCES, START, STARTED) == []


def test_a_residence_does_not_become_another_one():
    with pytest.raises(Refused, match="residence_already_started"):
        when(RESIDENCES, StartResidence(LIVING, ANN, HOME, BUILDING, 1, "owner", MAY, JUNE), STARTED)


def test_a_residence_that_has_ended_does_not_start_again():
    with pytest.raises(Refused, match="residence_already_ended"):
        when(RESIDENCES, START, STARTED, ENDED)


def test_a_residence_ends():
    assert when(RESIDENCES, EndResidence(LIVING, JUNE, JUNE), STARTED) == [ENDED]


def test_a_residence_may_end_on_its_first_day():
    assert when(RESIDENCES, EndResidence(LIVING, MAY, JUNE), STARTED) != []


def test_a_residence_does_not_end_before_it_began():
    with pytest.raises(Refused, match="ends_before_it_began"):
        when(RESIDENCES, EndResidence(LIVING, date(2026, 4, 30), JUNE), STARTED)


def test_a_residence_ends_today_where_no_day_is_said():
    assert when(RESIDENCES, EndResidence(LIVING, None, JUNE), STARTED) == [ENDED]


def test_a_residence_neither_begins_nor_ends_on_a_day_to_come():
    for command, events in (
            (StartResidence(LIVING, ANN, HOME, BUILDING, 1, "tenant", JULY, JUNE), ()), (EndResidence(LIVING, JULY, JUNE), (STARTED,))):
        with pytest.raises(Refused, match="not_yet") as refused:
            when(RESIDENCES, command, *events)
        assert refused.value.facts == {"today": JUNE}


def test_a_residence_that_was_planned_once_ends_on_the_day_it_was_to_begin():
    planned = ResidenceStarted(LIVING, ANN, HOME, BUILDING, 1, "tenant", JULY)
    for day in (None, JULY):
        assert when(RESIDENCES, EndResidence(LIVING, day, JUNE), planned) == [ResidenceEnded(LIVING, ANN, HOME, BUILDING, JULY)]
    for until, code in ((JUNE, "ends_before_it_began"), (date(2026, 7, 2), "not_yet")):
        with pytest.raises(Refused, match=code):
            when(RESIDENCES, EndResidence(LIVING, until, JUNE), planned)


def test_ending_a_residence_twice_says_nothing_new():
    assert when(RESIDENCES, EndResidence(LIVING, JUNE, JUNE), STARTED, ENDED) == []


def test_no_residence_no_end():
    with pytest.raises(NotFound):
        when(RESIDENCES, EndResidence(LIVING, JUNE, JUNE))


def test_a_person_lives_in_a_home_once_at_a_time():
    assert list(residences.claims(START, STARTED)) == [Take("residence", f"{ANN}:{HOME}", "already_lives_there")]
    assert list(residences.claims(EndResidence(LIVING, JUNE, JUNE), ENDED)) == [Release("residence")]
