"""A visitor pass: for a time, and so many times, a visitor of a home may pass its gates, its doors, and go to its floor.

1. Each kind has a longest window and a most number of uses (`pass_kinds.py`); only family may come as often as they like.
2. Uses are counted by zone: a courier's single use is one gate *and* one door of the building. A ride in a lift is
   recorded and not counted, since who rides has been counted at the building's door.
3. A report uses a pass once, however often it is told.
4. A use is given back, once, where the door that it led to certainly did not open (refused, unreachable, expired). Where
   nobody knows (`unknown`) it stays spent: the visitor may have come in.
5. The first entry, by door or by plate, is the visitor's arrival; of later ones the host is not told. A door that did not
   open is no entry: where a reader waits for our order, the arrival is recorded when the door has opened and not when the
   code was shown, so that nothing told to a host has to be taken back. While nobody knows, no arrival is told.
6. Whom a reader has let in by itself is judged as of then, though we hear of it after the pass was revoked; and whose car the barrier
   had let in before has arrived, whenever parking tells of it. What waits for our order is not: once revoked, nothing opens.
"""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from libs.eventkit.sealed import Sealed
from services.access.domain.pass_history import (
    Ended,
    How,
    Issued,
    NoPass,
    PassEvent,
    Revoked,
    VisitorArrived,
    VisitorPass,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
    evolve,
)
from services.access.domain.pass_kinds import PassKind, within_rule

RULE = "visitor_pass"
GROUND = 1
"""The floor that a lift takes everybody to who may be in the building."""
DID_NOT_OPEN = frozenset({"refused", "unreachable", "expired"})
"""How an opening can end of which it is certain that the door stayed shut."""


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
    """`at`: since when."""

    pass_id: UUID
    reason: Ended
    at: datetime


class UsePass(Struct, frozen=True):
    """`floor`: where the door is a lift, the floor it would go to. `at`: when it was presented. `entered`: the reader lets
    the visitor in by itself; else they come in when the door has opened (`RecordArrival`)."""

    pass_id: UUID
    door_id: UUID
    zone: str
    floor: int | None
    report_id: UUID
    at: datetime
    entered: bool


class ReturnUse(Struct, frozen=True):
    """The opening that the report's use led to has failed; `reason`: how, as devices say it."""

    pass_id: UUID
    report_id: UUID
    reason: str


class RecordArrival(Struct, frozen=True):
    """The visitor came in. `report_id`: the use with which a door of ours has opened."""

    pass_id: UUID
    at: datetime
    how: How
    report_id: UUID | None = None


def decide_issue_pass(command: IssuePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    if not isinstance(visitor_pass, NoPass):  # a key that is used again after its week would show the code of another visitor
        raise Refused("pass_already_issued")
    if not command.lives_there:
        raise Refused("not_a_resident_of_this_home")
    within_rule(command.kind, command.valid_from, command.valid_until, command.uses, command.now)
    return [VisitorPassIssued(
        pass_id=command.pass_id, kind=command.kind, home_id=command.home_id, host_id=command.host_id,
        valid_from=command.valid_from, valid_until=command.valid_until, uses=command.uses, zones=command.zones,
        floors=command.floors, plate=command.plate, visitor_name=command.visitor_name, rule=f"{RULE}_{command.kind}",
        reason="host_lives_there")]


def decide_revoke_pass(command: RevokePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    match visitor_pass:
        case Issued(host_id=host_id):
            return [VisitorPassRevoked(pass_id=command.pass_id, host_id=host_id, rule=RULE, reason=command.reason, at=command.at)]
        case NoPass() | Revoked():
            return []
        case _:
            assert_never(visitor_pass)


def why_not(command: UsePass, visitor_pass: VisitorPass) -> str:
    """Empty where the pass admits, else the code of the refusal. A report that has used the pass is admitted again."""
    match visitor_pass:
        case NoPass():
            return "pass_unknown"
        case Revoked(last=last, at=at) if at is not None and command.entered and command.at < at:
            return why_not(command, last)
        case Revoked():
            return "pass_revoked"
        case Issued() if visitor_pass.by(command.report_id):
            return ""
        case Issued(valid_from=valid_from) if command.at < valid_from:
            return "pass_not_yet_valid"
        case Issued(valid_until=valid_until) if command.at >= valid_until:
            return "pass_expired"
        case Issued(zones=zones) if command.zone not in zones:
            return "pass_elsewhere"
        case Issued(floors=floors) if command.floor is not None:
            return "" if command.floor in (*floors, GROUND) else "floor_not_permitted"
        case Issued(uses=uses):
            return "pass_spent" if uses is not None and visitor_pass.spent_in(command.zone) >= uses else ""
        case _:
            assert_never(visitor_pass)


def decide_use_pass(command: UsePass, visitor_pass: VisitorPass) -> list[PassEvent]:
    if code := why_not(command, visitor_pass):
        raise Refused(code, rule=RULE)
    known = visitor_pass.last if isinstance(visitor_pass, Revoked) else visitor_pass
    if not isinstance(known, Issued) or known.by(command.report_id):
        return []
    used = VisitorPassUsed(
        pass_id=command.pass_id, host_id=known.host_id, door_id=command.door_id, report_id=command.report_id,
        zone=command.zone, counted=command.floor is None, at=command.at, rule=RULE, reason=f"allowed_by_{RULE}")
    return [used, *(_arrival(command.pass_id, known, command.at, "door") if command.entered else [])]


def decide_return_use(command: ReturnUse, visitor_pass: VisitorPass) -> list[PassEvent]:
    if isinstance(visitor_pass, NoPass):
        raise Refused("pass_unknown", rule=RULE)
    known = visitor_pass.last if isinstance(visitor_pass, Revoked) else visitor_pass
    use = known.by(command.report_id)
    if command.reason not in DID_NOT_OPEN or use is None or use.returned:
        return []
    return [VisitorPassUseReturned(
        pass_id=command.pass_id, host_id=known.host_id, door_id=use.door_id, report_id=use.report_id, zone=use.zone, rule=RULE,
        reason=command.reason)]


def decide_record_arrival(command: RecordArrival, visitor_pass: VisitorPass) -> list[PassEvent]:
    """Who had been let in before the pass was revoked has arrived all the same."""
    if isinstance(visitor_pass, NoPass):
        raise Refused("pass_unknown", rule=RULE)
    known = visitor_pass.last if isinstance(visitor_pass, Revoked) else visitor_pass
    use = known.by(command.report_id)
    if isinstance(visitor_pass, Revoked) and use is None and not _by_car_before(command, visitor_pass.at):
        raise Refused("pass_revoked", rule=RULE)
    if command.report_id is not None and (use is None or use.returned):
        return []
    return _arrival(command.pass_id, known, command.at, command.how)


def _by_car_before(command: RecordArrival, revoked_at: datetime | None) -> bool:
    return command.report_id is None and revoked_at is not None and command.at < revoked_at


def _arrival(pass_id: UUID, visitor_pass: Issued, at: datetime, how: How) -> list[PassEvent]:
    if visitor_pass.arrived:
        return []
    return [VisitorArrived(
        pass_id=pass_id, host_id=visitor_pass.host_id, kind=visitor_pass.kind, at=at, how=how, rule=RULE,
        reason="first_entry")]


PASSES = Decider[VisitorPass, PassEvent](
    category="visitor-pass", initial=NoPass(), evolve=evolve,
    decide={
        IssuePass: decide_issue_pass, RevokePass: decide_revoke_pass, UsePass: decide_use_pass,
        ReturnUse: decide_return_use, RecordArrival: decide_record_arrival,
    })
