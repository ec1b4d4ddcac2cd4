"""Sessions: a refresh token is good once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import NotFound, Refused
from services.identity.domain.sessions import (
    IDLE,
    SESSIONS,
    Ended,
    EndSession,
    RenewSession,
    SessionEnded,
    SessionRenewed,
    SessionStarted,
    StartSession,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SESSION, ACCOUNT, ANN = (UUID(int=n) for n in range(1, 4))
START = StartSession(SESSION, ACCOUNT, ANN, "resident", NOW)
STARTED = SessionStarted(SESSION, ACCOUNT, ANN, "resident", NOW + IDLE)
RENEWED = SessionRenewed(1, NOW + IDLE)
ENDED = SessionEnded("signed_out")


def when(command: Any, *events: Any) -> list[Any]:
    return SESSIONS.decide[type(command)](command, SESSIONS.fold(events))


def renew(count: int, account_open: bool = True, at: datetime = NOW) -> RenewSession:
    return RenewSession(count, account_open, at)


def test_a_session_starts():
    assert when(START) == [STARTED]


def test_a_session_that_nobody_uses_ends_after_thirty_days():
    assert when(START)[0].expires == NOW + timedelta(days=30)
    assert when(renew(0), STARTED)[0].expires == NOW + timedelta(days=30)


def test_starting_the_same_session_again_says_nothing_new():
    assert when(START, STARTED) == []


def test_a_session_that_has_ended_does_not_start_again():
    with pytest.raises(Refused, match="session_already_started"):
        when(START, STARTED, ENDED)


def test_the_latest_token_renews_and_counts_up():
    assert when(renew(0), STARTED) == [RENEWED]
    assert when(renew(1), STARTED, RENEWED) == [SessionRenewed(2, NOW + IDLE)]


def test_a_renewal_prolongs():
    later = NOW + IDLE - timedelta(seconds=1)
    assert when(renew(0, at=later), STARTED) == [SessionRenewed(1, later + IDLE)]


def test_an_idle_session_expires():
    with pytest.raises(Refused, match="session_expired"):
        when(renew(0, at=NOW + IDLE), STARTED)


def test_a_token_used_twice_ends_the_family():
    ended = SessionEnded("token_reused")
    assert when(renew(0), STARTED, RENEWED) == [ended]
    for count in (0, 1):
        with pytest.raises(Refused, match="session_ended"):
            when(renew(count), STARTED, RENEWED, ended)


def test_a_token_from_a_lost_future_is_refused():
    with pytest.raises(Refused, match="token_of_another_history"):
        when(renew(2), STARTED, RENEWED)


def test_a_session_ends_with_its_account():
    assert when(renew(0, account_open=False), STARTED) == [SessionEnded("account_closed")]


def test_a_session_ends_when_its_account_has_another_phone():
    other = RenewSession(0, True, NOW, phones=1)
    assert when(other, STARTED) == [SessionEnded("phone_replaced")]
    began_with_it = SessionStarted(SESSION, ACCOUNT, ANN, "resident", NOW + IDLE, phones=1)
    assert when(other, began_with_it) == [RENEWED]


def test_a_session_that_was_ended_from_elsewhere_says_so_when_somebody_would_renew_it():
    assert when(RenewSession(0, True, NOW, signed_out=True), STARTED) == [SessionEnded("signed_out_elsewhere")]


def test_a_session_knows_which_sign_outs_came_before_it():
    begun = when(StartSession(SESSION, ACCOUNT, ANN, "resident", NOW, sign_outs=2))
    assert begun == [SessionStarted(SESSION, ACCOUNT, ANN, "resident", NOW + IDLE, sign_outs=2)]
    assert SESSIONS.fold(begun).sign_outs == 2


def test_whose_a_session_was_is_known_when_it_has_ended():
    assert SESSIONS.fold([STARTED, ENDED]) == Ended("signed_out", ACCOUNT)


def test_a_code_that_went_to_the_phone_before_begins_no_session():
    with pytest.raises(Refused, match="phone_replaced"):
        when(StartSession(SESSION, ACCOUNT, ANN, "resident", NOW, phones=1, code_for=0))
    begun = when(StartSession(SESSION, ACCOUNT, ANN, "resident", NOW, phones=1, code_for=1))
    assert begun == [SessionStarted(SESSION, ACCOUNT, ANN, "resident", NOW + IDLE, phones=1)]


def test_no_session_no_renewal():
    with pytest.raises(NotFound):
        when(renew(0))


def test_signing_out_ends_the_session():
    assert when(EndSession(), STARTED, RENEWED) == [ENDED]


@pytest.mark.parametrize("events", [(), (STARTED, ENDED)])
def test_signing_out_of_nothing_says_nothing(events: tuple[Any, ...]):
    assert when(EndSession(), *events) == []
