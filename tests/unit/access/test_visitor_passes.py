from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from services.access.domain.pass_kinds import AHEAD, RULES
from services.access.domain.plates import normalised_plate
from services.access.domain.visitor_passes import (
    PASSES,
    IssuePass,
    RecordArrival,
    ReturnUse,
    RevokePass,
    UsePass,
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)

PASS, HOME, HOST, GATE, REPORT = (UUID(int=n) for n in range(1, 6))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ISSUE = IssuePass(
    pass_id=PASS, kind="courier", home_id=HOME, host_id=HOST, lives_there=True, valid_from=NOW, valid_until=LATER, uses=1,
    zones=("building:a", "community"), floors=(7,), now=NOW)
ISSUED = VisitorPassIssued(
    pass_id=PASS, kind="courier", home_id=HOME, host_id=HOST, valid_from=NOW, valid_until=LATER, uses=1,
    zones=("building:a", "community"), floors=(7,), plate=None, visitor_name=None, rule="visitor_pass_courier",
    reason="host_lives_there")
REVOKED = VisitorPassRevoked(pass_id=PASS, host_id=HOST, rule="visitor_pass", reason="host", at=NOW)
USE = UsePass(pass_id=PASS, door_id=GATE, zone="community", floor=None, report_id=REPORT, at=NOW, entered=True)
USED = VisitorPassUsed(
    pass_id=PASS, host_id=HOST, door_id=GATE, report_id=REPORT, zone="community", counted=True, at=NOW, rule="visitor_pass",
    reason="allowed_by_visitor_pass")
ARRIVED = VisitorArrived(
    pass_id=PASS, host_id=HOST, kind="courier", at=NOW, how="door", rule="visitor_pass", reason="first_entry")
AGAIN = replace(USE, report_id=UUID(int=9))
ASKED = replace(USE, entered=False)
RETURN = ReturnUse(PASS, REPORT, "refused")
RETURNED = VisitorPassUseReturned(
    pass_id=PASS, host_id=HOST, door_id=GATE, report_id=REPORT, zone="community", rule="visitor_pass", reason="refused")
OPENED = RecordArrival(PASS, NOW, "door", REPORT)


def when(command, *events):
    return PASSES.decide[type(command)](command, PASSES.fold(events))


def refused(command, *events):
    with pytest.raises(Refused) as refusal:
        when(command, *events)
    return refusal.value.code


def test_a_resident_issues_a_pass_for_their_home_once():
    assert when(ISSUE) == [ISSUED]
    for before in ((ISSUED,), (ISSUED, REVOKED)):  # by a key that is used again after its week
        assert refused(ISSUE, *before) == "pass_already_issued"


@pytest.mark.parametrize(("change", "code"), [
    ({"lives_there": False}, "not_a_resident_of_this_home"),
    ({"valid_until": NOW}, "pass_window_over"),
    ({"valid_from": NOW - timedelta(hours=2), "valid_until": NOW}, "pass_window_over"),
    ({"valid_until": NOW + RULES["courier"].longest + timedelta(seconds=1)}, "pass_window_too_long"),
    ({"valid_from": NOW + AHEAD + timedelta(hours=1), "valid_until": NOW + AHEAD + timedelta(hours=2)}, "pass_begins_too_late"),
    ({"uses": 0}, "pass_uses_out_of_range"), ({"uses": 4}, "pass_uses_out_of_range"), ({"uses": None}, "pass_uses_out_of_range")])
def test_a_pass_beyond_what_its_kind_allows_is_refused(change, code):
    assert refused(replace(ISSUE, **change)) == code


@pytest.mark.parametrize("kind", RULES)
def test_every_kind_may_be_as_long_and_as_often_as_its_rule_says(kind):
    rule = RULES[kind]
    for uses in (rule.usual, rule.most):
        assert len(when(replace(ISSUE, kind=kind, uses=uses, valid_until=NOW + rule.longest))) == 1


def test_how_long_and_how_often_each_kind_may_come():
    hours = {kind: (rule.longest / timedelta(hours=1), rule.most, rule.usual) for kind, rule in RULES.items()}
    assert hours == {"family": (168, 50, None), "courier": (12, 3, 1), "takeaway": (3, 1, 1), "service": (72, 10, 1)}


def test_a_pass_may_begin_within_thirty_days():
    latest = NOW + timedelta(days=30)
    assert len(when(replace(ISSUE, valid_from=latest, valid_until=latest + timedelta(hours=1)))) == 1
    later = latest + timedelta(seconds=1)
    assert refused(replace(ISSUE, valid_from=later, valid_until=later + timedelta(hours=1))) == "pass_begins_too_late"


def test_an_old_key_is_kept_until_the_last_code_that_it_signed_is_over():
    told = (Path(__file__).parents[3] / "docs/visitor-qr.md").read_text()
    assert "take the old one away after 38 days" in told and AHEAD + max(rule.longest for rule in RULES.values()) < timedelta(days=38)


def test_a_pass_is_revoked_once():
    assert when(RevokePass(PASS, "host", NOW), ISSUED) == [REVOKED]
    assert when(RevokePass(PASS, "staff", NOW), ISSUED, REVOKED) == []
    assert when(RevokePass(PASS, "staff", NOW)) == []


def test_the_first_use_lets_the_host_know_and_a_report_uses_once():
    assert when(USE, ISSUED) == [USED, ARRIVED]
    assert when(USE, ISSUED, USED, ARRIVED) == []


@pytest.mark.parametrize(("change", "code"), [
    ({"at": NOW - timedelta(microseconds=1)}, "pass_not_yet_valid"), ({"at": LATER}, "pass_expired"),
    ({"zone": "building:b"}, "pass_elsewhere"), ({"floor": 8, "zone": "building:a"}, "floor_not_permitted"),
    ({"floor": 7, "zone": "building:b"}, "pass_elsewhere")])
def test_a_pass_admits_in_its_time_at_its_doors_to_its_floors(change, code):
    assert refused(replace(USE, **change), ISSUED) == code


def test_a_pass_that_nobody_issued_or_that_was_revoked_admits_nobody():
    assert refused(USE) == "pass_unknown"
    assert refused(USE, ISSUED, REVOKED) == refused(USE, ISSUED, USED, REVOKED) == "pass_revoked"


def test_whom_a_reader_let_in_by_itself_before_the_pass_was_revoked_had_the_right_to_come_in():
    later = replace(REVOKED, at=NOW + timedelta(minutes=20))
    assert when(USE, ISSUED, later) == [USED, ARRIVED]
    assert when(USE, ISSUED, later, USED, ARRIVED) == [], "told again"
    assert refused(AGAIN, ISSUED, later, USED) == "pass_spent", "and it counts"
    assert refused(replace(USE, at=later.at), ISSUED, later) == refused(USE, ISSUED, replace(REVOKED, at=None)) == "pass_revoked"
    assert refused(ASKED, ISSUED, later) == "pass_revoked", "it waits for our order"
    assert refused(replace(USE, zone="building:b"), ISSUED, later) == "pass_elsewhere"


def test_where_a_reader_asks_the_visitor_arrives_when_the_door_has_opened():
    assert when(ASKED, ISSUED) == [USED]
    assert when(OPENED, ISSUED, USED) == [ARRIVED]
    assert when(OPENED, ISSUED, USED, ARRIVED) == []
    assert when(OPENED, ISSUED) == [], "a use that nobody knows of has let nobody in"


def test_who_was_let_in_before_the_pass_was_revoked_has_arrived():
    assert when(OPENED, ISSUED, USED, REVOKED) == [ARRIVED]
    assert when(OPENED, ISSUED, USED, REVOKED, ARRIVED) == []
    assert refused(OPENED, ISSUED, REVOKED) == "pass_revoked"


@pytest.mark.parametrize("reason", ["refused", "unreachable", "expired"])
def test_a_door_that_did_not_open_gives_the_use_back_once_and_nobody_has_arrived(reason):
    returned = replace(RETURNED, reason=reason)
    assert when(replace(RETURN, reason=reason), ISSUED, USED) == [returned]
    assert when(RETURN, ISSUED, USED, returned) == []
    assert when(OPENED, ISSUED, USED, returned) == []
    assert when(replace(AGAIN, entered=False), ISSUED, USED, returned) == [replace(USED, report_id=AGAIN.report_id)]
    assert when(ASKED, ISSUED, USED, returned) == [], "the report that had it has no second one"


def test_where_nobody_knows_whether_the_door_opened_the_use_stays_spent():
    assert when(replace(RETURN, reason="unknown"), ISSUED, USED) == []
    assert refused(AGAIN, ISSUED, USED) == "pass_spent"
    assert when(RETURN, ISSUED, USED) == [RETURNED], "what the device says late is true"


def test_only_a_use_that_was_made_is_given_back():
    assert when(RETURN, ISSUED) == when(replace(RETURN, report_id=UUID(int=9)), ISSUED, USED) == []
    assert refused(RETURN) == "pass_unknown"
    assert when(RETURN, ISSUED, USED, REVOKED) == [RETURNED], "it is a fact, though of no use any more"
    assert refused(AGAIN, ISSUED, USED, REVOKED, RETURNED) == "pass_revoked"


def test_the_use_of_another_door_stays_spent():
    building = replace(USED, zone="building:a", report_id=UUID(int=10))
    assert refused(replace(AGAIN, zone="building:a"), ISSUED, USED, building, RETURNED) == "pass_spent"
    assert when(replace(AGAIN, entered=False), ISSUED, USED, building, RETURNED) != []


def test_one_use_is_one_gate_and_one_door_of_the_building():
    building = replace(AGAIN, zone="building:a")
    assert refused(AGAIN, ISSUED, USED, ARRIVED) == "pass_spent"
    used = when(building, ISSUED, USED, ARRIVED)
    assert [type(e) for e in used] == [VisitorPassUsed]
    assert refused(replace(building, report_id=UUID(int=10)), ISSUED, USED, ARRIVED, *used) == "pass_spent"


def test_a_ride_in_a_lift_is_recorded_and_not_counted():
    ride = replace(AGAIN, zone="building:a", floor=7)
    told = when(ride, ISSUED, USED, ARRIVED)
    assert (told[0].counted, told[0].report_id) == (False, ride.report_id)
    down = replace(ride, floor=1, report_id=UUID(int=10))
    assert len(when(down, ISSUED, USED, ARRIVED, *told)) == 1, "everybody may go down again"
    door = when(replace(AGAIN, zone="building:a", report_id=UUID(int=11)), ISSUED, USED, ARRIVED, *told)
    assert [type(e) for e in door] == [VisitorPassUsed], "the use of the building's door is still there"


def test_family_comes_as_often_as_they_like():
    family = replace(ISSUED, kind="family", uses=None)
    assert [type(e) for e in when(AGAIN, family, USED, ARRIVED)] == [VisitorPassUsed]


def test_an_arrival_by_plate_is_told_once():
    by_plate = RecordArrival(PASS, NOW, "plate")
    assert when(by_plate, ISSUED) == [replace(ARRIVED, how="plate")]
    assert when(by_plate, ISSUED, USED, ARRIVED) == []
    assert (refused(by_plate), refused(by_plate, ISSUED, REVOKED)) == ("pass_unknown", "pass_revoked")


def test_whose_car_was_in_before_the_pass_was_revoked_has_arrived_whenever_parking_tells_of_it():
    by_plate, since = RecordArrival(PASS, NOW, "plate"), replace(REVOKED, at=NOW + timedelta(seconds=1))
    assert when(by_plate, ISSUED, since) == [replace(ARRIVED, how="plate")]
    assert when(by_plate, ISSUED, since, ARRIVED) == []
    assert refused(replace(by_plate, at=since.at), ISSUED, since) == "pass_revoked"
    assert refused(by_plate, ISSUED, replace(since, at=None)) == "pass_revoked", "nobody said when"


def test_a_plate_has_one_form_and_what_is_none_is_refused_with_the_reason():
    assert normalised_plate(" 京a·12345 ") == normalised_plate("蓝牌京A１２３４５") == "京A12345"
    for text, reason in (("京A", "pattern"), ("京A12/45", "pattern"), ("京AO1234", "letter_never_issued"), ("无牌", "no_plate")):
        with pytest.raises(Refused, match="plate_malformed") as refusal:
            normalised_plate(text)
        assert refusal.value.facts == {"reason": reason}
