"""Residents, where they live, and their accounts."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.identity.domain import accounts, residences
from services.identity.domain.accounts import (
    ACCOUNTS,
    AccountClosed,
    AccountOpened,
    CloseAccount,
    Open,
    OpenAccount,
    PhoneReplaced,
    ReplacePhone,
    SignedOutEverywhere,
    SignOutEverywhere,
)
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

ANN, STAFF, HOME, BUILDING, LIVING, ACCOUNT = (UUID(int=n) for n in range(1, 7))
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


# accounts

OPEN, OPENED = OpenAccount(ACCOUNT, ANN, "resident", "blind"), AccountOpened(ACCOUNT, ANN, "resident")
CLOSED = AccountClosed(ACCOUNT, ANN, "resident")


def test_an_account_is_opened():
    assert when(ACCOUNTS, OPEN) == [OPENED]


def test_an_account_is_opened_once_and_the_phone_of_whoever_asks_again_may_be_another():
    with pytest.raises(Refused, match="account_already_opened"):
        when(ACCOUNTS, OPEN, OPENED)


@pytest.mark.parametrize("role", ["device", "service", "root", ""])
def test_only_people_have_accounts(role: str):
    with pytest.raises(Refused, match="role_has_no_account"):
        when(ACCOUNTS, OpenAccount(ACCOUNT, ANN, role, "blind"))


def test_an_account_does_not_change_hands():
    with pytest.raises(Refused, match="account_already_opened"):
        when(ACCOUNTS, OpenAccount(ACCOUNT, ANN, "operator", "blind"), OPENED)


def test_a_closed_account_stays_closed():
    with pytest.raises(Refused, match="account_closed"):
        when(ACCOUNTS, OPEN, OPENED, CLOSED)


def test_an_account_takes_another_phone():
    assert when(ACCOUNTS, ReplacePhone(ACCOUNT, "other"), OPENED) == [PhoneReplaced(ACCOUNT)]


def test_an_account_knows_how_many_phones_it_has_had():
    assert ACCOUNTS.fold([OPENED, PhoneReplaced(ACCOUNT), PhoneReplaced(ACCOUNT)]) == Open(ANN, "resident", phones=2)


def test_who_signs_out_everywhere_ends_all_sessions_that_had_begun_but_the_one_that_asks():
    one, other = UUID(int=71), UUID(int=72)
    (said,) = when(ACCOUNTS, SignOutEverywhere(ACCOUNT, one, 0), OPENED)
    assert said == SignedOutEverywhere(ACCOUNT, one)
    account = ACCOUNTS.fold([OPENED, said])
    assert account.lets(one, 0) and not account.lets(other, 0) and account.lets(other, 1)
    again = ACCOUNTS.fold([OPENED, said, SignedOutEverywhere(ACCOUNT, other)])
    assert not again.lets(one, 0) and again.lets(other, 1) and again.lets(one, 2)
    assert not ACCOUNTS.fold([OPENED, said, SignedOutEverywhere(ACCOUNT, None)]).lets(one, 0), "whoever looks after it keeps none"


def test_a_session_that_was_ended_from_elsewhere_ends_no_other():
    """Its access token is good for minutes more, and may be in other hands."""
    one, other = UUID(int=71), UUID(int=72)
    with pytest.raises(Refused, match="session_ended"):
        when(ACCOUNTS, SignOutEverywhere(ACCOUNT, other, 0), OPENED, SignedOutEverywhere(ACCOUNT, one))
    assert when(ACCOUNTS, SignOutEverywhere(ACCOUNT, other, 1), OPENED, SignedOutEverywhere(ACCOUNT, one))
    assert when(ACCOUNTS, SignOutEverywhere(ACCOUNT, one, 0), OPENED, SignedOutEverywhere(ACCOUNT, one)), "the one kept may"


def test_a_closed_account_has_nothing_to_sign_out_of():
    with pytest.raises(Refused, match="account_closed"):
        when(ACCOUNTS, SignOutEverywhere(ACCOUNT), OPENED, CLOSED)


def test_a_closed_account_takes_no_phone():
    with pytest.raises(Refused, match="account_closed"):
        when(ACCOUNTS, ReplacePhone(ACCOUNT, "other"), OPENED, CLOSED)


def test_an_account_is_closed():
    assert when(ACCOUNTS, CloseAccount(ACCOUNT), OPENED) == [CLOSED]


def test_closing_an_account_twice_says_nothing_new():
    assert when(ACCOUNTS, CloseAccount(ACCOUNT), OPENED, CLOSED) == []


@pytest.mark.parametrize("command", [CloseAccount(ACCOUNT), ReplacePhone(ACCOUNT, "other"), SignOutEverywhere(ACCOUNT)])
def test_there_has_to_be_an_account(command: Any):
    with pytest.raises(NotFound):
        when(ACCOUNTS, command)


def test_a_phone_opens_one_account_and_a_person_has_one_of_a_role():
    person = Take("account-person", f"{ANN}:resident", "account_already_opened")
    assert list(accounts.claims(OPEN, OPENED)) == [Take("account-phone", "blind", "phone_taken"), person]


def test_another_phone_frees_the_old_one():
    replaced = accounts.claims(ReplacePhone(ACCOUNT, "other"), PhoneReplaced(ACCOUNT))
    assert list(replaced) == [Release("account-phone"), Take("account-phone", "other", "phone_taken")]


def test_a_closed_account_frees_phone_and_person():
    freed = list(accounts.claims(CloseAccount(ACCOUNT), CLOSED))
    assert freed == [Release("account-phone"), Release("account-person")]
