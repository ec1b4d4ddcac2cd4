"""What a device that waits is told when no decision came within its limit: what was configured for it, recorded as such."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Take
from services.devices.domain.orders import ANSWER, OTHERWISE


class FallbackGiven(Struct, frozen=True, tag="fallback_given"):
    """`waited`: milliseconds for which a decision was waited for."""

    report_id: UUID
    device_id: UUID
    admitted: bool
    waited: int


class NotGiven(Struct, frozen=True):
    pass


class Given(Struct, frozen=True):
    pass


Fallback = NotGiven | Given


def evolve(fallback: Fallback, event: FallbackGiven) -> Fallback:
    return Given()


class GiveFallback(Struct, frozen=True):
    report_id: UUID
    device_id: UUID
    admitted: bool
    waited: int


def decide_give(command: GiveFallback, fallback: Fallback) -> list[FallbackGiven]:
    if isinstance(fallback, Given):
        return []
    return [FallbackGiven(command.report_id, command.device_id, command.admitted, command.waited)]


def claims(command: object, event: FallbackGiven) -> Iterable[Take]:
    yield Take(ANSWER, str(event.report_id), OTHERWISE)


FALLBACKS = Decider[Fallback, FallbackGiven](
    category="fallback", initial=NotGiven(), evolve=evolve, decide={GiveFallback: decide_give}, claims=claims)
