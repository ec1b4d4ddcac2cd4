"""What a person states of a vehicle: its class, how many spaces it takes up, that it is on duty."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from services.parking.domain.published_tariffs import qinzhou_zone_1, residential_visitors
from services.parking.domain.sessions import SESSIONS, AskPayment, CorrectStay, EndSession, ReceivePayment
from services.parking.domain.stays import Ended, Inside, StayCorrected, due, owed
from services.parking.domain.tariffs import Adoption
from tests.unit.parking.samples import BEGUN, HOUR, NOW, PAYMENT, SESSION, deciding

when = deciding(SESSIONS)
ADOPTIONS = (Adoption(qinzhou_zone_1(), date(2020, 1, 1)),)  # charged 8 to 22; 250, 550, then 500 an hour, at most 3000 a day
MORNING = NOW + 17 * HOUR  # 09:00 of the next day in Shanghai
PARKED = replace(BEGUN, entered_at=MORNING)
AFTER = MORNING + 2 * HOUR
CORRECT = CorrectStay(SESSION, "large", 2, False, "a coach", ADOPTIONS)
(CORRECTED,) = when(CORRECT, PARKED)
(ENDED,) = when(EndSession(SESSION, AFTER, ADOPTIONS), PARKED)


def inside(*events: Any) -> Inside:
    state = SESSIONS.fold([PARKED, *events])
    assert isinstance(state, Inside)
    return state


def test_a_class_is_corrected_for_the_whole_stay_and_the_bill_says_so() -> None:
    assert StayCorrected(SESSION, "large", 2, False, "a coach") == CORRECTED
    bill = owed(inside(CORRECTED), ADOPTIONS, AFTER)
    assert bill is not None and (bill.vehicle_class, bill.total_fen) == ("large", 1100)
    (line,) = [line for line in bill.lines if line.code == "class_corrected"]
    assert (line.facts, line.amount_fen) == ({"read_at_entry": "small", "vehicle_class": "large"}, 0)


def test_a_correction_is_stated_once_and_may_be_taken_back() -> None:
    assert when(CORRECT, PARKED, CORRECTED) == when(replace(CORRECT, note="again"), PARKED, CORRECTED) == []
    nothing = CorrectStay(SESSION, None, 1, False, "", ADOPTIONS)
    assert when(nothing, PARKED) == []
    (back,) = when(nothing, PARKED, CORRECTED)
    assert owed(inside(CORRECTED, back), ADOPTIONS, AFTER) == owed(inside(), ADOPTIONS, AFTER)


def test_who_is_on_duty_pays_nothing_and_a_line_says_why() -> None:
    (stated,) = when(CorrectStay(SESSION, None, 1, True, "ambulance", ADOPTIONS), PARKED)
    bill = owed(inside(stated), ADOPTIONS, AFTER)
    assert bill is not None and [(line.code, line.amount_fen) for line in bill.lines] == [("on_duty", 0)]
    assert due(inside(stated), ADOPTIONS, AFTER) == 0 < due(inside(), ADOPTIONS, AFTER)


def test_what_is_adopted_while_a_car_is_inside_changes_nothing_of_its_bill_and_does_not_keep_it_in() -> None:
    day = MORNING.astimezone(ZoneInfo(PARKED.clock)).date()
    later = (*ADOPTIONS, Adoption(residential_visitors(), day, MORNING + HOUR))
    assert owed(inside(CORRECTED), later, AFTER) == owed(inside(CORRECTED), ADOPTIONS, AFTER)
    assert when(EndSession(SESSION, AFTER, later), PARKED, CORRECTED) == when(EndSession(SESSION, AFTER, ADOPTIONS), PARKED, CORRECTED)


def test_a_class_that_the_tariff_does_not_have_is_that_which_the_camera_saw() -> None:
    other = (Adoption(residential_visitors(), date(2020, 1, 1)),)
    assert owed(inside(CORRECTED), other, AFTER) == owed(inside(), other, AFTER)


@pytest.mark.parametrize(("wrong", "code"), [
    ({"vehicle_class": "tank"}, "class_not_in_tariff"), ({"spaces": 0}, "spaces_not_positive"),
    ({"adoptions": ()}, "no_tariff_in_force")])
def test_what_the_tariff_does_not_know_is_refused(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        when(replace(CORRECT, **wrong), PARKED)


def test_of_a_stay_that_is_not_there_nothing_is_stated() -> None:
    with pytest.raises(NotFound):
        when(CORRECT)


def test_after_the_exit_the_bill_up_to_the_exit_is_corrected() -> None:
    asked = when(AskPayment(SESSION, PAYMENT, ADOPTIONS, AFTER), PARKED, ENDED)
    paid = when(ReceivePayment(SESSION, PAYMENT, 550, "t"), PARKED, ENDED, *asked)
    (stated,) = when(replace(CORRECT, vehicle_class=None, spaces=1, on_duty=True), PARKED, ENDED, *asked, *paid)
    assert (stated.until, stated.paid, stated.bill.total_fen) == (AFTER, 550, 0)
    state = SESSIONS.fold([PARKED, ENDED, *asked, *paid, stated])
    assert isinstance(state, Ended) and (state.said.total, state.owing) == (0, -550)


@given(st.sampled_from(["small", "large", "ev", "motorcycle", "bicycle", None]), st.integers(1, 5), st.booleans(),
       st.integers(0, 3 * 86_400), st.integers(0, 86_400))
def test_whatever_is_stated_the_lines_add_up_and_time_never_makes_it_cheaper(
    vehicle_class: str | None, spaces: int, on_duty: bool, length: int, more: int,
) -> None:
    state = inside(*when(CorrectStay(SESSION, vehicle_class, spaces, on_duty, "", ADOPTIONS), PARKED))
    bills = [owed(state, ADOPTIONS, MORNING + timedelta(seconds=n)) for n in (length, length + more)]
    assert all(bill is not None and bill.total_fen == sum(line.amount_fen for line in bill.lines) for bill in bills)
    assert 0 <= bills[0].total_fen <= bills[1].total_fen  # type: ignore[union-attr]
    assert not on_duty or bills[1].total_fen == 0  # type: ignore[union-attr]


# several stays of one day


def test_stays_of_one_day_share_its_cap() -> None:
    """What the day may still cost is what the cap leaves: tariff E's rule, one car by the day."""
    (first,) = when(EndSession(SESSION, MORNING + 6 * HOUR, ADOPTIONS), PARKED)
    again = replace(PARKED, entered_at=MORNING + 7 * HOUR, session_id=UUID(int=90), earlier=first.bill.lines)
    second = owed(Inside(again), ADOPTIONS, MORNING + 12 * HOUR)
    assert second is not None and (first.total, second.total_fen) == (2550, 450)
    assert [line.facts["before_fen"] for line in second.lines if line.code == "cap"] == [2550]
    assert owed(Inside(replace(again, earlier=())), ADOPTIONS, MORNING + 12 * HOUR).total_fen == 2050  # type: ignore[union-attr]
