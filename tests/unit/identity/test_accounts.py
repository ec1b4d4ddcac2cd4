"""Accounts: one of a role, with one phone; and signing out of all sessions but the one that asks."""

from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import NotFound, Refused, Release, Take
from services.identity.domain import accounts
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

ANN, ACCOUNT = UUID(int=1), UUID(int=6)
OPEN, OPENED = OpenAccount(ACCOUNT, ANN, "resident", "blind"), AccountOpened(ACCOUNT, ANN, "resident")
CLOSED = AccountClosed(ACCOUNT, ANN, "resident")


def when(command: Any, *events: Any) -> list[Any]:
    return ACCOUNTS.decide[type(command)](command, ACCOUNTS.fold(events))


def test_an_account_is_opened():
    assert when(OPEN) == [OPENED]


def test_an_account_is_opened_once_and_the_phone_of_whoever_asks_again_may_be_another():
    with pytest.raises(Refused, match="account_already_opened"):
        when(OPEN, OPENED)


@pytest.mark.parametrize("role", ["device", "service", "root", ""])
def test_only_people_have_accounts(role: str):
    with pytest.raises(Refused, match="role_has_no_account"):
        when(OpenAccount(ACCOUNT, ANN, role, "blind"))


def test_an_account_does_not_change_hands():
    with pytest.raises(Refused, match="account_already_opened"):
        when(OpenAccount(ACCOUNT, ANN, "operator", "blind"), OPENED)


def test_a_closed_account_stays_closed():
    with pytest.raises(Refused, match="account_closed"):
        when(OPEN, OPENED, CLOSED)


def test_an_account_takes_another_phone():
    assert when(ReplacePhone(ACCOUNT, "other"), OPENED) == [PhoneReplaced(ACCOUNT)]


def test_an_account_knows_how_many_phones_it_has_had():
    assert ACCOUNTS.fold([OPENED, PhoneReplaced(ACCOUNT), PhoneReplaced(ACCOUNT)]) == Open(ANN, "resident", phones=2)


def test_who_signs_out_everywhere_ends_all_sessions_that_had_begun_but_the_one_that_asks():
    one, other = UUID(int=71), UUID(int=72)
    (said,) = when(SignOutEverywhere(ACCOUNT, one, 0), OPENED)
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
        when(SignOutEverywhere(ACCOUNT, other, 0), OPENED, SignedOutEverywhere(ACCOUNT, one))
    assert when(SignOutEverywhere(ACCOUNT, other, 1), OPENED, SignedOutEverywhere(ACCOUNT, one))
    assert when(SignOutEverywhere(ACCOUNT, one, 0), OPENED, SignedOutEverywhere(ACCOUNT, one)), "the one kept may"


def test_a_closed_account_has_nothing_to_sign_out_of():
    with pytest.raises(Refused, match="account_closed"):
        when(SignOutEverywhere(ACCOUNT), OPENED, CLOSED)


def test_a_closed_account_takes_no_phone():
    with pytest.raises(Refused, match="account_closed"):
        when(ReplacePhone(ACCOUNT, "other"), OPENED, CLOSED)


def test_an_account_is_closed():
    assert when(CloseAccount(ACCOUNT), OPENED) == [CLOSED]


def test_closing_an_account_twice_says_nothing_new():
    assert when(CloseAccount(ACCOUNT), OPENED, CLOSED) == []


@pytest.mark.parametrize("command", [CloseAccount(ACCOUNT), ReplacePhone(ACCOUNT, "other"), SignOutEverywhere(ACCOUNT)])
def test_there_has_to_be_an_account(command: Any):
    with pytest.raises(NotFound):
        when(command)


def test_a_phone_opens_one_account_and_a_person_has_one_of_a_role():
    person = Take("account-person", f"{ANN}:resident", "account_already_opened")
    assert list(accounts.claims(OPEN, OPENED)) == [Take("account-phone", "blind", "phone_taken"), person]


def test_another_phone_frees_the_old_one():
    replaced = accounts.claims(ReplacePhone(ACCOUNT, "other"), PhoneReplaced(ACCOUNT))
    assert list(replaced) == [Release("account-phone"), Take("account-phone", "other", "phone_taken")]


def test_a_closed_account_frees_phone_and_person():
    freed = list(accounts.claims(CloseAccount(ACCOUNT), CLOSED))
    assert freed == [Release("account-phone"), Release("account-person")]
