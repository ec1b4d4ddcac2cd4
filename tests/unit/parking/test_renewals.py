"""A permit by the month: what months more cost, when they count, and that every month paid for is a month."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from services.parking.domain.lot_time import months_after
from services.parking.domain.plate_rights import (
    PLATE_RIGHTS,
    AskRenewal,
    EndPlateRight,
    GrantPlateRight,
    Held,
    ReceiveRenewal,
    RenewalAsked,
    RenewalPaid,
    renewed,
)
from tests.unit.parking.samples import GRANTED, LOT, PAYMENT, RIGHT, deciding

ZONE = "Asia/Shanghai"
when = deciding(PLATE_RIGHTS)


def local(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


SINCE, UNTIL = local(2026, 1, 31), local(2026, 2, 28)
PERMIT = replace(GRANTED, valid_from=SINCE, valid_until=UNTIL, monthly=15_000)
BEFORE = local(2026, 2, 20)
ASK = AskRenewal(RIGHT, PAYMENT, 2, ZONE, BEFORE)
ASKED = RenewalAsked(RIGHT, PAYMENT, 2, 30_000, UNTIL, ZONE)
RECEIVE = ReceiveRenewal(RIGHT, PAYMENT, 30_000, "t1")
PAID = RenewalPaid(RIGHT, PAYMENT, 30_000, "t1", True)
ENDED = when(EndPlateRight(RIGHT, "by_staff"), PERMIT)


def test_months_more_cost_so_many_times_the_fee_and_follow_on() -> None:
    assert when(ASK, PERMIT) == [ASKED]
    assert when(ASK, PERMIT, ASKED) == when(replace(ASK, months=9), PERMIT, ASKED) == []
    assert when(RECEIVE, PERMIT, ASKED) == [PAID, replace(PERMIT, valid_until=local(2026, 4, 30))]


def test_each_payment_is_taken_once_and_of_what_was_asked_alone() -> None:
    extended = when(RECEIVE, PERMIT, ASKED)
    assert when(RECEIVE, PERMIT, ASKED, *extended) == []
    for amount in (29_999, 30_001, 0):
        with pytest.raises(Refused, match="payment_of_another_amount"):
            when(replace(RECEIVE, amount=amount), PERMIT, ASKED)
    with pytest.raises(NotFound):
        when(replace(RECEIVE, payment_id=UUID(int=90)), PERMIT, ASKED)


def test_of_two_requests_that_were_both_paid_the_second_begins_where_the_first_has_ended() -> None:
    other = replace(ASKED, payment_id=UUID(int=90), months=1, amount=15_000)
    first = when(RECEIVE, PERMIT, ASKED, other)
    (_, last) = when(ReceiveRenewal(RIGHT, UUID(int=90), 15_000, "t2"), PERMIT, ASKED, other, *first)
    assert last.valid_until == local(2026, 5, 31), "on the 31st again, whatever February and April had"


def test_a_permit_that_has_lapsed_begins_again_when_it_was_asked_for() -> None:
    late = local(2026, 3, 10)
    (asked,) = when(replace(ASK, now=late), PERMIT)
    (_, again) = when(RECEIVE, PERMIT, asked)
    assert (again.valid_from, again.valid_until) == (late, local(2026, 5, 10))


def test_money_for_a_permit_that_was_ended_is_taken_and_renews_nothing() -> None:
    assert when(RECEIVE, PERMIT, ASKED, *ENDED) == [replace(PAID, extended=False)]
    assert when(RECEIVE, PERMIT, ASKED, *ENDED, replace(PAID, extended=False)) == []


def test_what_was_asked_for_before_a_right_was_granted_again_can_still_be_paid() -> None:
    assert when(RECEIVE, PERMIT, ASKED, *ENDED, PERMIT) == when(RECEIVE, PERMIT, ASKED)
    assert when(RECEIVE, PERMIT, ASKED, *ENDED, replace(PAID, extended=False), PERMIT) == []


@pytest.mark.parametrize("granted", [replace(PERMIT, monthly=None), replace(PERMIT, valid_until=None)])
def test_what_costs_nothing_by_the_month_is_not_renewed(granted: Any) -> None:
    with pytest.raises(Refused, match="nothing_due"):
        when(ASK, granted)


def test_nothing_is_renewed_that_is_not_there_or_for_no_month() -> None:
    for events in ((), (PERMIT, *ENDED)):
        with pytest.raises(NotFound):
            when(ASK, *events)
    with pytest.raises(NotFound):
        when(RECEIVE)
    with pytest.raises(Refused, match="months_not_positive"):
        when(replace(ASK, months=0), PERMIT)


@pytest.mark.parametrize(("granted", "code"), [
    (replace(PERMIT, kind="white"), "no_permit"), (replace(GRANTED, kind="black", space_id=LOT), "no_permit"),
    (replace(PERMIT, lot_id=None), "fee_without_lot_or_end"), (replace(PERMIT, valid_until=None), "fee_without_lot_or_end")])
def test_a_fee_needs_a_permit_a_lot_and_an_end(granted: Any, code: str) -> None:
    with pytest.raises(Refused, match=code):
        when(GrantPlateRight(granted, "index"))


def test_a_permit_keeps_to_its_lot() -> None:
    with pytest.raises(Refused, match="permit_of_another_lot"):
        when(GrantPlateRight(replace(PERMIT, lot_id=UUID(int=90)), "index"), PERMIT)


def test_a_renewed_permit_gives_up_no_claim() -> None:
    extended = when(RECEIVE, PERMIT, ASKED)
    assert [claim for event in extended for claim in PLATE_RIGHTS.claims(RECEIVE, event)] == []


@pytest.mark.parametrize("since", [None, local(2026, 1, 1), local(2026, 1, 15), local(2025, 12, 31)])
@pytest.mark.parametrize("months", [(4,), (1, 1, 1, 1), (1, 3), (2, 2)])
def test_who_pays_month_by_month_comes_to_the_day_of_who_pays_them_at_once(since: Any, months: tuple[int, ...]) -> None:
    """Until the last day of January, whenever the permit began."""
    events: list[Any] = [replace(PERMIT, valid_from=since, valid_until=local(2026, 1, 31))]
    for number, each in enumerate(months):
        payment = UUID(int=100 + number)
        events += when(AskRenewal(RIGHT, payment, each, ZONE, local(2026, 1, 20)), *events)
        events += when(ReceiveRenewal(RIGHT, payment, each * 15_000, "t"), *events)
    assert events[-1].valid_until == local(2026, 5, 31)


moments = st.integers(0, 2200 * 86_400).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


@given(moments, st.integers(1, 40), st.integers(1, 40))
def test_months_one_by_one_or_at_once_come_to_the_same_day(since: datetime, first: int, more: int) -> None:
    one = renewed((since,), since, first, ZONE)
    assert one == months_after(since, first, ZONE)
    assert renewed((since,), one, more, ZONE) == renewed((since,), since, first + more, ZONE)
    assert timedelta(days=28 * first) <= one - since <= timedelta(days=31 * first)


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 40)), max_size=6))
def test_every_month_that_was_paid_for_is_a_month_more(tries: list[tuple[int, bool, int]]) -> None:
    """Asked and paid in any order: no month is lost, none is given."""
    events: list[Any] = [PERMIT]
    now, months, paid = BEFORE, 0, 0
    for number, (asks, pays, days) in enumerate(tries):
        now = min(now + timedelta(days=days), PLATE_RIGHTS.fold(events).granted.valid_until)  # type: ignore[union-attr, type-var]
        asked = when(AskRenewal(RIGHT, UUID(int=100 + number), asks, ZONE, now), *events)
        events += asked
        if pays:
            events += when(ReceiveRenewal(RIGHT, UUID(int=100 + number), asked[0].amount, "t"), *events)
            months, paid = months + asks, paid + asked[0].amount
    state = PLATE_RIGHTS.fold(events)
    assert isinstance(state, Held) and paid == months * 15_000
    assert state.granted.valid_until == months_after(SINCE, 1 + months, ZONE)
