"""An ID number and an organisation's code: recorded, doubted, confirmed, one for one."""

from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Decider, NotFound, NotYet, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.identity.domain.id_numbers import (
    ID_NUMBERS,
    ConfirmIdNumber,
    IdNumberConfirmed,
    IdNumberForgotten,
    IdNumberRecorded,
    IdNumberWithdrawn,
    RecordIdNumber,
    WithdrawIdNumber,
)
from services.identity.domain.organisations import (
    ORGANISATIONS,
    CorrectOrganisation,
    OrganisationCorrected,
    OrganisationRegistered,
    RegisterOrganisation,
)

ANN, STAFF, SHOP = UUID(int=1), UUID(int=2), UUID(int=3)
BOX = Sealed(UUID(int=4), UUID(int=5), "id-number", "box")
DOUBT = ("division_unknown",)
RECORD = RecordIdNumber(ANN, BOX, "index", DOUBT)
RECORDED = IdNumberRecorded(ANN, BOX, DOUBT)
OTHER = RecordIdNumber(ANN, Sealed(UUID(int=7), UUID(int=6), "id-number", "other"), "other")
OTHER_RECORDED = IdNumberRecorded(ANN, OTHER.number)
REGISTER = RegisterOrganisation(SHOP, "Noodles", "91350100M000100Y43")
REGISTERED = OrganisationRegistered(SHOP, "Noodles", "91350100M000100Y43")


def when(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))


def claimed(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Take | Release]:
    return [c for event in when(decider, command, *events) for c in decider.claims(command, event)]


def test_a_number_is_recorded_with_what_was_found() -> None:
    assert when(ID_NUMBERS, RECORD) == [RECORDED]
    assert claimed(ID_NUMBERS, RECORD) == [Release("id-number"), Take("id-number", "index", "id_number_taken")]


def test_another_number_takes_the_place_of_the_first() -> None:
    other = RecordIdNumber(ANN, Sealed(UUID(int=4), UUID(int=6), "id-number", "other"), "other")
    assert when(ID_NUMBERS, other, RECORDED) == [IdNumberRecorded(ANN, other.number)]
    state = reduce(ID_NUMBERS.evolve, (RECORDED, *when(ID_NUMBERS, other, RECORDED)), ID_NUMBERS.initial)
    assert state.number == other.number and state.findings == ()


def test_who_has_seen_the_card_settles_the_doubt_once() -> None:
    confirm, confirmed = ConfirmIdNumber(ANN, STAFF), IdNumberConfirmed(ANN, STAFF)
    assert when(ID_NUMBERS, confirm, RECORDED) == [confirmed]
    assert when(ID_NUMBERS, confirm, RECORDED, confirmed) == []
    assert claimed(ID_NUMBERS, confirm, RECORDED) == []
    with pytest.raises(NotFound):
        when(ID_NUMBERS, confirm)


def test_a_number_recorded_after_the_card_was_seen_is_in_doubt_again() -> None:
    confirm = ConfirmIdNumber(ANN, STAFF)
    assert when(ID_NUMBERS, confirm, RECORDED, IdNumberConfirmed(ANN, STAFF), RECORDED) == [IdNumberConfirmed(ANN, STAFF)]


def test_a_number_of_the_wrong_resident_is_withdrawn_whoever_has_confirmed_it_and_another_may_come() -> None:
    withdraw, withdrawn = WithdrawIdNumber(ANN, STAFF), IdNumberWithdrawn(ANN, STAFF)
    for events in ((RECORDED,), (RECORDED, IdNumberConfirmed(ANN, STAFF))):
        assert when(ID_NUMBERS, withdraw, *events) == [withdrawn]
    assert claimed(ID_NUMBERS, withdraw, RECORDED) == [Release("id-number")]
    assert when(ID_NUMBERS, withdraw) == when(ID_NUMBERS, withdraw, RECORDED, withdrawn) == []
    assert when(ID_NUMBERS, OTHER, RECORDED, withdrawn) == [OTHER_RECORDED]
    with pytest.raises(NotFound):
        when(ID_NUMBERS, ConfirmIdNumber(ANN, STAFF), RECORDED, withdrawn)
    with pytest.raises(Refused, match="resident_erased"):
        when(ID_NUMBERS, withdraw, RECORDED, IdNumberForgotten(ANN))


def test_the_key_of_a_number_that_was_withdrawn_is_to_be_destroyed_and_seals_no_other() -> None:
    withdrawn = IdNumberWithdrawn(ANN, STAFF)
    for before in ((RECORDED,), (RECORDED, IdNumberConfirmed(ANN, STAFF))):
        assert ID_NUMBERS.fold([*before, withdrawn]).withdrawn == {BOX.key_id}
        for since in ((), (OTHER_RECORDED,), (OTHER_RECORDED, IdNumberConfirmed(ANN, STAFF))):
            with pytest.raises(NotYet):
                when(ID_NUMBERS, RECORD, *before, withdrawn, *since)
    assert ID_NUMBERS.fold([RECORDED, withdrawn, OTHER_RECORDED, withdrawn]).withdrawn == {BOX.key_id, OTHER.number.key_id}
    assert ID_NUMBERS.fold([RECORDED, withdrawn, RECORDED]).withdrawn == set(), "as older logs have it: a number that is there is needed"


def test_an_organisation_is_registered_once() -> None:
    assert when(ORGANISATIONS, REGISTER) == [REGISTERED]
    assert claimed(ORGANISATIONS, REGISTER) == [Take("organisation-code", REGISTER.code, "organisation_code_taken")]
    assert when(ORGANISATIONS, REGISTER, REGISTERED) == []
    with pytest.raises(Refused, match="organisation_already_registered"):
        when(ORGANISATIONS, RegisterOrganisation(SHOP, "Dumplings", REGISTER.code), REGISTERED)


def test_a_correction_changes_what_it_names_and_takes_the_new_code() -> None:
    rename = CorrectOrganisation(SHOP, name="Dumplings")
    assert when(ORGANISATIONS, rename, REGISTERED) == [OrganisationCorrected(SHOP, "Dumplings", REGISTER.code)]
    recode = CorrectOrganisation(SHOP, code="91350211M0000XUF46", findings=("checksum",))
    assert when(ORGANISATIONS, recode, REGISTERED) == [
        OrganisationCorrected(SHOP, "Noodles", "91350211M0000XUF46", ("checksum",))]
    assert claimed(ORGANISATIONS, recode, REGISTERED) == [
        Release("organisation-code"), Take("organisation-code", "91350211M0000XUF46", "organisation_code_taken")]


def test_a_correction_without_anything_new_says_nothing() -> None:
    for nothing in (CorrectOrganisation(SHOP), CorrectOrganisation(SHOP, name="Noodles"), CorrectOrganisation(SHOP, code=REGISTER.code)):
        assert when(ORGANISATIONS, nothing, REGISTERED) == []
    with pytest.raises(NotFound):
        when(ORGANISATIONS, CorrectOrganisation(SHOP, name="x"))


def test_findings_of_a_code_stay_when_only_the_name_changes() -> None:
    doubtful = OrganisationRegistered(SHOP, "Noodles", "91350211M0000XUF46", ("checksum",))
    assert when(ORGANISATIONS, CorrectOrganisation(SHOP, name="Dumplings"), doubtful)[0].findings == ("checksum",)
