"""Which alarms, notices and broadcasts reach a resident: never a silent one, never a neighbour's home."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access, alarm, neighbors
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import heard_from
from libs.eventkit.auth import Principal
from libs.eventkit.recorded import tag_of
from services.gateway.api.explanation import is_own
from services.gateway.audience import cloud_event, may_see, moves, shown_to, viewer
from services.gateway.explaining import Known
from services.gateway.reach import HIDDEN, Viewer, learned, reaches, then, without
from services.gateway.tail import Seen
from tests.unit.gateway.fire import (
    ACKNOWLEDGED,
    BEGUN,
    BROADCAST,
    CIRCLE,
    CLEAR,
    DISPATCHED,
    DURESS,
    ENDED,
    GUARD,
    INCIDENT,
    NAME,
    NOTICE,
    PLACE,
    QUIET,
    RAISED,
    RESOLVED,
    SENT,
    STAFF,
    THREATENED,
    VERIFIED,
    at,
    story,
)
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, GATE, HOME, heard

OTHER_HOME, OTHER_BUILDING = UUID(int=0x990), UUID(int=0x991)
ATHOME = Viewer(COMMUNITY, ANN, False, frozenset({GATE}), frozenset({HOME}), frozenset({BUILDING}), frozenset({CIRCLE}))
NEXT_DOOR = replace(ATHOME, person_id=BEN, homes=frozenset({OTHER_HOME}))
ELSEWHERE = replace(NEXT_DOOR, buildings=frozenset({OTHER_BUILDING}), circles=frozenset(), doors=frozenset())
STAFF_VIEW = viewer(Principal(STAFF, "staff", frozenset({COMMUNITY}), permissions_of("staff")), COMMUNITY)
POSTED = neighbors.NoticePosted(NOTICE, CIRCLE, BUILDING, "outage", "Water", "No water", STAFF, 20)
WITHDRAWN = neighbors.NoticeWithdrawn(NOTICE, STAFF)
TOLD = neighbors.ResidentTold(BROADCAST, ANN, "push")


def sees(who: Viewer, event: Any) -> bool:
    return may_see(learned(who, *heard(event)), *heard(event))


@pytest.mark.parametrize(("event", "who", "seen"), [
    (RAISED, ATHOME, True), (RAISED, NEXT_DOOR, False), (RAISED, ELSEWHERE, False),
    (ACKNOWLEDGED, NEXT_DOOR, False),
    (VERIFIED, NEXT_DOOR, True), (VERIFIED, ELSEWHERE, False),
    (replace(VERIFIED, kind="gas"), NEXT_DOOR, True),
    (replace(VERIFIED, kind="burglary"), NEXT_DOOR, False), (replace(VERIFIED, kind="burglary"), ATHOME, True),
    (DISPATCHED, NEXT_DOOR, False), (DISPATCHED, replace(NEXT_DOOR, told=frozenset({INCIDENT})), True),
    (replace(RAISED, raised_by=BEN), NEXT_DOOR, True),
    (BEGUN, NEXT_DOOR, True), (ENDED, NEXT_DOOR, True), (BEGUN, ELSEWHERE, False),
    (SENT, NEXT_DOOR, True), (SENT, ELSEWHERE, False), (CLEAR, NEXT_DOOR, True), (CLEAR, ELSEWHERE, False),
    (CLEAR, replace(ELSEWHERE, told=frozenset({BROADCAST})), True),
    (POSTED, ATHOME, True), (POSTED, ELSEWHERE, False),
    (WITHDRAWN, ATHOME, False), (WITHDRAWN, replace(ATHOME, told=frozenset({NOTICE})), True),
    (TOLD, ATHOME, True), (TOLD, NEXT_DOOR, False),
    (neighbors.ResidentNotTold(BROADCAST, ANN, "sms", "no_channel"), NEXT_DOOR, False),
    (neighbors.NoticeRead(NOTICE, ANN), NEXT_DOOR, False), (neighbors.NoticeRead(NOTICE, ANN), ATHOME, True),
    (neighbors.CircleJoined(CIRCLE, BUILDING, ANN), ATHOME, True), (neighbors.CircleJoined(CIRCLE, BUILDING, ANN), NEXT_DOOR, False),
    (alarm.PanelInstalled(GATE, GATE, "p"), ATHOME, False), (alarm.SensorInstalled(GATE, GATE, 1, 1, "fire", PLACE), ATHOME, False),
], ids=lambda value: type(value).__name__)
def test_what_reaches_a_resident(event: Any, who: Viewer, seen: bool) -> None:
    assert sees(who, event) is seen


SILENT = [DURESS, *(
    kind(**QUIET | {"incident_id": DURESS.incident_id}, **more) for kind, more in (
        (alarm.IncidentRepeated, {"count": 2, "live": True}), (alarm.IncidentRestored, {}),
        (alarm.IncidentAcknowledged, {"by": GUARD, "verify_by": DURESS.acknowledge_by}),
        (alarm.IncidentVerified, {"by": GUARD, "how": "camera", "dispatch_by": DURESS.acknowledge_by}),
        (alarm.IncidentFoundFalse, {"by": GUARD, "cause": "misuse"}),
        (alarm.IncidentDispatched, {"by": GUARD, "to": "police", "assignee": None, "resolve_by": DURESS.acknowledge_by}),
        (alarm.IncidentResolved, {"by": GUARD, "how": "helped"}),
        (alarm.IncidentEscalated, {
            "level": 1, "waiting_for": "dispatch", "due": DURESS.acknowledge_by, "told": ("police",), "next_by": None})))]


@pytest.mark.parametrize("event", [*SILENT, THREATENED], ids=lambda event: type(event).__name__)
def test_nothing_silent_reaches_any_resident_not_even_whom_it_is_about(event: Any) -> None:
    everything = replace(ATHOME, told=frozenset({DURESS.incident_id}), homes=frozenset({HOME}))
    variants = [event]
    if not isinstance(event, access.DuressSignalled):
        variants += [at(event, home_id=HOME), replace(at(event, home_id=HOME), kind="fire")]
    for one in variants:
        assert not sees(everything, one) and learned(everything, *heard(one)) == everything
        assert may_see(STAFF_VIEW, *heard(one)), "guards have to see it"


def test_every_silent_kind_is_tried_above() -> None:
    silent = {tag_of(kind) for kind in heard_from("alarm") if "silent" in kind.__struct_fields__}
    assert silent == {tag_of(type(event)) for event in SILENT}


def test_once_a_fire_is_verified_the_building_hears_the_rest_of_it() -> None:
    who = NEXT_DOOR
    seen = []
    for event in (RAISED, ACKNOWLEDGED, VERIFIED, DISPATCHED, RESOLVED):
        who = learned(who, *heard(event))
        seen.append(may_see(who, *heard(event)))
    assert seen == [False, False, True, True, True]


def test_what_a_resident_raised_they_hear_to_its_end() -> None:
    mine = replace(at(RAISED, home_id=None), raised_by=BEN, kind="sos")
    who = learned(NEXT_DOOR, *heard(mine))
    assert reaches(who, at(RESOLVED, home_id=None)) and not reaches(NEXT_DOOR, at(RESOLVED, home_id=None))


def test_what_was_at_a_home_before_them_does_not_reach_who_lives_there_now() -> None:
    event, row = heard(at(replace(RAISED, kind="medical", raised_by=BEN), building_id=None))
    said = row.meta.source_time
    assert said is not None
    before, after = (replace(ATHOME, since={HOME: said + timedelta(seconds=n)}) for n in (0, 1))
    assert may_see(before, event, row) and not may_see(after, event, row)
    assert INCIDENT in learned(before, event, row).told and learned(after, event, row) == after
    fire = heard(VERIFIED)
    assert may_see(after, *fire), "a fire of the house"
    assert shown_to(then(before, fire[1]), VERIFIED) and not shown_to(then(after, fire[1]), VERIFIED), "and no more of it than others read"


def test_of_a_neighbours_home_only_building_unit_and_floor_are_told() -> None:
    shown = cloud_event(*heard(VERIFIED), shown_to(NEXT_DOOR, VERIFIED))["data"]
    assert shown["place"] == {"building_id": str(BUILDING), "unit": 1, "floor": 7, "home_id": None, "name": ""}
    mine = cloud_event(*heard(VERIFIED), shown_to(ATHOME, VERIFIED))["data"]
    assert mine["place"]["home_id"] == str(HOME) and mine["place"]["name"] == "kitchen"
    whole = cloud_event(*heard(VERIFIED), shown_to(STAFF_VIEW, VERIFIED))["data"]
    assert whole["by"] == str(GUARD)


@pytest.mark.parametrize("event", [event for event, _ in story()], ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("who", [ATHOME, NEXT_DOOR])
def test_nobody_who_acted_and_nothing_about_others_is_in_a_residents_frame(event: Any, who: Viewer) -> None:
    frame = Seen(heard(event)[1], event).frame(shown_to(who, event)).decode()
    if reaches(who, event):
        assert str(GUARD) not in frame and str(STAFF) not in frame
        assert who is ATHOME or (str(HOME) not in frame and "kitchen" not in frame)
    assert set(HIDDEN) >= {"by", "assignee", "facts"}


def test_an_alarm_raised_by_somebody_else_does_not_say_by_whom() -> None:
    raised = at(replace(RAISED, raised_by=STAFF), home_id=OTHER_HOME)
    assert without(raised, False).raised_by is None and without(raised, True).raised_by == STAFF
    assert without(raised, False).source_id != raised.source_id


@pytest.mark.parametrize("event", [
    access.CredentialJudged(GATE, "pin", True, "residence", "allowed_by_residence", (access.Fact(NOTICE, "credential"),), ANN, True),
    access.DoorPassed(GATE, "pin", ANN, True, True, DURESS.acknowledge_by),
    access.DoorOpeningOrdered(NOTICE, GATE, GATE, 1, "pin", ANN, "residence", "x", (access.Fact(NOTICE, "credential"),))],
    ids=lambda event: type(event).__name__)
def test_by_which_pin_a_door_opened_is_in_no_frame_of_its_resident(event: Any) -> None:
    pin = UUID(int=0x7777)
    event = replace(event, facts=(access.Fact(pin, "credential"),)) if hasattr(event, "facts") else event
    seen = Seen(heard(event, caused_by=[pin])[1], event)
    assert str(pin) not in seen.frame(shown_to(ATHOME, event)).decode() and str(pin) in seen.frame(shown_to(STAFF_VIEW, event)).decode()
    card = replace(event, means="card")
    assert str(pin) in Seen(heard(card, caused_by=[pin])[1], card).frame(shown_to(ATHOME, card)).decode()


@pytest.mark.parametrize("event", [access.CredentialIssued(NOTICE, ANN, "pin"), access.CredentialRevoked(NOTICE, ANN, "pin", "erased")],
                         ids=lambda event: type(event).__name__)
def test_that_somebody_holds_a_pin_is_told_to_no_resident_for_there_may_be_a_second_one(event: Any) -> None:
    assert not sees(ATHOME, event) and sees(STAFF_VIEW, event)
    assert sees(ATHOME, replace(event, kind="card")) and not sees(NEXT_DOOR, replace(event, kind="card"))


async def test_no_resident_has_the_word_that_they_hold_a_pin_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    async def seen_by(*asked: Any) -> Viewer:
        return ATHOME

    monkeypatch.setattr("services.gateway.api.explanation.seen_by", seen_by)
    ann: Any = Principal(ANN, "resident", frozenset({COMMUNITY}), permissions_of("resident"))
    for kind, own in (("pin", False), ("card", True)):
        event, row = heard(access.CredentialIssued(NOTICE, ANN, kind))  # type: ignore[arg-type]
        assert await is_own(None, ann, Known(row, event)) is own  # type: ignore[arg-type]


def test_frames_of_one_event_are_not_mixed_up() -> None:
    seen = Seen(heard(VERIFIED)[1], VERIFIED)
    whole, home, building = seen.frame(None), seen.frame(True), seen.frame(False)
    assert len({whole, home, building}) == 3 and seen.frame() == whole and str(GUARD).encode() in whole


@pytest.mark.parametrize("event", [
    POSTED, SENT, RAISED, neighbors.DisplayNameChosen(ANN, NAME), neighbors.CircleJoined(CIRCLE, BUILDING, ANN)],
    ids=lambda event: type(event).__name__)
def test_staff_see_alarms_and_neighbours_without_what_is_sealed(event: Any) -> None:
    assert may_see(STAFF_VIEW, *heard(event)) and shown_to(STAFF_VIEW, event) is None
    assert "secret-box" not in str(cloud_event(*heard(event)))


def test_who_moves_or_joins_sees_other_things_from_then_on() -> None:
    joined, other = neighbors.CircleJoined(CIRCLE, BUILDING, ANN), neighbors.CircleLeft(CIRCLE, BUILDING, BEN)
    assert moves(ATHOME, joined) and not moves(ATHOME, other) and not moves(STAFF_VIEW, joined)
