"""Whatever is asked of a pass in whatever order: its rules hold, told by an account that keeps its own books."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, json

from libs.eventkit.decider import Refused
from services.access.domain.pass_history import (
    Issued,
    Revoked,
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)
from services.access.domain.visitor_passes import (
    DID_NOT_OPEN,
    GROUND,
    PASSES,
    IssuePass,
    RecordArrival,
    ReturnUse,
    RevokePass,
    UsePass,
)

PASS, HOME, HOST = (UUID(int=n) for n in range(1, 4))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=2)
ZONES, FLOORS = ("building:a", "community"), (7,)
REPORTS = [UUID(int=100 + n) for n in range(6)]
MOMENTS = [NOW - timedelta(microseconds=1), NOW, NOW + timedelta(hours=1), UNTIL - timedelta(microseconds=1), UNTIL]

reports = st.sampled_from(REPORTS)
issues = st.builds(
    lambda kind, uses: IssuePass(
        pass_id=PASS, kind=kind, home_id=HOME, host_id=HOST, lives_there=True, valid_from=NOW, valid_until=UNTIL, uses=uses,
        zones=ZONES, floors=FLOORS, now=NOW),
    st.sampled_from(["family", "courier", "takeaway", "service"]), st.sampled_from([None, 1, 2, 3]))
uses = st.builds(
    UsePass, pass_id=st.just(PASS), door_id=st.just(HOME), zone=st.sampled_from([*ZONES, "building:b"]),
    floor=st.sampled_from([None, GROUND, 7, 8]), report_id=reports, at=st.sampled_from(MOMENTS), entered=st.booleans())
good_uses = st.builds(
    UsePass, pass_id=st.just(PASS), door_id=st.just(HOME), zone=st.sampled_from(ZONES), floor=st.none(), report_id=reports,
    at=st.just(NOW), entered=st.booleans())
returns = st.builds(ReturnUse, st.just(PASS), reports, st.sampled_from([*sorted(DID_NOT_OPEN), "unknown"]))
arrivals = st.builds(
    RecordArrival, st.just(PASS), st.sampled_from(MOMENTS), st.sampled_from(["door", "plate"]), st.one_of(st.none(), reports, reports))
revocations = st.builds(RevokePass, st.just(PASS), st.sampled_from(["host", "staff", "residence_ended"]), st.sampled_from(MOMENTS))
KINDS = [good_uses] * 9 + [uses] * 5 + [returns] * 7 + [arrivals] * 4 + [issues, revocations]
"""Many uses for each end of the pass, else there would be little to see."""
commands = st.integers(0, len(KINDS) - 1).flatmap(lambda n: KINDS[n])
histories = st.tuples(st.lists(commands, max_size=1), issues, st.lists(commands, min_size=12, max_size=25)).map(
    lambda h: [*h[0], h[1], *h[2]])


class Account(Struct):
    """What an independent book-keeper knows of the pass from its events alone."""

    issued: VisitorPassIssued | None = None
    revoked: bool = False
    since: datetime | None = None
    standing: dict[UUID, VisitorPassUsed] = {}
    returned: set[UUID] = set()
    arrivals: int = 0

    def left(self, zone: str) -> int | None:
        assert self.issued is not None
        if self.issued.uses is None:
            return None
        return self.issued.uses - Counter(u.zone for u in self.standing.values() if u.counted)[zone]

    def take(self, command: Any, event: Any) -> None:
        assert event.rule and event.reason and event.pass_id == PASS
        match event:
            case VisitorPassIssued():
                assert self.issued is None
                self.issued = event
            case VisitorPassRevoked(at=at):
                assert self.issued is not None and not self.revoked
                self.revoked, self.since = True, at
            case VisitorPassUsed():
                self.admitted(command, event)
            case VisitorPassUseReturned(report_id=report_id, zone=zone):
                assert command.reason in DID_NOT_OPEN and self.standing.pop(report_id).zone == zone
                self.returned.add(report_id)
            case VisitorArrived():
                self.arrivals += 1
                assert self.arrivals == 1 and self.issued is not None
                if isinstance(command, RecordArrival) and command.report_id is not None:
                    assert command.report_id in self.standing, "only a use that stands lets anybody in"
                elif isinstance(command, RecordArrival) and self.revoked:
                    assert self.since is not None and command.at < self.since

    def admitted(self, command: UsePass, event: VisitorPassUsed) -> None:
        assert self.issued is not None
        assert not self.revoked or (command.entered and self.since is not None and command.at < self.since)
        assert self.issued.valid_from <= command.at < self.issued.valid_until
        assert event.zone == command.zone and event.zone in self.issued.zones
        assert command.floor in (None, GROUND, *self.issued.floors)
        assert event.report_id not in self.standing and event.report_id not in self.returned, "a report has one use, ever"
        assert event.counted == (command.floor is None)
        if event.counted:
            left = self.left(event.zone)
            assert left is None or left > 0
        self.standing[event.report_id] = event


def played(history: list[Any]) -> tuple[list[Any], Account]:
    state, events, account = PASSES.initial, [], Account()
    for command in history:
        try:
            said = PASSES.decide[type(command)](command, state)
        except Refused as refusal:
            assert refusal.code
            continue
        for event in said:
            account.take(command, event)
        state = reduce(PASSES.evolve, said, state)
        events += said
        assert repeated(command, state) == []
    return events, account


def repeated(command: Any, state: Any) -> list[Any]:
    """What the same command says a second time: nothing, however it is answered."""
    try:
        return list(PASSES.decide[type(command)](command, state))
    except Refused:
        return []


@settings(deadline=None, max_examples=300, derandomize=True, database=None)
@given(histories)
def test_the_rules_of_a_pass_hold_in_every_order(history: list[Any]):
    events, account = played(history)
    stored = [json.decode(json.encode(event), type=type(event)) for event in events]
    assert stored == events
    at_once, one_by_one = PASSES.fold(stored), PASSES.initial
    for event in stored:
        one_by_one = PASSES.evolve(one_by_one, event)
    assert at_once == one_by_one
    known = at_once.last if isinstance(at_once, Revoked) else at_once
    if account.issued is None:
        assert at_once == PASSES.initial
        return
    assert isinstance(known, Issued) and isinstance(at_once, Revoked) == account.revoked
    assert {u.report_id for u in known.presented} == {*account.standing, *account.returned}
    assert known.arrived == bool(account.arrivals)
    for zone in ZONES:
        left = account.left(zone)
        assert left is None or known.spent_in(zone) == account.issued.uses - left >= 0 <= left


@settings(deadline=None, max_examples=100, derandomize=True, database=None)
@given(histories, st.integers(min_value=0, max_value=30), uses)
def test_a_use_that_is_given_back_can_be_had_again(history: list[Any], cut: int, use: UsePass):
    state = PASSES.fold(played(history[:cut])[0])
    try:
        said = PASSES.decide[UsePass](use, state)
    except Refused:
        return
    if not said:
        return
    spent = reduce(PASSES.evolve, said, state)
    back = PASSES.decide[ReturnUse](ReturnUse(PASS, use.report_id, "refused"), spent)
    again = UsePass(
        pass_id=PASS, door_id=use.door_id, zone=use.zone, floor=use.floor, report_id=UUID(int=999), at=use.at, entered=False)
    assert [type(e) for e in PASSES.decide[UsePass](again, reduce(PASSES.evolve, back, spent))] == [VisitorPassUsed]


def test_the_book_keeper_would_notice():
    """A pass that counts nothing is not taken for one that does."""
    account = Account(issued=VisitorPassIssued(
        PASS, "takeaway", HOME, HOST, NOW, UNTIL, 1, ZONES, FLOORS, None, None, "visitor_pass_takeaway", "host_lives_there"))
    for n, report in enumerate(REPORTS[:2]):
        use = UsePass(pass_id=PASS, door_id=HOME, zone="community", floor=None, report_id=report, at=NOW, entered=True)
        used = VisitorPassUsed(PASS, HOST, HOME, report, "community", True, NOW, "visitor_pass", "allowed_by_visitor_pass")
        if n == 0:
            account.take(use, used)
        else:
            with pytest.raises(AssertionError):
                account.take(use, used)
