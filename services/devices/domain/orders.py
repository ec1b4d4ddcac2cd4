"""An order to open a door or lift a barrier: attempted once and in time, or never (architecture, decision 13).

The attempt is recorded before the call, so an attempt without an outcome may have opened the door: that is `unknown`,
and never tried again. What a device says late is still true and is taken.

An order that answers a report (`answers`) takes the one answer that this report has: by the response for which the
device waits, by a call, or not at all where it was told something else.
"""

from collections.abc import Iterable
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Take

Actuator = Literal["door", "barrier"]
By = Literal["call", "answer"]
ANSWER, OTHERWISE = "answer", "answered_otherwise"
"""The claim on a report's one answer, and why it is refused."""

# what happened


class OrderAttempted(Struct, frozen=True, tag="order_attempted"):
    """`door_no`: the device's number of the relay, or of the lane whose barrier it is."""

    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"
    answers: UUID | None = None


class OrderCarriedOut(Struct, frozen=True, tag="order_carried_out"):
    """`by` call: the device said that it did it; answer: it was told so in the response for which it waited."""

    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"
    by: By = "call"


class OrderFailed(Struct, frozen=True, tag="order_failed"):
    """`reason`: refused, unreachable, unknown, expired. `code`: the device's own, where it gave one."""

    order_id: UUID
    device_id: UUID
    door_no: int
    reason: str
    code: str = ""
    actuator: Actuator = "door"


OrderEvent = OrderAttempted | OrderCarriedOut | OrderFailed


# what is


class NotOrdered(Struct, frozen=True):
    pass


class Attempted(Struct, frozen=True):
    device_id: UUID
    door_no: int


class CarriedOut(Struct, frozen=True):
    pass


class Failed(Struct, frozen=True):
    reason: str


Order = NotOrdered | Attempted | CarriedOut | Failed


def evolve(order: Order, event: OrderEvent) -> Order:
    match event:
        case OrderAttempted(device_id=device_id, door_no=door_no):
            return Attempted(device_id=device_id, door_no=door_no)
        case OrderCarriedOut():
            return CarriedOut()
        case OrderFailed(reason=reason):
            return Failed(reason=reason)
        case _:
            return order


# what is asked


class AttemptOrder(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"
    answers: UUID | None = None


class ExpireOrder(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"


class CloseUnknownOrder(Struct, frozen=True):
    """Nobody can tell any more how the attempt ended."""

    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"


class RecordCarriedOut(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int
    actuator: Actuator = "door"
    by: By = "call"


class RecordFailed(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int
    reason: str
    code: str = ""
    actuator: Actuator = "door"


def decide_attempt(command: AttemptOrder, order: Order) -> list[OrderEvent]:
    match order:
        case NotOrdered():
            return [OrderAttempted(command.order_id, command.device_id, command.door_no, command.actuator, command.answers)]
        case Attempted(device_id=device_id, door_no=door_no):
            if (device_id, door_no) != (command.device_id, command.door_no):
                raise Refused("order_of_another_door")
            return []
        case CarriedOut() | Failed():
            return []
        case _:
            assert_never(order)


def decide_expire(command: ExpireOrder, order: Order) -> list[OrderEvent]:
    if isinstance(order, NotOrdered):
        return [OrderFailed(command.order_id, command.device_id, command.door_no, "expired", actuator=command.actuator)]
    return []


def decide_close_unknown(command: CloseUnknownOrder, order: Order) -> list[OrderEvent]:
    if isinstance(order, Attempted):
        return [OrderFailed(command.order_id, command.device_id, command.door_no, "unknown", actuator=command.actuator)]
    return []


def decide_record_carried_out(command: RecordCarriedOut, order: Order) -> list[OrderEvent]:
    match order:
        case NotOrdered() | Failed(reason="expired"):
            raise Refused("order_not_attempted")
        case Attempted() | Failed():
            return [OrderCarriedOut(command.order_id, command.device_id, command.door_no, command.actuator, command.by)]
        case CarriedOut():
            return []
        case _:
            assert_never(order)


def decide_record_failed(command: RecordFailed, order: Order) -> list[OrderEvent]:
    match order:
        case NotOrdered() | Failed(reason="expired"):
            raise Refused("order_not_attempted")
        case Attempted():
            return [OrderFailed(
                command.order_id, command.device_id, command.door_no, command.reason, command.code, command.actuator)]
        case Failed(reason=reason) if reason == "unknown" != command.reason:
            return [OrderFailed(
                command.order_id, command.device_id, command.door_no, command.reason, command.code, command.actuator)]
        case CarriedOut() | Failed():
            return []
        case _:
            assert_never(order)


def claims(command: object, event: OrderEvent) -> Iterable[Take]:
    if isinstance(event, OrderAttempted) and event.answers is not None:
        yield Take(ANSWER, str(event.answers), OTHERWISE)


ORDERS = Decider[Order, OrderEvent](
    category="door-order",
    initial=NotOrdered(),
    evolve=evolve,
    decide={
        AttemptOrder: decide_attempt, ExpireOrder: decide_expire, CloseUnknownOrder: decide_close_unknown,
        RecordCarriedOut: decide_record_carried_out, RecordFailed: decide_record_failed},
    claims=claims,
)
