"""What the pages about visitors, cars, stays and lanes are folded from: in any order of the topics, told twice, the same."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from libs.contracts import access, devices, identity, parking
from libs.contracts.fields import SealedField
from services.gateway.views import cars, findings, lanes, passages, permits, stays, visitors
from tests.unit.gateway.heard import ANN, BEN, DEVICE, GATE, HOME, NOON, fold, heard

PASS, CAR, STAY, LOT, LANE, PASSAGE, FINDING, PAYMENT, RIGHT = (UUID(int=n) for n in range(0x51, 0x5A))
SEALED = SealedField(UUID(int=1), UUID(int=2), "plate", "box")
LATER = NOON + timedelta(hours=4)
ISSUED = access.VisitorPassIssued(PASS, "family", HOME, ANN, NOON, LATER, 2, ("community",), (3,), SEALED, None)
BEGUN = parking.SessionBegun(STAY, LOT, "ground", ANN, None, PASS, NOON)
LINE = parking.BillLine("step", NOON, LATER, 4, 200, 800, {})
BILLED = parking.Billed(STAY, "A", 1, LATER, 800, 0, (LINE,))
JUDGED = parking.PassageJudged(PASSAGE, LANE, True, "tariff", "pays_by_tariff", (), None, True)
RAISED = parking.FindingRaised(FINDING, "look_alike", LANE, STAY, PASSAGE, (CAR,))
QUARANTINED = parking.SessionQuarantined(STAY, LOT, "ground")
SEEN = devices.PlateSeen(PASSAGE, DEVICE, 1, SEALED, "blue", "small_car", 95, "in", True, True, NOON, ())
HELD = parking.PermitHeld(RIGHT, LOT, ANN, CAR, NOON, LATER, 30000, False)


EVERYTHING = (
    ISSUED, BEGUN, BILLED, JUDGED, RAISED, identity.VehicleRegistered(CAR, HOME, ANN, SEALED, "small", False),
    parking.LaneInstalled(LANE, LOT, "east", "in", "ground", DEVICE, 1), parking.LotOpened(LOT, "lot", {"ground": 3}), SEEN, HELD)


def log(*events: Any) -> list[Any]:
    return [heard(event, n) for n, event in enumerate(events, 1)]


def test_a_pass_is_issued_used_and_revoked_and_its_visitor_arrives_once() -> None:
    said = log(
        ISSUED, access.VisitorArrived(PASS, ANN, "family", LATER, "plate"), access.VisitorPassUsed(PASS, ANN, GATE, PASSAGE),
        access.VisitorPassUsed(PASS, ANN, GATE, FINDING), access.VisitorPassUsed(PASS, ANN, GATE, STAY),
        access.VisitorPassUseReturned(PASS, ANN, STAY), access.VisitorPassRevoked(PASS, ANN, "host"))
    (row,) = fold(visitors.VISITORS, said)
    assert (row["host_id"], row["used"], row["revoked"], row["arrived_by"]) == (str(ANN), 2, "host", "plate")
    assert row["plate"]["box"] == "box" and row["visitor_name"] is None


def test_what_is_said_of_a_pass_that_is_not_known_is_nothing_to_show() -> None:
    assert fold(visitors.VISITORS, log(access.VisitorPassRevoked(PASS, ANN, "host"))) == []


def test_a_vehicle_is_declared_verified_and_removed() -> None:
    declared = identity.VehicleRegistered(CAR, HOME, ANN, SEALED, "small", False)
    assert [row["verified"] for row in fold(cars.CARS, log(declared))] == [False]
    said = log(declared, identity.VehicleVerified(CAR, "driving_licence"))
    assert [row["verified"] for row in fold(cars.CARS, said)] == [True]
    assert fold(cars.CARS, [*said, *log(identity.VehicleRemoved(CAR, HOME))], times=2) == []
    assert fold(cars.CARS, log(identity.VehicleVerified(CAR, "driving_licence"))) == []


def test_a_stay_shows_its_latest_bill_what_was_paid_and_how_it_ended() -> None:
    said = log(BEGUN, BILLED, parking.PaymentReceived(STAY, PAYMENT, 500), parking.PaymentReceived(STAY, FINDING, 300))
    (row,) = fold(stays.STAYS, said)
    assert (row["state"], row["total"], row["paid"], len(row["lines"])) == ("inside", 800, 800, 1)
    last = parking.Billed(STAY, "A", 1, LATER, 800, 800, (LINE,))
    ended = parking.SessionEnded(STAY, LOT, "ground", "exit", LATER, 800)
    (row,) = fold(stays.STAYS, [*said, *log(last, ended)])
    assert (row["state"], row["total"], row["paid"], row["person_id"], row["pass_id"]) == ("ended", 800, 800, str(ANN), str(PASS))
    missing = parking.FindingRaised(FINDING, "missing_exit", LANE, STAY, PASSAGE, ())
    assert [r["state"] for r in fold(stays.STAYS, log(BEGUN, missing), times=2)] == ["quarantined"]
    assert [r["state"] for r in fold(stays.STAYS, log(BEGUN, QUARANTINED), times=2)] == ["quarantined"]
    settled = parking.SessionEnded(STAY, LOT, "ground", "settled", None, 0)
    for said in (log(BEGUN, missing, settled), log(BEGUN, QUARANTINED, missing, settled)):
        assert [r["state"] for r in fold(stays.STAYS, said, times=2)] == ["settled"]
    ended = parking.SessionEnded(STAY, LOT, "ground", "exit", LATER, 0)
    assert [r["state"] for r in fold(stays.STAYS, log(BEGUN, ended, QUARANTINED, missing))] == ["ended"], "it is out: nothing is missed"


def test_a_stay_that_is_recognised_is_its_new_owners_from_then_on() -> None:
    known = parking.SessionRecognised(STAY, BEN, CAR, None)
    (row,) = fold(stays.STAYS, log(BEGUN, BILLED, known), times=2)
    assert (row["person_id"], row["vehicle_id"], row["pass_id"]) == (str(BEN), str(CAR), None)
    assert (row["state"], row["total"], row["entered_at"]) == ("inside", 800, "2026-03-01T12:00:00Z")
    assert fold(stays.STAYS, log(known)) == []
    (row,) = fold(stays.STAYS, log(BEGUN, known, parking.SessionRecognised(STAY, None, None, None)), times=2)
    assert row["person_id"] == str(BEN), "a right that names nobody takes it from nobody"


def test_what_is_owed_after_the_exit_is_the_total_less_what_was_paid_and_never_less_than_nothing() -> None:
    ended = parking.SessionEnded(STAY, LOT, "ground", "exit", LATER, 800)
    paid = parking.PaymentReceived(STAY, PAYMENT, 500)
    for said, owed in (
        ((BEGUN, BILLED), None), ((BEGUN, QUARANTINED), None), ((BEGUN, BILLED, ended), 800), ((BEGUN, BILLED, ended, paid), 300),
        ((BEGUN, BILLED, ended, paid, paid), 0),
    ):
        (row,) = fold(stays.STAYS, log(*said))
        assert stays.owed(row) == owed


def test_a_bill_that_was_waived_leaves_no_lines_that_would_not_add_up() -> None:
    waived = parking.SessionEnded(STAY, LOT, "ground", "settled", None, 0)
    (row,) = fold(stays.STAYS, log(BEGUN, BILLED, QUARANTINED, waived), times=2)
    assert (row["total"], row["lines"], row["tariff"], stays.owed(row)) == (0, [], None, 0)
    left = parking.SessionEnded(STAY, LOT, "ground", "settled", LATER, 800)
    (row,) = fold(stays.STAYS, log(BEGUN, QUARANTINED, BILLED, left), times=2)
    assert (row["total"], len(row["lines"]), stays.owed(row)) == (800, 1, 800)


def test_a_permit_is_as_it_was_said_last_and_counts_within_its_time() -> None:
    (row,) = fold(permits.PERMITS, log(HELD), times=2)
    assert (row["person_id"], row["vehicle_id"], row["monthly"], row["ended"]) == (str(ANN), str(CAR), 30000, False)
    longer = parking.PermitHeld(RIGHT, LOT, ANN, CAR, NOON, LATER + timedelta(days=30), 30000, False)
    gone = parking.PermitHeld(RIGHT, LOT, None, None, None, None, None, True)
    (row,) = fold(permits.PERMITS, log(HELD, longer, gone), times=2)
    assert (row["ended"], row["person_id"], row["valid_until"]) == (True, str(ANN), "2026-03-31T16:00:00Z")
    assert [r["ended"] for r in fold(permits.PERMITS, log(HELD, gone, longer))] == [False]
    assert fold(permits.PERMITS, log(gone)) == []
    second = timedelta(seconds=1)
    for held, now, state in (
        (HELD, NOON - second, "not_yet_valid"), (HELD, NOON, "valid"), (HELD, LATER - second, "valid"), (HELD, LATER, "expired"),
        (longer, LATER, "valid"), (gone, NOON, "ended"),
        (parking.PermitHeld(RIGHT, None, ANN, None, None, None, None, False), LATER, "valid"),
    ):
        times = {"valid_from": held.valid_from, "valid_until": held.valid_until, "ended": held.ended}
        assert permits.state(times, now) == state


def test_a_passage_and_its_outcome_meet_in_whichever_order_they_are_heard() -> None:
    lifted = devices.BarrierOrderCarriedOut(PASSAGE, DEVICE, 1, "answer")
    for said, times in ((log(JUDGED, lifted), 1), (log(lifted, JUDGED), 1), (log(JUDGED, lifted), 2), (log(lifted, JUDGED), 2)):
        (row,) = fold(passages.PASSAGES, said, times)
        assert (row["lane_id"], row["outcome"], row["reason"]) == (str(LANE), "lifted_by_answer", "pays_by_tariff")
    for event, outcome in (
        (devices.BarrierOrderFailed(PASSAGE, DEVICE, 1, "expired"), "expired"),
        (devices.FallbackGiven(PASSAGE, DEVICE, True), "fallback_lifted"),
        (devices.FallbackGiven(PASSAGE, DEVICE, False), "fallback_stayed_down"),
    ):
        assert [r["outcome"] for r in fold(passages.PASSAGES, log(JUDGED, event))] == [outcome]


def test_an_order_that_came_too_late_leaves_what_became_of_the_barrier() -> None:
    late = devices.BarrierOrderFailed(PASSAGE, DEVICE, 1, "expired")
    for came, outcome in (
        (devices.FallbackGiven(PASSAGE, DEVICE, True), "fallback_lifted"),
        (devices.FallbackGiven(PASSAGE, DEVICE, False), "fallback_stayed_down"),
        (devices.BarrierOrderCarriedOut(PASSAGE, DEVICE, 1, "call"), "lifted_by_call"),
    ):
        for said in (log(JUDGED, came, late), log(JUDGED, late, came)):
            assert [r["outcome"] for r in fold(passages.PASSAGES, said, times=2)] == [outcome]


def test_the_sealed_plate_meets_its_passage_whichever_is_heard_first() -> None:
    for said in (log(SEEN, JUDGED), log(JUDGED, SEEN)):
        (row,) = fold(passages.PASSAGES, said, times=2)
        assert (row["seen"], row["plate"]["box"], row["plate_colour"], row["lane_id"]) == (True, "box", "blue", str(LANE))
    (row,) = fold(passages.PASSAGES, log(SEEN))
    assert "position" not in row, "what a camera saw alone is no passage"
    bare = devices.PlateSeen(PASSAGE, DEVICE, 1, None, "", "", None, None, True, True, NOON, ())
    (row,) = fold(passages.PASSAGES, log(JUDGED, bare))
    assert (row["seen"], row["plate"]) == (True, None)


def test_a_finding_is_open_until_somebody_has_settled_it() -> None:
    (row,) = fold(findings.FINDINGS, log(RAISED))
    assert (row.get("settled_at"), row["candidates"]) == (None, [str(CAR)])
    (row,) = fold(findings.FINDINGS, log(RAISED, parking.FindingSettled(FINDING, "chosen")), times=2)
    assert row["how"] == "chosen" and row["settled_at"] is not None
    assert fold(findings.FINDINGS, log(parking.FindingSettled(FINDING, "chosen"))) == []


def test_lanes_and_lots_are_as_they_were_said_last() -> None:
    lane = parking.LaneInstalled(LANE, LOT, "east", "in", "ground", DEVICE, 1)
    moved = parking.LaneInstalled(LANE, LOT, "west", "in", "ground", DEVICE, 2)
    assert [(r["name"], r["lane_no"]) for r in fold(lanes.LANES, log(lane, moved), times=2)] == [("west", 2)]
    assert [r["spaces"] for r in fold(lanes.LOTS, log(parking.LotOpened(LOT, "lot", {"ground": 3})))] == [{"ground": 3}]
