"""An order to open a door: attempted once and in time, or never (architecture, decision 13).

The attempt is recorded before the call, so an attempt without an outcome may have opened the door: that is `unknown`,
and never tried again. What a device says late is still true and is taken.
"""

from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused

# what happened


class OrderAttempted(Struct, frozen=True, tag="order_attempted"):
    order_id: UUID
    device_id: UUID
    door_no: int


class OrderCarriedOut(Struct, frozen=True, tag="order_carried_out"):
    order_id: UUID
    device_id: UUID
    door_no: int


class OrderFailed(Struct, frozen=True, tag="order_failed"):
    """`reason`: refused, unreachable, unknown, expired. `code`: the device's own, where it gave one."""

    order_id: UUID
    device_id: UUID
    door_no: int
    reason: str
    code: str = ""


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


DoorOrder = NotOrdered | Attempted | CarriedOut | Failed


def evolve(order: DoorOrder, event: OrderEvent) -> DoorOrder:
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


class AttemptDoorOrder(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int


class ExpireDoorOrder(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int


class CloseUnknownDoorOrder(Struct, frozen=True):
    """Nobody can tell any more how the attempt ended."""

    order_id: UUID
    device_id: UUID
    door_no: int


class RecordCarriedOut(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int


class RecordFailed(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
    door_no: int
    reason: str
    code: str = ""


def decide_attempt(command: AttemptDoorOrder, order: DoorOrder) -> list[OrderEvent]:
    match order:
        case NotOrdered():
            return [OrderAttempted(command.order_id, command.device_id, command.door_no)]
        case Attempted(device_id=device_id, door_no=door_no):
            if (device_id, door_no) != (command.device_id, command.door_no):
                raise Refused("order_of_another_door")
            return []
        case CarriedOut() | Failed():
            return []
        case _:
            assert_never(order)


def decide_expire(command: ExpireDoorOrder, order: DoorOrder) -> list[OrderEvent]:
    if isinstance(order, NotOrdered):
        return [OrderFailed(command.order_id, command.device_id, command.door_no, "expired")]
    return []


def decide_close_unknown(command: CloseUnknownDoorOrder, order: DoorOrder) -> list[OrderEvent]:
    if isinstance(order, Attempted):
        return [OrderFailed(command.order_id, command.device_id, command.door_no, "unknown")]
    return []


def decide_record_carried_out(command: RecordCarriedOut, order: DoorOrder) -> list[OrderEvent]:
    match order:
        case NotOrdered() | Failed(reason="expired"):
            raise Refused("order_not_attempted")
        case Attempted() | Failed():
            return [OrderCarriedOut(command.order_id, command.device_id, command.door_no)]
        case CarriedOut():
            return []
        case _:
            assert_never(order)


def decide_record_failed(command: RecordFailed, order: DoorOrder) -> list[OrderEvent]:
    match order:
        case NotOrdered() | Failed(reason="expired"):
            raise Refused("order_not_attempted")
        case Attempted():
            return [OrderFailed(
                command.order_id, command.device_id, command.door_no, command.reason, command.code)]
        case Failed(reason=reason) if reason == "unknown" != command.reason:
            return [OrderFailed(
                command.order_id, command.device_id, command.door_no, command.reason, command.code)]
        case CarriedOut() | Failed():
            return []
        case _:
            assert_never(order)


DOOR_ORDERS = Decider[DoorOrder, OrderEvent](
    category="door-order",
    initial=NotOrdered(),
    evolve=evolve,
    decide={
        AttemptDoorOrder: decide_attempt, ExpireDoorOrder: decide_expire, CloseUnknownDoorOrder: decide_close_unknown,
        RecordCarriedOut: decide_record_carried_out, RecordFailed: decide_record_failed},
)
