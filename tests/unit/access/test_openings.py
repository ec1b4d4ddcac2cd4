from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from services.access.domain.admission import Fact, Judgement
from services.access.domain.openings import (
    OPENINGS,
    ConcludeOpening,
    CredentialJudged,
    DoorNoticed,
    DoorOpened,
    DoorOpeningFailed,
    DoorOpeningOrdered,
    DoorPassed,
    JudgeCredential,
    NoteAtDoor,
    OpenRemotely,
)

OPENING, DOOR, DEVICE, ANN = (UUID(int=n) for n in range(1, 5))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
YES = Judgement(True, "residence", "allowed_by_residence", (Fact(DOOR, "door"),), ANN)
NO = Judgement(False, "default", "no_right_for_this_door", (Fact(DOOR, "door"),), ANN)
REMOTE = OpenRemotely(opening_id=OPENING, door_id=DOOR, device_id=DEVICE, door_no=1, judgement=YES)
ORDERED = DoorOpeningOrdered(
    opening_id=OPENING, door_id=DOOR, device_id=DEVICE, door_no=1, means="remote", person_id=ANN, rule="residence",
    reason="allowed_by_residence", facts=YES.facts)
CARD = JudgeCredential(
    opening_id=OPENING, door_id=DOOR, device_id=DEVICE, door_no=1, means="card", judgement=YES, live=True, verified=False,
    awaited=True, at=NOW)


def given(*events):
    return OPENINGS.fold(events)


def when(command, state=None):
    return OPENINGS.decide[type(command)](command, given() if state is None else state)


def kinds(events):
    return [type(e) for e in events]


def test_a_person_with_a_right_orders_an_opening_once():
    assert when(REMOTE) == [ORDERED]
    assert when(REMOTE, given(ORDERED)) == []


def test_a_person_without_a_right_is_refused_with_the_rule():
    with pytest.raises(Refused, match="no_right_for_this_door"):
        when(replace(REMOTE, judgement=NO))


def test_a_terminal_that_waits_gets_its_order():
    assert kinds(when(CARD)) == [CredentialJudged, DoorOpeningOrdered]


def test_a_terminal_that_waits_gets_no_order_for_a_stranger():
    assert kinds(when(replace(CARD, judgement=NO))) == [CredentialJudged]


def test_history_never_actuates():
    assert kinds(when(replace(CARD, live=False))) == [CredentialJudged]


def test_a_terminal_that_opened_by_itself_is_recorded_with_our_own_judgement():
    passed = when(replace(CARD, verified=True, awaited=False, judgement=NO))
    assert kinds(passed) == [CredentialJudged, DoorPassed]
    assert passed[1].entitled is False


def test_a_terminal_that_opened_by_itself_gets_no_order():
    assert kinds(when(replace(CARD, verified=True, awaited=False))) == [CredentialJudged, DoorPassed]


def test_a_face_says_nothing_about_entitlement():
    assert when(replace(CARD, means="face", verified=True, awaited=False))[1].entitled is None


def test_what_was_judged_is_not_judged_again():
    assert when(CARD, given(*when(CARD))) == []


def test_an_unknown_code_is_noticed_once():
    note = NoteAtDoor(door_id=DOOR, kind="unknown", code="5/179", live=True, at=NOW)
    noticed = [DoorNoticed(door_id=DOOR, kind="unknown", code="5/179", live=True, at=NOW)]
    assert when(note) == noticed
    assert when(note, given(*noticed)) == []


def test_an_order_ends_once_as_its_device_said():
    assert when(ConcludeOpening(OPENING), given(ORDERED)) == [DoorOpened(opening_id=OPENING, door_id=DOOR, person_id=ANN)]
    assert when(ConcludeOpening(OPENING, failed="unreachable"), given(ORDERED)) == [
        DoorOpeningFailed(opening_id=OPENING, door_id=DOOR, person_id=ANN, reason="unreachable")]
    assert when(ConcludeOpening(OPENING), given(ORDERED, *when(ConcludeOpening(OPENING), given(ORDERED)))) == []
    assert when(ConcludeOpening(OPENING)) == []


def test_a_late_answer_tells_what_nobody_knew() -> None:
    """As when the process that called the device died: its successor can only say unknown."""
    unclear = given(ORDERED, *when(ConcludeOpening(OPENING, failed="unknown"), given(ORDERED)))
    assert when(ConcludeOpening(OPENING, failed="unknown"), unclear) == []
    assert when(ConcludeOpening(OPENING), unclear) == [DoorOpened(opening_id=OPENING, door_id=DOOR, person_id=ANN)]
    failed = when(ConcludeOpening(OPENING, failed="refused"), unclear)
    assert failed == [DoorOpeningFailed(opening_id=OPENING, door_id=DOOR, person_id=ANN, reason="refused")]
    assert when(ConcludeOpening(OPENING), given(ORDERED, *failed)) == []
