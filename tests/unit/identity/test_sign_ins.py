"""One-time codes: how many a phone gets, and what one is good for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Decider, NotFound, Refused
from services.identity.domain.phones import PHONES, CodeCounted, CountCode
from services.identity.domain.sign_ins import (
    SIGN_INS,
    CodeMatched,
    CodeMissed,
    Entry,
    SignInStarted,
    StartSignIn,
    TryCode,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SESSION, OTHER, HERE, THERE = (UUID(int=n) for n in range(1, 5))
ONE, TWO = Entry(UUID(int=11), HERE), Entry(UUID(int=12), THERE)
STARTED = SignInStarted("right", (ONE,), NOW + 5 * MINUTE)


def when(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))


def tried(code: str = "right", at: datetime = NOW, session: UUID = SESSION, community: UUID | None = None) -> TryCode:
    return TryCode(code, session, at, community)


def asked(*moments: datetime) -> list[CodeCounted]:
    return [CodeCounted(at) for at in moments]


# how many codes


def test_a_code_is_counted():
    assert when(PHONES, CountCode(NOW)) == [CodeCounted(NOW)]


def test_the_sixth_code_within_a_quarter_of_an_hour_is_refused_and_told_when():
    with pytest.raises(Refused, match="too_many_codes") as refused:
        when(PHONES, CountCode(NOW + 10 * MINUTE), *asked(*(NOW + n * MINUTE for n in range(5))))
    assert refused.value.facts == {"retry_after_seconds": 301}


def test_a_quarter_of_an_hour_later_there_is_another_code():
    later = NOW + 15 * MINUTE
    assert when(PHONES, CountCode(later), *asked(*(NOW + n * MINUTE for n in range(5)))) == [CodeCounted(later)]


def test_the_sixteenth_code_of_a_day_is_refused():
    spread = [NOW + n * 60 * MINUTE for n in range(15)]
    with pytest.raises(Refused, match="too_many_codes"):
        when(PHONES, CountCode(NOW + 16 * 60 * MINUTE), *asked(*spread))
    assert when(PHONES, CountCode(NOW + DAY), *asked(*spread)) == [CodeCounted(NOW + DAY)]


def test_what_was_counted_by_a_clock_that_was_a_year_ahead_keeps_nobody_out():
    ahead = asked(*(NOW + 365 * DAY + n * MINUTE for n in range(3)))
    since = asked(*(NOW + n * DAY for n in range(20)))
    assert when(PHONES, CountCode(NOW + 20 * DAY), *ahead, *since) == [CodeCounted(NOW + 20 * DAY)]
    four = asked(*(NOW + n * MINUTE for n in range(4)))
    assert when(PHONES, CountCode(NOW + 5 * MINUTE), *ahead, *four) == [CodeCounted(NOW + 5 * MINUTE)]
    with pytest.raises(Refused, match="too_many_codes"):
        when(PHONES, CountCode(NOW + 5 * MINUTE), *ahead, *four, *asked(NOW + 4 * MINUTE))


def test_clocks_of_two_servers_that_differ_a_little_give_nobody_more_codes():
    with pytest.raises(Refused, match="too_many_codes") as refused:
        when(PHONES, CountCode(NOW), *asked(*(NOW + 2 * MINUTE for _ in range(5))))
    assert refused.value.facts == {"retry_after_seconds": 17 * 60 + 1}


# what a code is good for


@pytest.mark.parametrize("entries", [(), (ONE,), (ONE, TWO)])
def test_a_sign_in_starts_whether_the_phone_is_known_or_not(entries: tuple[Entry, ...]):
    started = SignInStarted("right", entries, NOW + 5 * MINUTE)
    assert when(SIGN_INS, StartSignIn("right", entries, NOW)) == [started]


def test_starting_the_same_sign_in_again_says_nothing_new():
    assert when(SIGN_INS, StartSignIn("right", (ONE,), NOW), STARTED) == []


def test_a_sign_in_gets_no_second_code():
    with pytest.raises(Refused, match="sign_in_already_started"):
        when(SIGN_INS, StartSignIn("other", (ONE,), NOW), STARTED)


def test_the_right_code_begins_a_session():
    assert when(SIGN_INS, tried(), STARTED) == [CodeMatched(SESSION, ONE)]


def test_a_wrong_code_is_a_missed_try():
    assert when(SIGN_INS, tried("wrong"), STARTED) == [CodeMissed()]


def test_the_fifth_try_still_counts_and_the_sixth_does_not():
    assert when(SIGN_INS, tried(), STARTED, *[CodeMissed()] * 4) == [CodeMatched(SESSION, ONE)]
    with pytest.raises(Refused, match="tries_used_up"):
        when(SIGN_INS, tried(), STARTED, *[CodeMissed()] * 5)


def test_a_code_is_good_for_five_minutes():
    assert when(SIGN_INS, tried(at=NOW + 5 * MINUTE - timedelta(seconds=1)), STARTED) == [CodeMatched(SESSION, ONE)]
    with pytest.raises(Refused, match="code_expired"):
        when(SIGN_INS, tried(at=NOW + 5 * MINUTE), STARTED)


def test_a_code_is_good_once():
    with pytest.raises(Refused, match="code_used"):
        when(SIGN_INS, tried(session=OTHER), STARTED, CodeMatched(SESSION, ONE))


def test_the_same_session_again_says_nothing_new():
    assert when(SIGN_INS, tried(), STARTED, CodeMatched(SESSION, ONE)) == []


def test_no_code_fits_an_unknown_phone_and_the_answers_are_the_same():
    unknown = SignInStarted("right", (), NOW + 5 * MINUTE)
    assert when(SIGN_INS, tried(), unknown) == when(SIGN_INS, tried("wrong"), STARTED) == [CodeMissed()]
    with pytest.raises(Refused, match="tries_used_up"):
        when(SIGN_INS, tried(), unknown, *[CodeMissed()] * 5)


def test_a_phone_of_two_communities_says_which_and_loses_nothing_by_being_asked():
    both = SignInStarted("right", (ONE, TWO), NOW + 5 * MINUTE)
    with pytest.raises(Refused, match="community_unclear") as refused:
        when(SIGN_INS, tried(), both)
    assert refused.value.facts == {"communities": [HERE, THERE]}
    assert when(SIGN_INS, tried(community=THERE), both) == [CodeMatched(SESSION, TWO)]


def test_a_wrong_code_does_not_learn_the_communities():
    assert when(SIGN_INS, tried("wrong"), SignInStarted("right", (ONE, TWO), NOW + 5 * MINUTE)) == [CodeMissed()]


def test_there_has_to_be_a_sign_in():
    with pytest.raises(NotFound):
        when(SIGN_INS, tried())
