from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Refused
from services.devices.domain.orders import (
    ORDERS,
    AttemptOrder,
    CloseUnknownOrder,
    ExpireOrder,
    OrderAttempted,
    OrderCarriedOut,
    OrderEvent,
    OrderFailed,
    RecordCarriedOut,
    RecordFailed,
)

WHAT = (UUID(int=1), UUID(int=2), 1)
ATTEMPTED, DONE = OrderAttempted(*WHAT), OrderCarriedOut(*WHAT)
EXPIRED, UNKNOWN, REFUSED = (OrderFailed(*WHAT, reason) for reason in ("expired", "unknown", "refused"))
ENDS = [(EXPIRED,), (ATTEMPTED, DONE), (ATTEMPTED, UNKNOWN), (ATTEMPTED, REFUSED)]

attempt, expire, close = AttemptOrder(*WHAT), ExpireOrder(*WHAT), CloseUnknownOrder(*WHAT)
succeed, fail = RecordCarriedOut(*WHAT), RecordFailed(*WHAT, "refused")


def when(command: Any, *events: OrderEvent) -> list[OrderEvent]:
    return ORDERS.decide[type(command)](command, ORDERS.fold(events))


@pytest.mark.parametrize(
    ("command", "events", "said"),
    [
        (attempt, (), ATTEMPTED), (expire, (), EXPIRED), (close, (ATTEMPTED,), UNKNOWN),
        (succeed, (ATTEMPTED,), DONE), (fail, (ATTEMPTED,), REFUSED),
        (succeed, (ATTEMPTED, UNKNOWN), DONE), (fail, (ATTEMPTED, UNKNOWN), REFUSED),
    ],
)
def test_an_order_goes_its_way(command: Any, events: tuple[OrderEvent, ...], said: OrderEvent) -> None:
    assert when(command, *events) == [said]


@pytest.mark.parametrize("command", [succeed, fail])
@pytest.mark.parametrize("events", [(), (EXPIRED,)])
def test_what_was_never_attempted_has_no_outcome(command: Any, events: tuple[OrderEvent, ...]) -> None:
    with pytest.raises(Refused, match="order_not_attempted"):
        when(command, *events)


def test_an_order_is_for_one_door() -> None:
    with pytest.raises(Refused, match="order_of_another_door"):
        when(AttemptOrder(UUID(int=1), UUID(int=2), 2), ATTEMPTED)


@pytest.mark.parametrize("command", [attempt, expire, close])
@pytest.mark.parametrize("events", ENDS)
def test_an_order_that_has_ended_is_neither_attempted_nor_ended_again(
    command: Any, events: tuple[OrderEvent, ...]
) -> None:
    assert when(command, *events) == []


@pytest.mark.parametrize(
    ("command", "events"),
    [(attempt, (ATTEMPTED,)), (expire, (ATTEMPTED,)), (close, ()), (succeed, (ATTEMPTED, DONE)),
     (fail, (ATTEMPTED, REFUSED)), (fail, (ATTEMPTED, DONE))],
)
def test_saying_it_again_says_nothing(command: Any, events: tuple[OrderEvent, ...]) -> None:
    assert when(command, *events) == []
