"""A stay from its entry to its exit."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused, Release, Take
from services.parking.domain.sessions import (
    SESSIONS,
    AskPayment,
    AssignRight,
    BeginSession,
    EndSession,
    QuarantineSession,
    ReceivePayment,
    SettleSession,
)
from services.parking.domain.stays import (
    Ended,
    Inside,
    PaymentAsked,
    PaymentReceived,
    RightAssigned,
    SessionEnded,
    SessionQuarantined,
    Under,
    due,
)
from tests.unit.parking.samples import ADOPTIONS, ANN, BEGUN, HOUR, LOT, MINUTE, NOW, PAYMENT, RIGHT, SESSION, UNDER, deciding

when = deciding(SESSIONS)
BEGIN, ASSIGN = BeginSession(BEGUN, "index"), AssignRight(SESSION, UNDER)
AFTER = NOW + 3 * HOUR  # the first hour is free, each further one 200 fen
ASK, END = AskPayment(SESSION, PAYMENT, ADOPTIONS, AFTER), EndSession(SESSION, AFTER, ADOPTIONS)
RECEIVE, QUARANTINE = ReceivePayment(SESSION, PAYMENT, 400, "t1"), QuarantineSession(SESSION, "entered_again")
SETTLE = SettleSession(SESSION, AFTER, AFTER + 99 * HOUR, ADOPTIONS)
RECEIVED, QUARANTINED = PaymentReceived(SESSION, PAYMENT, 400, "t1"), SessionQuarantined(SESSION, LOT, "ground", "entered_again")
(ASKED,) = when(ASK, BEGUN)
(ENDED,) = when(END, BEGUN)
GRACE = timedelta(seconds=BEGUN.grace)


def inside(*events: Any) -> Inside:
    state = SESSIONS.fold([BEGUN, *events])
    assert isinstance(state, Inside)
    return state


def amounts(ended: SessionEnded) -> tuple[int, int]:
    return ended.total, ended.paid


# begin, assign, quarantine


def test_a_stay_begins_once() -> None:
    assert when(BEGIN) == [BEGUN]
    assert when(BEGIN, BEGUN) == when(BEGIN, BEGUN, ENDED) == []


def test_a_stay_is_put_under_a_right_from_its_beginning_on() -> None:
    assert when(ASSIGN, BEGUN) == [RightAssigned(SESSION, UNDER)]
    assert when(ASSIGN, BEGUN, RightAssigned(SESSION, UNDER)) == []
    assert due(inside(RightAssigned(SESSION, UNDER)), ADOPTIONS, AFTER) == 0 < due(inside(), ADOPTIONS, AFTER)


def test_a_right_that_names_nobody_takes_no_stay_from_its_owner() -> None:
    own, listed = Under(RIGHT, "vehicle", ANN, RIGHT), Under(UUID(int=90), "white")
    begun = replace(BEGUN, under=own)
    kept = RightAssigned(SESSION, replace(listed, person_id=ANN))
    assert when(AssignRight(SESSION, listed), begun) == [kept] and when(AssignRight(SESSION, listed), begun, kept) == []
    for said in (kept, RightAssigned(SESSION, listed)):
        state = SESSIONS.fold([begun, said])
        assert isinstance(state, Inside) and state.begun.under == kept.under
    assert when(AssignRight(SESSION, listed), BEGUN) == [RightAssigned(SESSION, listed)], "a stranger's is nobody's still"


def test_a_stay_is_quarantined_once_and_only_while_it_is_open() -> None:
    assert when(QUARANTINE, BEGUN) == [QUARANTINED]
    assert when(QUARANTINE, BEGUN, QUARANTINED) == when(QUARANTINE) == when(QUARANTINE, BEGUN, ENDED) == []


def test_a_person_puts_a_stay_in_question_and_says_why_and_is_told_where_there_is_none() -> None:
    gone = replace(QUARANTINE, because="by_hand", note="its space is empty")
    in_question = SessionQuarantined(SESSION, LOT, "ground", "by_hand", "its space is empty")
    assert when(gone, BEGUN) == [in_question]
    assert when(gone, BEGUN, QUARANTINED) == when(gone, BEGUN, in_question) == []
    assert due(inside(in_question), ADOPTIONS, AFTER) == 0 and when(SETTLE, BEGUN, in_question) != []
    with pytest.raises(Refused, match="session_ended"):
        when(gone, BEGUN, ENDED)
    with pytest.raises(NotFound):
        when(gone)


@pytest.mark.parametrize("command", [ASSIGN, ASK, RECEIVE, END, SETTLE])
def test_of_a_stay_that_is_not_there_nothing_is_taken(command: Any) -> None:
    with pytest.raises(NotFound):
        when(command)


def test_a_stay_that_is_over_is_put_under_no_other_right() -> None:
    with pytest.raises(Refused, match="session_ended"):
        when(ASSIGN, BEGUN, ENDED)


# pay


def test_what_is_asked_is_the_bill_less_what_was_paid() -> None:
    assert (ASKED.amount, ASKED.until, ASKED.bill.total_fen) == (400, AFTER, 400)
    (more,) = when(replace(ASK, payment_id=UUID(int=90), now=AFTER + HOUR), BEGUN, ASKED, RECEIVED)
    assert (more.amount, more.bill.total_fen) == (200, 600)


@pytest.mark.parametrize(("now", "adoptions"), [(NOW + HOUR, ADOPTIONS), (AFTER, ())])
def test_nobody_is_asked_to_pay_nothing(now: datetime, adoptions: Any) -> None:
    with pytest.raises(Refused, match="nothing_due"):
        when(replace(ASK, now=now, adoptions=adoptions), BEGUN)


def test_a_payment_is_asked_for_once() -> None:
    """Said again later it would ask for another amount under the same number, and the older, smaller one would do."""
    assert when(replace(ASK, now=AFTER + 9 * HOUR), BEGUN, ASKED) == when(ASK, BEGUN, ASKED, RECEIVED) == []


def test_a_stay_in_quarantine_is_not_asked_to_pay() -> None:
    with pytest.raises(Refused, match="session_quarantined"):
        when(ASK, BEGUN, QUARANTINED)


def test_money_is_taken_once_also_after_the_exit() -> None:
    for later in ((), (ENDED,), (QUARANTINED,)):
        assert when(RECEIVE, BEGUN, ASKED, *later) == [RECEIVED]
    assert when(RECEIVE, BEGUN, ASKED, RECEIVED) == when(RECEIVE, BEGUN, ASKED, ENDED, RECEIVED) == []
    after = SESSIONS.fold([BEGUN, ASKED, ENDED, RECEIVED])
    assert isinstance(after, Ended) and after.inside.paid == 400


@pytest.mark.parametrize("amount", [399, 401, 0, -400])
def test_another_amount_than_asked_is_refused(amount: int) -> None:
    with pytest.raises(Refused, match="payment_of_another_amount"):
        when(replace(RECEIVE, amount=amount), BEGUN, ASKED)


def test_who_left_owing_can_pay_afterwards_what_is_still_owed() -> None:
    (asked,) = when(replace(ASK, now=AFTER + 99 * HOUR), BEGUN, ENDED)
    assert (asked.amount, asked.until, asked.bill) == (400, AFTER, ENDED.bill), "nothing grows after the exit"
    paid = [BEGUN, ENDED, asked, *when(RECEIVE, BEGUN, ENDED, asked)]
    assert (state := SESSIONS.fold(paid)).owing == 0 and state.said == ENDED
    with pytest.raises(Refused, match="nothing_due"):
        when(replace(ASK, payment_id=UUID(int=90)), *paid)


def test_of_two_requests_that_were_both_paid_the_stay_is_owed_the_second() -> None:
    other = UUID(int=90)
    asked = [BEGUN, ASKED, *when(replace(ASK, payment_id=other), BEGUN, ASKED)]
    both = [*asked, RECEIVED, *when(replace(RECEIVE, payment_id=other), *asked, RECEIVED)]
    assert SESSIONS.fold([*both, *when(END, *both)]).owing == -400
    assert due(inside(*both[1:]), ADOPTIONS, AFTER + 2 * HOUR) == 0, "while it is inside it counts towards what comes"


def test_a_payment_that_nobody_asked_for_is_not_found() -> None:
    with pytest.raises(NotFound):
        when(replace(RECEIVE, payment_id=UUID(int=90)), BEGUN, ASKED)


# leave


@pytest.mark.parametrize(("leaves", "owing"), [
    (timedelta(0), 0), (GRACE, 0), (GRACE + timedelta(seconds=1), 200), (HOUR, 200), (HOUR + timedelta(seconds=1), 400)])
def test_who_has_paid_has_the_grace_to_leave_inclusive(leaves: timedelta, owing: int) -> None:
    assert due(inside(ASKED, RECEIVED), ADOPTIONS, AFTER + leaves) == owing
    (ended,) = when(replace(END, exited_at=AFTER + leaves), BEGUN, ASKED, RECEIVED)
    assert amounts(ended) == (400 + owing, 400)
    assert ended.bill_until == (AFTER if owing == 0 else AFTER + leaves)


def test_what_was_only_asked_for_gives_no_grace() -> None:
    assert due(inside(ASKED), ADOPTIONS, AFTER) == 400
    assert when(replace(END, exited_at=AFTER + GRACE), BEGUN, ASKED)[0].bill_until == AFTER + GRACE


def test_a_stay_ends_once() -> None:
    assert (ENDED.how, ENDED.exited_at, ENDED.bill_until, amounts(ENDED)) == ("exit", AFTER, AFTER, (400, 0))
    assert when(END, BEGUN, ENDED) == when(replace(END, exited_at=AFTER + HOUR), BEGUN, ENDED) == []
    assert when(replace(END, passage_id=RIGHT), BEGUN) == [replace(ENDED, passage_id=RIGHT)]


def test_without_a_tariff_or_before_the_entry_nothing_is_charged() -> None:
    (free,) = when(replace(END, adoptions=()), BEGUN)
    assert (amounts(free), free.bill, free.bill_until) == ((0, 0), None, None)
    assert amounts(when(replace(END, exited_at=NOW - HOUR), BEGUN)[0]) == (0, 0)


def test_only_a_stay_in_question_is_settled_and_that_once() -> None:
    (settled,) = when(SETTLE, BEGUN, QUARANTINED)
    assert (settled.how, settled.exited_at, amounts(settled)) == ("settled", AFTER, (400, 0))
    assert when(SETTLE, BEGUN, QUARANTINED, settled) == []
    with pytest.raises(Refused, match="session_not_in_question"):
        when(SETTLE, BEGUN)


def test_a_stay_may_be_waived_and_counts_from_its_entry_at_the_earliest() -> None:
    (waived,) = when(replace(SETTLE, left_at=None), BEGUN, QUARANTINED)
    assert (waived.exited_at, waived.bill, waived.bill_until, amounts(waived)) == (None, None, None, (0, 0))
    assert amounts(when(replace(SETTLE, left_at=NOW), BEGUN, QUARANTINED)[0]) == (0, 0)
    with pytest.raises(Refused, match="exit_before_entry"):
        when(replace(SETTLE, left_at=NOW - timedelta(seconds=1)), BEGUN, QUARANTINED)
    assert when(replace(SETTLE, now=AFTER), BEGUN, QUARANTINED) != []
    with pytest.raises(Refused, match="exit_in_the_future"):
        when(replace(SETTLE, now=AFTER - timedelta(seconds=1)), BEGUN, QUARANTINED)


@pytest.mark.parametrize(("kind", "free"), [("permit", True), ("white", True), ("visitor_pass", False), ("vehicle", False)])
def test_permits_and_the_white_list_cost_nothing_while_they_count(kind: Any, free: bool) -> None:
    assert due(inside(RightAssigned(SESSION, Under(RIGHT, kind, ANN))), ADOPTIONS, AFTER) == (0 if free else 400)
    until = Under(RIGHT, kind, valid_from=NOW - HOUR, valid_until=NOW + HOUR)
    assert due(inside(RightAssigned(SESSION, until)), ADOPTIONS, AFTER) == (200 if free else 400)
    later = Under(RIGHT, kind, valid_from=AFTER)
    assert due(inside(RightAssigned(SESSION, later)), ADOPTIONS, AFTER + HOUR) == (400 if free else 600)


def test_a_permit_that_lapsed_and_was_renewed_leaves_the_time_between_to_the_tariff() -> None:
    """The first hour by permit, two by tariff (of which the first is free), the rest by permit again."""
    first, second = replace(UNDER, valid_until=NOW + HOUR), replace(UNDER, valid_from=NOW + 3 * HOUR)
    events = (RightAssigned(SESSION, first), RightAssigned(SESSION, second))
    assert due(inside(*events), ADOPTIONS, NOW + 9 * HOUR) == 200
    renewed = (*events, RightAssigned(SESSION, replace(second, valid_until=NOW + 10 * HOUR)))
    assert due(inside(*renewed), ADOPTIONS, NOW + 9 * HOUR) == 200
    cut = (*events[:1], RightAssigned(SESSION, replace(first, valid_until=NOW)))
    assert due(inside(*cut), ADOPTIONS, AFTER) == 400, "what was taken away counts no more"
    other = (*events, RightAssigned(SESSION, Under(UUID(int=90), "visitor_pass")))
    assert due(inside(*other), ADOPTIONS, AFTER) == 400


@pytest.mark.parametrize("right_id", [RIGHT, UUID(int=90)], ids=["its own", "another"])
@pytest.mark.parametrize("until", [0, 1, 90])
def test_time_under_a_permit_stays_free_whichever_terms_follow_it(right_id: UUID, until: int) -> None:
    """Up to the very moment at which they begin, beyond it, or with no end but theirs."""
    begins = NOW + 9 * HOUR
    first = replace(UNDER, valid_from=NOW - HOUR, valid_until=begins + until * HOUR)
    second = replace(UNDER, right_id=right_id, valid_from=begins, valid_until=begins + 2 * HOUR)
    stay = inside(RightAssigned(SESSION, first), RightAssigned(SESSION, second))
    assert [due(stay, ADOPTIONS, begins + n * HOUR) for n in (0, 2, 5)] == [0, 0, 400], "by the later terms alone once they have begun"


def test_what_a_guest_stood_under_is_not_free_where_a_permit_follows() -> None:
    guest = Under(RIGHT, "visitor_pass", ANN, valid_from=NOW, valid_until=NOW + 9 * HOUR)
    permit = Under(UUID(int=90), "permit", ANN, valid_from=AFTER)
    assert due(inside(RightAssigned(SESSION, guest), RightAssigned(SESSION, permit)), ADOPTIONS, AFTER + HOUR) == 400


def claims(event: Any, index: str = "index") -> list[Any]:
    return list(SESSIONS.claims(replace(BEGIN, index=index), event))


def test_one_plate_is_inside_a_lot_once() -> None:
    assert claims(BEGUN) == [Take(f"inside:{LOT}", "index", "already_inside")]
    assert claims(BEGUN, index="") == [], "of cars without a plate there may be many"
    assert claims(QUARANTINED) == claims(ENDED) == [Release(f"inside:{LOT}")]
    assert claims(ASKED) == claims(RECEIVED) == claims(RightAssigned(SESSION, UNDER)) == []


def test_the_grace_counts_from_the_latest_payment() -> None:
    later = AFTER + 2 * HOUR
    (more,) = when(AskPayment(SESSION, UUID(int=90), ADOPTIONS, later), BEGUN, ASKED, RECEIVED)
    paid = (ASKED, RECEIVED, more, PaymentReceived(SESSION, UUID(int=90), more.amount, "t2"))
    assert isinstance(more, PaymentAsked) and more.amount == 400
    assert due(inside(*paid), ADOPTIONS, later + GRACE) == 0
    assert due(inside(*paid), ADOPTIONS, later + HOUR - MINUTE) == 200


def test_who_has_paid_more_than_is_owed_is_asked_for_nothing() -> None:
    """As when staff put the stay under a permit after it was paid."""
    paid = (ASKED, RECEIVED, RightAssigned(SESSION, UNDER))
    assert due(inside(*paid), ADOPTIONS, AFTER + 9 * HOUR) == 0
    with pytest.raises(Refused, match="nothing_due"):
        when(replace(ASK, payment_id=UUID(int=90), now=AFTER + 9 * HOUR), BEGUN, *paid)
    assert amounts(when(replace(END, exited_at=AFTER + 9 * HOUR), BEGUN, *paid)[0]) == (0, 400)
