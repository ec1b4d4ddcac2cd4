"""Vehicles: declared, disputed, verified, kept, corrected, removed; and how often one may try."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.privacy import Erased, Pending, masked
from libs.eventkit.problems import Problem
from libs.eventkit.sealed import Sealed
from services.identity.domain.declarations import DECLARATIONS, CountDeclaration, DeclarationCounted
from services.identity.domain.vehicles import (
    TWICE,
    VEHICLES,
    ConfirmKeeper,
    ContestPlate,
    CorrectPlate,
    DisclosePlate,
    EndKeeper,
    KeeperConfirmed,
    KeeperEnded,
    PlateContested,
    PlateCorrected,
    PlateDisclosed,
    Registered,
    RegisterVehicle,
    RemoveVehicle,
    VehicleRegistered,
    VehicleRemoved,
    VehicleVerified,
    VerifyBinding,
)
from services.identity.plates import plate_of

CAR, HOME, ANN, BEN, STAFF = (UUID(int=n) for n in range(1, 6))
BOX, OTHER = (Sealed(UUID(int=6), UUID(int=n), "plate", "box") for n in (7, 8))
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
REGISTER = RegisterVehicle(CAR, HOME, ANN, True, BOX, "index", "small", known_here=False, taken=False)
REGISTERED = VehicleRegistered(CAR, HOME, ANN, BOX, "small")
DISPUTED = structs.replace(REGISTERED, findings=(TWICE,))
VERIFY = VerifyBinding(CAR, "driving_licence", STAFF, BOX, "index")
VERIFIED = VehicleVerified(CAR, "driving_licence", STAFF)
REMOVED = VehicleRemoved(CAR, HOME)
TAKEN = [Release("plate"), Take("plate", "index", "plate_taken")]


def when(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))


def claimed(command: Any, *events: Any) -> list[Take | Release]:
    return [c for event in when(VEHICLES, command, *events) for c in VEHICLES.claims(command, event)]


def refused(code: str, command: Any, *events: Any) -> None:
    with pytest.raises(Refused, match=f"^{code}$"):
        when(VEHICLES, command, *events)


# declared


def test_a_declared_vehicle_takes_its_plate():
    assert when(VEHICLES, REGISTER) == [REGISTERED]
    assert claimed(REGISTER) == TAKEN
    assert when(VEHICLES, structs.replace(REGISTER, keeper_id=None, lives_there=False)) == [
        structs.replace(REGISTERED, keeper_id=None)]


def test_a_plate_of_another_household_is_taken_too_and_shown_to_staff_and_holds_nothing():
    disputed = structs.replace(REGISTER, taken=True)
    assert when(VEHICLES, disputed) == [DISPUTED]
    assert claimed(disputed) == [Release("plate")]


def test_a_vehicle_is_not_declared_for_who_lives_elsewhere_nor_twice_in_a_household_nor_as_another():
    refused("keeper_lives_elsewhere", structs.replace(REGISTER, lives_there=False))
    refused("plate_already_declared", structs.replace(REGISTER, known_here=True, taken=True))
    refused("vehicle_already_registered", structs.replace(REGISTER, vehicle_class="large"), REGISTERED)
    refused("vehicle_already_registered", REGISTER, REGISTERED, REMOVED)


def test_a_vehicle_is_declared_once_for_its_plate_is_sealed_and_may_be_another():
    refused("vehicle_already_registered", REGISTER, REGISTERED)


# verified


def test_papers_settle_a_dispute_and_take_the_plate():
    assert when(VEHICLES, VERIFY, DISPUTED) == [VERIFIED]
    assert claimed(VERIFY, DISPUTED) == TAKEN
    state = VEHICLES.fold([DISPUTED, VERIFIED])
    assert isinstance(state, Registered) and (state.how, state.findings) == ("driving_licence", ())


def test_papers_are_of_the_plate_that_was_looked_at():
    refused("plate_changed", structs.replace(VERIFY, plate=OTHER), REGISTERED)
    refused("vehicle_removed", VERIFY, REGISTERED, REMOVED)
    with pytest.raises(NotFound):
        when(VEHICLES, VERIFY)


def test_papers_are_seen_once():
    assert when(VEHICLES, structs.replace(VERIFY, how="registration_certificate"), REGISTERED, VERIFIED) == []


def test_what_was_only_said_gives_way_to_papers():
    assert when(VEHICLES, ContestPlate(CAR), REGISTERED) == [PlateContested(CAR)]
    assert claimed(ContestPlate(CAR), REGISTERED) == [Release("plate")]
    state = VEHICLES.fold([REGISTERED, PlateContested(CAR)])
    assert isinstance(state, Registered) and state.findings == (TWICE,)


def test_papers_do_not_give_way_to_papers():
    refused("plate_verified_elsewhere", ContestPlate(CAR), REGISTERED, VERIFIED)
    with pytest.raises(NotFound):
        when(VEHICLES, ContestPlate(CAR))


def test_what_holds_no_plate_gives_none_up():
    for events in ([DISPUTED], [REGISTERED, PlateContested(CAR)], [REGISTERED, REMOVED]):
        assert when(VEHICLES, ContestPlate(CAR), *events) == []


# kept


def test_a_keeper_is_one_of_the_home_and_changes_nothing_else():
    kept = KeeperConfirmed(CAR, HOME, BEN, BOX, "small", "driving_licence")
    assert when(VEHICLES, ConfirmKeeper(CAR, BEN, True), REGISTERED, VERIFIED) == [kept]
    assert claimed(ConfirmKeeper(CAR, BEN, True), REGISTERED) == []


def test_a_keeper_does_not_live_elsewhere():
    refused("keeper_lives_elsewhere", ConfirmKeeper(CAR, BEN, False), REGISTERED)
    refused("vehicle_removed", ConfirmKeeper(CAR, BEN, True), REGISTERED, REMOVED)


def test_the_keeper_that_it_has_is_nothing_new():
    assert when(VEHICLES, ConfirmKeeper(CAR, ANN, False), REGISTERED) == []


def test_keeping_ends_once():
    ended = KeeperEnded(CAR, HOME, None, BOX, "small")
    assert when(VEHICLES, EndKeeper(CAR), REGISTERED) == [ended]
    assert when(VEHICLES, EndKeeper(CAR), REGISTERED, ended) == []
    refused("vehicle_removed", EndKeeper(CAR), REGISTERED, REMOVED)


# corrected, shown, removed


def test_a_corrected_plate_is_open_again_and_takes_the_new_one():
    correct = CorrectPlate(CAR, OTHER, "other", taken=False)
    assert when(VEHICLES, correct, REGISTERED, VERIFIED) == [PlateCorrected(CAR, HOME, ANN, OTHER, "small")]
    assert claimed(correct, REGISTERED) == [Release("plate"), Take("plate", "other", "plate_taken")]
    disputed = structs.replace(correct, taken=True)
    assert when(VEHICLES, disputed, REGISTERED) == [PlateCorrected(CAR, HOME, ANN, OTHER, "small", findings=(TWICE,))]
    assert claimed(disputed, REGISTERED) == [Release("plate")]


def test_there_has_to_be_a_vehicle_to_correct():
    refused("vehicle_removed", CorrectPlate(CAR, OTHER, "other", False), REGISTERED, REMOVED)
    with pytest.raises(NotFound):
        when(VEHICLES, CorrectPlate(CAR, OTHER, "other", False))


def test_the_same_plate_is_no_correction():
    assert when(VEHICLES, CorrectPlate(CAR, None, "index", False), REGISTERED, VERIFIED) == []


def test_every_look_at_a_plate_is_recorded_and_says_why():
    look = DisclosePlate(CAR, STAFF, "scratched door")
    assert when(VEHICLES, look, REGISTERED, PlateDisclosed(CAR, STAFF, "scratched door", ANN)) == [
        PlateDisclosed(CAR, STAFF, "scratched door", ANN)]
    refused("purpose_missing", DisclosePlate(CAR, STAFF, "x"), REGISTERED)
    with pytest.raises(NotFound):
        when(VEHICLES, look)


def test_a_removed_vehicle_gives_up_its_plate_once():
    assert when(VEHICLES, RemoveVehicle(CAR), REGISTERED) == [REMOVED]
    assert claimed(RemoveVehicle(CAR), REGISTERED) == [Release("plate")]
    assert when(VEHICLES, RemoveVehicle(CAR), REGISTERED, REMOVED) == []
    with pytest.raises(NotFound):
        when(VEHICLES, RemoveVehicle(CAR))


def test_with_its_keeper_gone_a_vehicle_is_removed_and_no_other_is():
    gone = structs.replace(RemoveVehicle(CAR), moved_out=ANN)
    assert when(VEHICLES, gone, REGISTERED) == when(VEHICLES, gone, REGISTERED, VERIFIED) == [REMOVED]
    assert claimed(gone, REGISTERED) == [Release("plate")]
    assert when(VEHICLES, gone, REGISTERED, REMOVED) == []
    kept_by_ben = KeeperConfirmed(CAR, HOME, BEN, BOX, "small")
    nobodys = KeeperEnded(CAR, HOME, None, BOX, "small")
    assert when(VEHICLES, gone, REGISTERED, kept_by_ben) == when(VEHICLES, gone, REGISTERED, nobodys) == []


# how often


def test_a_declaration_is_counted():
    assert when(DECLARATIONS, CountDeclaration(NOW)) == [DeclarationCounted(NOW)]


def test_the_eleventh_declaration_of_a_day_is_refused_and_told_when():
    counted = [DeclarationCounted(NOW + n * timedelta(hours=1)) for n in range(10)]
    with pytest.raises(Refused, match="too_many_declarations") as error:
        when(DECLARATIONS, CountDeclaration(NOW + timedelta(hours=20)), *counted)
    assert error.value.facts == {"retry_after_seconds": 4 * 3600 + 1}
    assert when(DECLARATIONS, CountDeclaration(NOW + DAY), *counted) == [DeclarationCounted(NOW + DAY)]


# the text of a plate


@pytest.mark.parametrize(("typed", "stored"), [("沪a8k6p2", "沪A8K6P2"), (" 沪Ａ８Ｋ６Ｐ２ ", "沪A8K6P2"), ("AB", "AB"),
    ("蓝牌 滬A·8K6P2", "沪A8K6P2")])
def test_a_plate_is_stored_in_one_form(typed: str, stored: str):
    assert plate_of(typed) == stored


@pytest.mark.parametrize(("typed", "reason"), [
    ("", "no_plate"), ("无牌", "no_plate"), (" 沪 ", "pattern"), ("A" * 11, "pattern"), ("沪A8K6P?", "pattern"),
    ("沪A8K6PI", "letter_never_issued")])
def test_what_is_no_plate_is_refused_with_the_reason(typed: str, reason: str):
    with pytest.raises(Problem, match="plate_invalid") as error:
        plate_of(typed)
    assert (error.value.status, error.value.facts) == (422, {"reason": reason})


def test_a_list_shows_where_a_plate_is_from_and_how_it_ends():
    shown = [masked(text.encode(), "plate") for text in ("沪A8K6P2", "沪AD56789", "AB1234")]
    assert shown == ["沪A***P2", "沪A****89", "******"]
    assert masked(Erased(), "plate") == Erased() and masked(Pending(), "plate") == Pending()
