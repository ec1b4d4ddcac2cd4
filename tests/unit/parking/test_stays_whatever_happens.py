"""What holds of what a stay owes, whatever happens."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from services.parking.domain.sessions import SESSIONS, AskPayment, AssignRight, ReceivePayment
from services.parking.domain.stays import Inside, Under, due, owed
from tests.unit.parking.samples import ADOPTIONS, ANN, BEGUN, NOW, RIGHT, SESSION
from tests.unit.parking.test_stays import ASK, END, QUARANTINED, RECEIVE, SETTLE, when

moments = st.integers(0, 5 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))
rights = st.one_of(st.none(), st.builds(
    lambda kind, start, length: Under(RIGHT, kind, ANN, None, start, start + length if start and length else None),
    st.sampled_from(["permit", "white", "visitor_pass", "vehicle"]), st.one_of(st.none(), moments),
    st.one_of(st.none(), st.integers(1, 86_400).map(lambda seconds: timedelta(seconds=seconds)))))


@st.composite
def stays(draw: st.DrawFn) -> list[Any]:
    """The events of a stay that is still open: asked for and paid at any moments, then perhaps put under another right."""
    events: list[Any] = [replace(BEGUN, under=draw(rights), grace=draw(st.integers(0, 3600)), new_energy=draw(st.booleans()))]
    for number, moment in enumerate(sorted(draw(st.lists(moments, max_size=5)))):
        try:
            (asked,) = when(AskPayment(SESSION, UUID(int=100 + number), ADOPTIONS, moment), *events)
        except Refused as refused:
            assert refused.code == "nothing_due"
            continue
        events.append(asked)
        if draw(st.booleans()):
            events += when(ReceivePayment(SESSION, asked.payment_id, asked.amount, "t"), *events)
    if (under := draw(rights)) is not None:
        events += when(AssignRight(SESSION, under), *events)
    return events


def folded(events: list[Any]) -> Inside:
    state = SESSIONS.fold(events)
    assert isinstance(state, Inside)
    return state


@given(stays(), moments)
def test_due_is_whole_fen_never_negative_and_never_more_than_what_is_owed(events: list[Any], now: datetime) -> None:
    state = folded(events)
    bill, amount = owed(state, ADOPTIONS, now), due(state, ADOPTIONS, now)
    assert bill is not None and type(amount) is int and 0 <= amount <= bill.total_fen
    assert type(state.paid) is int and all(type(a.amount) is int and 0 < a.amount <= a.bill.total_fen for a in state.asked)


@given(stays(), moments, st.floats(0, 1))
def test_who_pays_what_was_asked_owes_nothing_within_the_grace(events: list[Any], now: datetime, part: float) -> None:
    amount = due(folded(events), ADOPTIONS, now)
    if amount == 0:
        return
    events += when(replace(ASK, now=now), *events)
    events += when(replace(RECEIVE, amount=amount), *events)
    state = folded(events)
    grace = state.begun.grace
    leaves = now + timedelta(seconds=int(grace * part))
    assert [due(state, ADOPTIONS, moment) for moment in (now, leaves, now + timedelta(seconds=grace))] == [0, 0, 0]
    (ended,) = when(replace(END, exited_at=leaves), *events)
    assert ended.total <= ended.paid


@given(stays(), moments)
def test_a_stay_in_quarantine_is_never_billed_by_itself(events: list[Any], now: datetime) -> None:
    events = [*events, QUARANTINED]
    assert due(folded(events), ADOPTIONS, now) == 0
    with pytest.raises(Refused, match="session_quarantined"):
        when(replace(ASK, now=now), *events)
    (waived,) = when(replace(SETTLE, left_at=None), *events)
    assert (waived.total, waived.bill) == (0, None)


@given(stays(), moments, st.booleans())
def test_the_bill_of_an_ended_stay_comes_out_the_same_when_computed_again(events: list[Any], at: datetime, settled: bool) -> None:
    if settled:
        (ended,) = when(replace(SETTLE, left_at=at, now=at), *events, QUARANTINED)
    else:
        (ended,) = when(replace(END, exited_at=at), *events)
    assert ended.bill is not None and ended.bill_until is not None
    assert owed(folded(events), ADOPTIONS, ended.bill_until) == ended.bill
    assert ended.total == ended.bill.total_fen == sum(line.amount_fen for line in ended.bill.lines)
    assert type(ended.total) is int and type(ended.paid) is int and ended.total >= 0
