"""A report has one answer: an order, a refusal and a fallback compete for it, and others hear what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import devices as contracts
from libs.contracts.fields import SealedField
from libs.eventkit.decider import Refused, Take
from libs.eventkit.recorded import Meta
from libs.eventkit.sealed import Sealed
from services.devices.domain.fallbacks import FALLBACKS, FallbackGiven, GiveFallback
from services.devices.domain.orders import (
    ANSWER,
    ORDERS,
    OTHERWISE,
    AttemptOrder,
    CloseUnknownOrder,
    ExpireOrder,
    OrderAttempted,
    OrderCarriedOut,
    OrderFailed,
    RecordCarriedOut,
    RecordFailed,
)
from services.devices.domain.refusals import REFUSALS, AttemptRefusal, RefusalAttempted, RefusalFailed, RefusalTold
from services.devices.domain.reports import DeviceReported
from services.devices.domain.signals import Signal
from services.devices.domain.told import Told, Vehicle
from services.devices.publishing import publish
from tests.kit import recorded

ORDER, CAMERA, REPORT, BODY, KEY = (UUID(int=n) for n in range(1, 6))
WHAT = (ORDER, CAMERA, 2, "barrier")
ATTEMPTED = OrderAttempted(ORDER, CAMERA, 2, "barrier", REPORT)
DONE, ANSWERED = (OrderCarriedOut(ORDER, CAMERA, 2, "barrier", by) for by in ("call", "answer"))  # type: ignore[arg-type]
NOW, HOUR = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(hours=1)
GIVE, GIVEN = GiveFallback(REPORT, CAMERA, True, 400), FallbackGiven(REPORT, CAMERA, True, 400)
THE_ANSWER = [Take(ANSWER, str(REPORT), OTHERWISE)]


def failed(reason: str, code: str = "") -> OrderFailed:
    return OrderFailed(ORDER, CAMERA, 2, reason, code, "barrier")


def when(decider: Any, command: Any, *events: Any) -> Any:
    return decider.decide[type(command)](command, decider.fold(events))


@pytest.mark.parametrize(("command", "events", "said"), [
    (AttemptOrder(*WHAT, REPORT), (), ATTEMPTED),
    (ExpireOrder(*WHAT), (), failed("expired")),
    (CloseUnknownOrder(*WHAT), (ATTEMPTED,), failed("unknown")),
    (RecordCarriedOut(*WHAT), (ATTEMPTED,), DONE),
    (RecordCarriedOut(*WHAT, "answer"), (ATTEMPTED,), ANSWERED),
    (RecordCarriedOut(*WHAT, "answer"), (ATTEMPTED, failed("unknown")), ANSWERED),
    (RecordFailed(*WHAT[:3], "refused", "4", "barrier"), (ATTEMPTED,), failed("refused", "4")),
    (RecordFailed(*WHAT[:3], "refused", "4", "barrier"), (ATTEMPTED, failed("unknown")), failed("refused", "4")),
])
def test_an_order_of_a_barrier_says_so_to_its_end(command: Any, events: Any, said: Any) -> None:
    assert when(ORDERS, command, *events) == [said]


def test_an_order_that_was_answered_is_over_for_whoever_would_call() -> None:
    for command in (AttemptOrder(*WHAT, REPORT), ExpireOrder(*WHAT), CloseUnknownOrder(*WHAT), RecordCarriedOut(*WHAT)):
        assert when(ORDERS, command, ATTEMPTED, ANSWERED) == []
    for command in (AttemptOrder(*WHAT, REPORT), ExpireOrder(*WHAT)):
        assert when(ORDERS, command, ATTEMPTED) == []


@pytest.mark.parametrize("change", [{"door_no": 1}, {"device_id": ORDER}])
def test_an_order_that_was_attempted_elsewhere_is_not_this_one(change: Any) -> None:
    with pytest.raises(Refused, match="order_of_another_door"):
        when(ORDERS, replace(AttemptOrder(*WHAT, REPORT), **change), ATTEMPTED)


def test_a_fallback_is_given_once() -> None:
    assert when(FALLBACKS, GIVE) == [GIVEN]
    assert when(FALLBACKS, GIVE, GIVEN) == when(FALLBACKS, replace(GIVE, admitted=False), GIVEN) == []


def test_order_fallback_and_refusal_take_the_one_answer_of_a_report() -> None:
    assert list(ORDERS.claims(None, ATTEMPTED)) == list(FALLBACKS.claims(GIVE, GIVEN)) == THE_ANSWER
    for serial in (7, None):
        assert list(REFUSALS.claims(None, RefusalAttempted(REPORT, CAMERA, serial))) == THE_ANSWER
        assert when(REFUSALS, AttemptRefusal(REPORT, CAMERA, serial)) == [RefusalAttempted(REPORT, CAMERA, serial)]


def test_an_order_that_answers_nothing_and_what_comes_afterwards_take_no_answer() -> None:
    for event in (replace(ATTEMPTED, answers=None), DONE, failed("expired")):
        assert list(ORDERS.claims(None, event)) == []
    for end in (RefusalTold(REPORT, CAMERA), RefusalFailed(REPORT, CAMERA, "expired")):
        assert list(REFUSALS.claims(None, end)) == []


def said(event: Any) -> list[tuple[Any, str]]:
    return [(public.body, public.subject) for public in publish(event, recorded(event, meta=Meta(), stream="x:1"))]


def test_others_hear_how_an_order_of_a_barrier_ended_but_not_that_it_was_attempted() -> None:
    assert said(ATTEMPTED) == []
    assert said(DONE) == [(contracts.BarrierOrderCarriedOut(ORDER, CAMERA, 2, "call"), "")]
    assert said(ANSWERED) == [(contracts.BarrierOrderCarriedOut(ORDER, CAMERA, 2, "answer"), "")]
    assert said(failed("refused", "4")) == [(contracts.BarrierOrderFailed(ORDER, CAMERA, 2, "refused"), "")]


def test_others_hear_of_a_fallback_in_the_order_of_its_device() -> None:
    assert said(GIVEN) == [(contracts.FallbackGiven(REPORT, CAMERA, True), f"device:{CAMERA}")]


@pytest.mark.parametrize("live", [True, False])
def test_others_hear_of_a_plate_sealed_and_only_what_is_live_awaits_a_decision(live: bool) -> None:
    plate = Sealed(KEY, REPORT, "plate", "box")
    told = Told(
        report_id=REPORT, kind="plate_read", code="x", history=not live, awaits_decision=True, device_time=NOW,
        vehicle=Vehicle(lane_no=2, plate=plate, plate_colour="blue", vehicle_kind="car", confidence=98, direction="in"))
    seen = contracts.PlateSeen(
        report_id=REPORT, device_id=CAMERA, lane_no=2, plate=SealedField(KEY, REPORT, "plate", "box"), plate_colour="blue",
        vehicle_kind="car", confidence=98, direction="in", live=live, awaits_decision=live, device_time=NOW, findings=("x",))
    event = DeviceReported(CAMERA, BODY, told, NOW, live=live, skew=None, findings=("x",))
    assert said(event) == [(seen, f"device:{CAMERA}")]
    blank = replace(event, told=replace(told, vehicle=replace(told.vehicle, plate=None)))
    assert said(blank) == [(replace(seen, plate=None), f"device:{CAMERA}")]


@pytest.mark.parametrize(("live", "at", "known", "heard"), [
    (True, NOW, None, NOW), (True, NOW - HOUR, None, None), (False, NOW - HOUR, None, NOW - HOUR),
    (False, NOW - 3 * HOUR, -7200.0, NOW - HOUR), (False, NOW - 800 * HOUR, None, None)])
def test_others_are_told_of_a_time_only_as_far_as_its_clock_is_believed(
        live: bool, at: datetime, known: float | None, heard: datetime | None) -> None:
    told = Told(report_id=REPORT, kind="card_read", code="5/1", history=not live, device_time=at)
    for one in (told, replace(told, vehicle=Vehicle()), replace(told, signal=Signal("dc09"))):
        [(public, _)] = said(DeviceReported(CAMERA, BODY, one, NOW, live=live, skew=None, findings=(), known_skew=known))
        assert public.device_time == heard
