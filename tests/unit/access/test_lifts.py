from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access as public
from libs.eventkit.decider import Refused, Release, Take
from services.access.domain.admission import EVERYWHERE, Fact, KnownFloor, KnownRight, PresentedPass, Question, judge
from services.access.domain.lifts import HOME_FLOORS, LIFTS, HomeFloorSet, InstallLift, LiftFloor, LiftInstalled, SetHomeFloor
from services.access.publishing import publish
from tests.kit import recorded

LIFT, BUILDING, DEVICE, ANN, HOME = (UUID(int=n) for n in range(1, 6))
INSTALL = InstallLift(
    lift_id=LIFT, name="Lift", building_id=BUILDING, device_id=DEVICE, floors=(LiftFloor(2, 12), LiftFloor(1, 11)))
INSTALLED = LiftInstalled(
    lift_id=LIFT, name="Lift", building_id=BUILDING, device_id=DEVICE, floors=(LiftFloor(1, 11), LiftFloor(2, 12)))
HERE = KnownRight("building:a", "residence", UUID(int=7))
RIDE = Question(
    zone="building:a", door_because=LIFT, means="remote", now=datetime(2026, 3, 1, 8, tzinfo=UTC), person_id=ANN, rights=(HERE,),
    floor=7, floors=(KnownFloor(7, HOME),))


def when(decider, command, *events):
    return decider.decide[type(command)](command, decider.fold(events))


def test_a_lift_is_installed_and_saying_it_again_changes_nothing():
    assert when(LIFTS, INSTALL) == [INSTALLED]
    assert when(LIFTS, INSTALL, INSTALLED) == []


@pytest.mark.parametrize(("floors", "code"), [
    ([(56, 1)], "floor_out_of_range"), ([(-9, 1)], "floor_out_of_range"), ([(1, 0)], "door_number_out_of_range"),
    ([(1, 257)], "door_number_out_of_range"),
    ([(1, 1), (1, 2)], "floor_named_twice"), ([(1, 1), (2, 1)], "floor_named_twice")])
def test_a_lift_that_cannot_be_is_refused(floors, code):
    with pytest.raises(Refused, match=code):
        when(LIFTS, replace(INSTALL, floors=tuple(LiftFloor(*f) for f in floors)))


def test_each_of_its_relays_is_the_lifts_alone():
    assert list(LIFTS.claims(INSTALL, INSTALLED)) == [
        Release("relay"), *(Take("relay", f"{DEVICE}/{n}", "relay_already_in_use") for n in (11, 12))]


def test_a_home_has_one_floor():
    assert when(HOME_FLOORS, SetHomeFloor(HOME, 7)) == [HomeFloorSet(HOME, 7)]
    assert when(HOME_FLOORS, SetHomeFloor(HOME, 7), HomeFloorSet(HOME, 7)) == []
    for floor in (-9, 56):
        with pytest.raises(Refused, match="floor_out_of_range"):
            when(HOME_FLOORS, SetHomeFloor(HOME, floor))
    for floor in (-8, 55):
        assert when(HOME_FLOORS, SetHomeFloor(HOME, floor)) == [HomeFloorSet(HOME, floor)]


def test_a_lift_takes_a_resident_home_and_to_the_ground():
    home = judge(RIDE)
    assert (home.allowed, home.facts[-1]) == (True, Fact(HOME, "floor"))
    assert judge(replace(RIDE, floor=1)).allowed
    other = judge(replace(RIDE, floor=8))
    assert (other.allowed, other.rule, other.reason) == (False, "floor", "floor_not_permitted")


def test_on_duty_every_floor_and_without_a_right_none():
    duty = KnownRight(EVERYWHERE, "duty", UUID(int=8))
    assert judge(replace(RIDE, floor=8, rights=(HERE, duty))).rule == "duty"
    for floor in (1, 7):
        assert judge(replace(RIDE, floor=floor, rights=())).reason == "no_right_for_this_door"


def test_a_visitor_is_let_in_as_the_pass_said():
    used = PresentedPass("", (Fact(HOME, "use"),))
    told = judge(replace(RIDE, means="qr", person_id=None, rights=(), visitor=used))
    assert (told.allowed, told.rule, told.reason, told.person_id) == (True, "visitor_pass", "allowed_by_visitor_pass", None)
    told = judge(replace(RIDE, means="qr", person_id=None, visitor=PresentedPass("pass_spent")))
    assert (told.allowed, told.reason) == (False, "pass_spent")


def test_others_hear_of_a_lift_and_its_relays_but_not_of_the_floors_of_homes():
    told = publish(INSTALLED, recorded(INSTALLED, stream=f"lift:{LIFT}"))
    assert [(p.body, p.subject) for p in told] == [(public.LiftInstalled(
        LIFT, BUILDING, "Lift", DEVICE, (public.LiftFloor(1, 11), public.LiftFloor(2, 12))), "")], "the subject is its stream"
    floor = HomeFloorSet(BUILDING, 3)
    assert publish(floor, recorded(floor)) == ()
