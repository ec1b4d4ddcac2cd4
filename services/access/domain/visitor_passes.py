"""A visitor pass: for a time, and so many times, a visitor of a home may pass its gates, its doors, and go to its floor.

1. Each kind has a longest window and a most number of uses (`RULES`); only family may come as often as they like.
2. Uses are counted by zone: a courier's single use is one gate *and* one door of the building. A ride in a lift is
   recorded and not counted, since who rides has been counted at the building's door.
3. A report uses a pass once, however often it is told.
4. The first entry, by door or by plate, is the visitor's arrival; of later ones the host is not told.
"""

from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, Refused
from libs.eventkit.sealed import Sealed

PassKind = Literal["family", "courier", "takeaway", "service"]
How = Literal["door", "plate"]
Ended = Literal["host", "staff", "residence_ended"]
RULE = "visitor_pass"
GROUND = 1
"""The floor that a lift takes everybody to who may be in the building."""
AHEAD = timedelta(days=30)
PLATE = (5, 10)


class KindRule(Struct, frozen=True):
    """`most`: uses; `usual`: those of a pass that names none; None: as often as they like."""

    longest: timedelta
    most: int
    usual: int | None


RULES: dict[PassKind, KindRule] = {
    "family": KindRule(timedelta(days=7), 50, None),
    "courier": KindRule(timedelta(hours=12), 3, 1),
    "takeaway": KindRule(timedelta(hours=3), 1, 1),
    "service": KindRule(timedelta(days=3), 10, 1),
}


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
    pass_id: UUID
    host_id: UUID
    rule: str
    reason: Ended


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


class VisitorArrived(Struct, frozen=True, tag="visitor_arrived"):
    pass_id: UUID
    host_id: UUID
    kind: PassKind
    at: datetime
    how: How
    rule: str
    reason: str


PassEvent = VisitorPassIssued | VisitorPassRevoked | VisitorPassUsed | VisitorArrived


# what is


class NoPass(Struct, frozen=True):
    pass


class Issued(Struct, frozen=True):
    """`used`: the zone of every counted use."""

    kind: PassKind
    home_id: UUID
    host_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]
    used: tuple[str, ...] = ()
    reports: frozenset[UUID] = frozenset()
    arrived: bool = False


class Revoked(Struct, frozen=True):
    """As it was."""

    last: Issued


VisitorPass = NoPass | Issued | Revoked


def evolve(visitor_pass: VisitorPass, event: PassEvent) -> VisitorPass:
    match visitor_pass, event:
        case _, VisitorPassIssued():
            return Issued(
                kind=event.kind, home_id=event.home_id, host_id=event.host_id, valid_from=event.valid_from,
                valid_until=event.valid_until, uses=event.uses, zones=event.zones, floors=event.floors)
        case Issued(), VisitorPassRevoked():
            return Revoked(visitor_pass)
        case Issued(used=used, reports=reports), VisitorPassUsed(zone=zone, counted=counted, report_id=report_id):
            return replace(visitor_pass, used=(*used, zone) if counted else used, reports=reports | {report_id})
        case Issued(), VisitorArrived():
            return replace(visitor_pass, arrived=True)
        case _:
            return visitor_pass


# what is asked


class IssuePass(Struct, frozen=True):
    """`zones`: those of the home's building and the gates; `lives_there`: whether the host lives in the home."""

    pass_id: UUID
    kind: PassKind
    home_id: UUID
    host_id: UUID
    lives_there: bool
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]
    now: datetime
    plate: Sealed | None = None
    visitor_name: Sealed | None = None


class RevokePass(Struct, frozen=True):
    pass_id: UUID
    reason: Ended


class UsePass(Struct, frozen=True):
    """`floor`: where the door is a lift, the floor it would go to. `at`: when it was presented."""

    pass_id: UUID
    door_id: UUID
    zone: str
    floor: int | None
    report_id: UUID
    at: datetime


class RecordArrival(Struct, frozen=True):
    """The visitor came in by other means than a door of ours."""

    pass_id: UUID
    at: datetime
    how: How


def decide_issue_pass(command: IssuePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    if not isinstance(visitor_pass, NoPass):
        return []
    if not command.lives_there:
        raise Refused("not_a_resident_of_this_home")
    rule, uses = RULES[command.kind], command.uses
    if command.valid_until <= max(command.valid_from, command.now):
        raise Refused("pass_window_over")
    if command.valid_until - command.valid_from > rule.longest:
        raise Refused("pass_window_too_long", kind=command.kind, longest_hours=int(rule.longest.total_seconds()) // 3600)
    if command.valid_from > command.now + AHEAD:
        raise Refused("pass_begins_too_late", days=AHEAD.days)
    if (uses is None and rule.usual is not None) or (uses is not None and not 1 <= uses <= rule.most):
        raise Refused("pass_uses_out_of_range", kind=command.kind, most=rule.most)
    return [VisitorPassIssued(
        pass_id=command.pass_id, kind=command.kind, home_id=command.home_id, host_id=command.host_id,
        valid_from=command.valid_from, valid_until=command.valid_until, uses=uses, zones=command.zones,
        floors=command.floors, plate=command.plate, visitor_name=command.visitor_name, rule=f"{RULE}_{command.kind}",
        reason="host_lives_there")]


def decide_revoke_pass(command: RevokePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    match visitor_pass:
        case Issued(host_id=host_id):
            return [VisitorPassRevoked(pass_id=command.pass_id, host_id=host_id, rule=RULE, reason=command.reason)]
        case NoPass() | Revoked():
            return []
        case _:
            assert_never(visitor_pass)


def why_not(command: UsePass, visitor_pass: VisitorPass) -> str:
    """Empty where the pass admits, else the code of the refusal. A report that has used the pass is admitted again."""
    match visitor_pass:
        case NoPass():
            return "pass_unknown"
        case Revoked():
            return "pass_revoked"
        case Issued(reports=reports) if command.report_id in reports:
            return ""
        case Issued(valid_from=valid_from) if command.at < valid_from:
            return "pass_not_yet_valid"
        case Issued(valid_until=valid_until) if command.at >= valid_until:
            return "pass_expired"
        case Issued(zones=zones) if command.zone not in zones:
            return "pass_elsewhere"
        case Issued(floors=floors) if command.floor is not None:
            return "" if command.floor in (*floors, GROUND) else "floor_not_permitted"
        case Issued(uses=uses, used=used):
            return "pass_spent" if uses is not None and used.count(command.zone) >= uses else ""
        case _:
            assert_never(visitor_pass)


def decide_use_pass(command: UsePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    if code := why_not(command, visitor_pass):
        raise Refused(code, rule=RULE)
    if not isinstance(visitor_pass, Issued) or command.report_id in visitor_pass.reports:
        return []
    used = VisitorPassUsed(
        pass_id=command.pass_id, host_id=visitor_pass.host_id, door_id=command.door_id, report_id=command.report_id,
        zone=command.zone, counted=command.floor is None, at=command.at, rule=RULE, reason=f"allowed_by_{RULE}")
    return [used, *_arrival(command.pass_id, visitor_pass, command.at, "door")]


def decide_record_arrival(command: RecordArrival, visitor_pass: VisitorPass) -> list[PassEvent]:
    match visitor_pass:
        case NoPass():
            raise Refused("pass_unknown", rule=RULE)
        case Revoked():
            raise Refused("pass_revoked", rule=RULE)
        case Issued():
            return _arrival(command.pass_id, visitor_pass, command.at, command.how)
        case _:
            assert_never(visitor_pass)


def _arrival(pass_id: UUID, visitor_pass: Issued, at: datetime, how: How) -> list[PassEvent]:
    if visitor_pass.arrived:
        return []
    return [VisitorArrived(
        pass_id=pass_id, host_id=visitor_pass.host_id, kind=visitor_pass.kind, at=at, how=how, rule=RULE,
        reason="first_entry")]


def normalised_plate(text: str) -> str:
    """As a plate is stored: capitals without spaces and dots. Whether such a plate exists is parking's to say. Raises Refused."""
    plate = "".join(c for c in text.upper() if c not in " .·•-")
    if not plate.isalnum() or not PLATE[0] <= len(plate) <= PLATE[1]:
        raise Refused("plate_malformed")
    return plate


PASSES = Decider[VisitorPass, PassEvent](
    category="visitor-pass", initial=NoPass(), evolve=evolve,
    decide={
        IssuePass: decide_issue_pass, RevokePass: decide_revoke_pass, UsePass: decide_use_pass,
        RecordArrival: decide_record_arrival,
    })
