"""A resident is erased: by whose wish, what is refused from then on, and what gives up its claim."""

from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import NotFound, Refused, Release
from libs.eventkit.sealed import Sealed
from services.identity.domain.id_numbers import (
    ID_NUMBER,
    ID_NUMBERS,
    ConfirmIdNumber,
    ForgetIdNumber,
    IdNumberForgotten,
    IdNumberRecorded,
    RecordIdNumber,
)
from services.identity.domain.residents import (
    RESIDENTS,
    CorrectContact,
    DiscloseContact,
    EraseResident,
    RegisterResident,
    ResidentErased,
    ResidentRegistered,
)
from services.identity.domain.vehicles import KeeperConfirmed, KeeperEnded, VehicleRegistered, VehicleRemoved
from services.identity.keepers import Keepers
from services.identity.main import SERVICE
from services.identity.views import residents as view
from tests.kit import folded, recorded

ANN, BEN, HERE, HOME, CAR = (UUID(int=n) for n in range(1, 6))
BOX = Sealed(UUID(int=9), UUID(int=10), "name", "box")
REGISTERED = ResidentRegistered(ANN, BOX, BOX, ("landline",))
ERASED = ResidentErased(ANN, ANN, "own_wish")
NUMBER = IdNumberRecorded(ANN, BOX, ("division_unknown",))
GONE = IdNumberForgotten(ANN)


def when(decider: Any, command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("by", "reason"), [
    (ANN, "own_wish"), (BEN, "on_request"), (BEN, "retention"), (UUID(int=0), "restored")])
def test_a_resident_is_erased(by: UUID, reason: Any):
    assert when(RESIDENTS, EraseResident(ANN, by, reason), REGISTERED) == [ResidentErased(ANN, by, reason)]


@pytest.mark.parametrize(("by", "reason"), [(BEN, "own_wish"), (ANN, "on_request"), (ANN, "retention")])
def test_nobody_else_has_a_wish_of_their_own(by: UUID, reason: Any):
    with pytest.raises(Refused) as refused:
        when(RESIDENTS, EraseResident(ANN, by, reason), REGISTERED)
    assert refused.value.code == "not_their_own_wish"


def test_erased_already_says_nothing_new():
    assert when(RESIDENTS, EraseResident(ANN, BEN, "on_request"), REGISTERED, ERASED) == []


def test_nobody_unknown_is_erased():
    with pytest.raises(NotFound):
        when(RESIDENTS, EraseResident(ANN, ANN, "own_wish"))


@pytest.mark.parametrize("command", [
    RegisterResident(ANN, BOX), CorrectContact(ANN, BOX), CorrectContact(ANN), DiscloseContact(ANN, BEN, "a purpose"),
    DiscloseContact(ANN, BEN, "")], ids=lambda c: type(c).__name__)
def test_an_erased_resident_is_given_nothing_and_shown_to_nobody(command: Any):
    with pytest.raises(Refused) as refused:
        when(RESIDENTS, command, REGISTERED, ERASED)
    assert refused.value.code == "resident_erased"


# the ID number


def test_an_id_number_is_forgotten_and_its_claim_released():
    assert when(ID_NUMBERS, ForgetIdNumber(ANN), NUMBER) == [GONE]
    assert list(ID_NUMBERS.claims(ForgetIdNumber(ANN), GONE)) == [Release(ID_NUMBER)]


def test_none_that_is_on_its_way_comes_after_and_it_is_forgotten_once():
    assert when(ID_NUMBERS, ForgetIdNumber(ANN)) == [GONE]
    assert when(ID_NUMBERS, ForgetIdNumber(ANN), NUMBER, GONE) == []
    for command in (RecordIdNumber(ANN, BOX, "index"), ConfirmIdNumber(ANN, BEN)):
        with pytest.raises(Refused) as refused:
            when(ID_NUMBERS, command, NUMBER, GONE)
        assert refused.value.code == "resident_erased"


# which vehicles are theirs


def keepers(*events: Any) -> Keepers:
    found = Keepers()
    for event in events:
        found.memory.apply(event, recorded(event, HERE))
    return found


def car(kind: Any, keeper: UUID | None) -> Any:
    return kind(CAR, HOME, keeper, BOX, "small")


def test_their_vehicles_are_those_that_they_kept_last_also_when_they_are_gone():
    assert keepers(car(VehicleRegistered, ANN)).last_kept(HERE, ANN) == [CAR]
    assert keepers(car(VehicleRegistered, ANN), VehicleRemoved(CAR, HOME)).last_kept(HERE, ANN) == [CAR]
    assert keepers(car(VehicleRegistered, ANN), VehicleRemoved(CAR, HOME)).vehicles_of((HERE, HOME, ANN)) == []


def test_a_vehicle_that_another_keeps_or_nobody_in_particular_is_not_theirs():
    other = keepers(car(VehicleRegistered, ANN), car(KeeperConfirmed, BEN))
    assert (other.last_kept(HERE, ANN), other.last_kept(HERE, BEN)) == ([], [CAR])
    assert keepers(car(VehicleRegistered, ANN), car(KeeperEnded, None)).last_kept(HERE, ANN) == []
    assert other.last_kept(UUID(int=99), BEN) == [], "another community's"


# what staff see


def test_the_view_keeps_the_row_without_findings_and_folds_the_same_twice():
    log = [recorded(e, HERE, position=n, stream=f"resident:{ANN}", version=n) for n, e in enumerate(
        (REGISTERED, NUMBER, ERASED, GONE), 1)]
    once = folded(view.VIEW, SERVICE.catalogue(), log)
    assert once == folded(view.VIEW, SERVICE.catalogue(), log)
    [row] = once[HERE]
    assert (row["phone_findings"], row["findings"], row["version"]) == ([], [], 3)
