"""What happens to a visitor pass, and what it is by that. The rules: `visitor_passes.py`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.sealed import Sealed
from services.access.domain.pass_kinds import PassKind

How = Literal["door", "plate"]
Ended = Literal["host", "staff", "residence_ended", "host_erased"]

# what happened


class VisitorPassIssued(Struct, frozen=True, tag="visitor_pass_issued"):
    pass_id: UUID
    kind: PassKind
    home_id: UUID
    host_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]
    plate: Sealed | None
    visitor_name: Sealed | None
    rule: str
    reason: str


class VisitorPassRevoked(Struct, frozen=True, tag="visitor_pass_revoked"):
    """`at`: since when it admits nobody; None where it was not said, for good."""

    pass_id: UUID
    host_id: UUID
    rule: str
    reason: Ended
    at: datetime | None = None


class VisitorPassUsed(Struct, frozen=True, tag="visitor_pass_used"):
    """`counted`: whether it takes one of the uses in its zone."""

    pass_id: UUID
    host_id: UUID
    door_id: UUID
    report_id: UUID
    zone: str
    counted: bool
    at: datetime
    rule: str
    reason: str


class VisitorPassUseReturned(Struct, frozen=True, tag="visitor_pass_use_returned"):
    """The door that this report's use led to did not open: the use does not count. `reason`: why the door stayed shut."""

    pass_id: UUID
    host_id: UUID
    door_id: UUID
    report_id: UUID
    zone: str
    rule: str
    reason: str


class VisitorArrived(Struct, frozen=True, tag="visitor_arrived"):
    pass_id: UUID
    host_id: UUID
    kind: PassKind
    at: datetime
    how: How
    rule: str
    reason: str


PassEvent = VisitorPassIssued | VisitorPassRevoked | VisitorPassUsed | VisitorPassUseReturned | VisitorArrived


# what is


class NoPass(Struct, frozen=True):
    pass


class Use(Struct, frozen=True):
    """What one report has used the pass for. `counted`: it takes one of the uses in its zone."""

    report_id: UUID
    door_id: UUID
    zone: str
    counted: bool
    returned: bool = False


class Issued(Struct, frozen=True):
    kind: PassKind
    home_id: UUID
    host_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]
    presented: tuple[Use, ...] = ()
    arrived: bool = False

    def by(self, report_id: UUID | None) -> Use | None:
        return next((use for use in self.presented if use.report_id == report_id), None)

    def spent_in(self, zone: str) -> int:
        return sum(use.counted and not use.returned and use.zone == zone for use in self.presented)


class Revoked(Struct, frozen=True):
    """As it was, and as what it had let in turned out."""

    last: Issued
    at: datetime | None = None


VisitorPass = NoPass | Issued | Revoked


def evolve(visitor_pass: VisitorPass, event: PassEvent) -> VisitorPass:
    match visitor_pass, event:
        case _, VisitorPassIssued():
            return Issued(
                kind=event.kind, home_id=event.home_id, host_id=event.host_id, valid_from=event.valid_from,
                valid_until=event.valid_until, uses=event.uses, zones=event.zones, floors=event.floors)
        case Issued(), VisitorPassRevoked(at=at):
            return Revoked(visitor_pass, at)
        case Revoked(last=last, at=at), VisitorPassUsed() | VisitorPassUseReturned() | VisitorArrived():
            as_it_was = evolve(last, event)
            return Revoked(as_it_was, at) if isinstance(as_it_was, Issued) else visitor_pass
        case Issued(presented=presented), VisitorPassUsed():
            use = Use(event.report_id, event.door_id, event.zone, event.counted)
            return replace(visitor_pass, presented=(*presented, use))
        case Issued(presented=presented), VisitorPassUseReturned(report_id=report_id):
            return replace(visitor_pass, presented=tuple(
                replace(use, returned=True) if use.report_id == report_id else use for use in presented))
        case Issued(), VisitorArrived():
            return replace(visitor_pass, arrived=True)
        case _:
            return visitor_pass
