"""A refusal, told to a device that asked and waits: once and in time, or never. Unanswered, the device refuses by itself,
so that nothing hangs on it but how long somebody stands before a silent terminal.
"""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Take
from services.devices.domain.orders import ANSWER, OTHERWISE

# what happened


class RefusalAttempted(Struct, frozen=True, tag="refusal_attempted"):
    """`serial` is the device's number of the event that asked; None where the answer is the response itself."""

    report_id: UUID
    device_id: UUID
    serial: int | None


class RefusalTold(Struct, frozen=True, tag="refusal_told"):
    report_id: UUID
    device_id: UUID


class RefusalFailed(Struct, frozen=True, tag="refusal_failed"):
    """`reason`: refused, unreachable, unknown, expired. `code`: the device's own, where it gave one."""

    report_id: UUID
    device_id: UUID
    reason: str
    code: str = ""


RefusalEvent = RefusalAttempted | RefusalTold | RefusalFailed


# what is


class NotAttempted(Struct, frozen=True):
    pass


class Attempted(Struct, frozen=True):
    pass


class Ended(Struct, frozen=True):
    pass


Refusal = NotAttempted | Attempted | Ended


def evolve(refusal: Refusal, event: RefusalEvent) -> Refusal:
    match event:
        case RefusalAttempted():
            return Attempted()
        case RefusalTold() | RefusalFailed():
            return Ended()
        case _:
            return refusal


# what is asked


class AttemptRefusal(Struct, frozen=True):
    report_id: UUID
    device_id: UUID
    serial: int | None


class EndRefusal(Struct, frozen=True):
    """`failed` is empty when the device took it."""

    report_id: UUID
    device_id: UUID
    failed: str = ""
    code: str = ""


class ExpireRefusal(Struct, frozen=True):
    report_id: UUID
    device_id: UUID


def decide_attempt(command: AttemptRefusal, refusal: Refusal) -> list[RefusalEvent]:
    if isinstance(refusal, NotAttempted):
        return [RefusalAttempted(command.report_id, command.device_id, command.serial)]
    return []


def decide_end(command: EndRefusal, refusal: Refusal) -> list[RefusalEvent]:
    match refusal:
        case NotAttempted():
            raise Refused("refusal_not_attempted")
        case Attempted() if command.failed:
            return [RefusalFailed(command.report_id, command.device_id, command.failed, command.code)]
        case Attempted():
            return [RefusalTold(command.report_id, command.device_id)]
        case Ended():
            return []
        case _:
            assert_never(refusal)


def decide_expire(command: ExpireRefusal, refusal: Refusal) -> list[RefusalEvent]:
    if isinstance(refusal, NotAttempted):
        return [RefusalFailed(command.report_id, command.device_id, "expired")]
    return []


def claims(command: object, event: RefusalEvent) -> Iterable[Take]:
    if isinstance(event, RefusalAttempted):
        yield Take(ANSWER, str(event.report_id), OTHERWISE)


REFUSALS = Decider[Refusal, RefusalEvent](
    category="refusal",
    initial=NotAttempted(),
    evolve=evolve,
    decide={AttemptRefusal: decide_attempt, EndRefusal: decide_end, ExpireRefusal: decide_expire},
    claims=claims,
)
