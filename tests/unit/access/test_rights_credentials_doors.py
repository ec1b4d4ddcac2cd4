from uuid import UUID

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from libs.contracts import access as public
from libs.eventkit.decider import Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.access.api.doors import ChangedDoor, NewDoor
from services.access.domain.credentials import (
    CREDENTIALS,
    CredentialIssued,
    CredentialRevoked,
    IssueCredential,
    RevokeCredential,
    normalised,
)
from services.access.domain.doors import DOORS, DoorInstalled, InstallDoor
from services.access.domain.rights import RIGHTS, GrantRight, RevokeRight, RightGranted, RightRevoked, right_id_of
from services.access.publishing import publish
from tests.kit import recorded

A, B, C = (UUID(int=n) for n in range(1, 4))
BOX = Sealed(key_id=A, event_id=B, slot="number", box="x")


def decide(decider, command, *events):
    return decider.decide[type(command)](command, decider.fold(events))


GRANT = GrantRight(right_id=A, person_id=B, zone="community", rule="residence")
GRANTED = RightGranted(right_id=A, person_id=B, zone="community", rule="residence")
REVOKED = RightRevoked(right_id=A, person_id=B, zone="community", rule="residence")


def test_a_right_is_granted_once_and_never_again_after_its_end():
    assert decide(RIGHTS, GRANT) == [GRANTED]
    assert decide(RIGHTS, GRANT, GRANTED) == []
    assert decide(RIGHTS, GRANT, GRANTED, REVOKED) == []


def test_a_right_ends_once():
    assert decide(RIGHTS, RevokeRight(A), GRANTED) == [REVOKED]
    assert decide(RIGHTS, RevokeRight(A), GRANTED, REVOKED) == []
    assert decide(RIGHTS, RevokeRight(A)) == []


def test_one_right_per_reason_and_zone():
    assert right_id_of(A, "community") == right_id_of(A, "community") != right_id_of(A, f"building:{B}")


ISSUE = IssueCredential(credential_id=A, person_id=B, kind="card", number=BOX, index="blind")
ISSUED = CredentialIssued(credential_id=A, person_id=B, kind="card", number=BOX)


def test_a_card_is_issued_once_and_its_number_is_claimed_by_its_blind_index_alone():
    assert decide(CREDENTIALS, ISSUE) == [ISSUED]
    assert list(CREDENTIALS.claims(ISSUE, ISSUED)) == [Take("card", "blind", "card_already_in_use")]
    assert "blind" not in repr(ISSUED)
    assert decide(CREDENTIALS, ISSUE, ISSUED) == []


def test_a_card_of_another_person_is_refused():
    with pytest.raises(Refused, match="credential_of_another_person"):
        decide(CREDENTIALS, replace(ISSUE, person_id=C), ISSUED)


def test_a_revoked_card_gives_its_number_free_and_stays_revoked():
    revoked = CredentialRevoked(credential_id=A, person_id=B, kind="card")
    assert decide(CREDENTIALS, RevokeCredential(A), ISSUED) == [revoked]
    assert list(CREDENTIALS.claims(RevokeCredential(A), revoked)) == [Release("card")]
    assert decide(CREDENTIALS, RevokeCredential(A), ISSUED, revoked) == []
    with pytest.raises(Refused, match="credential_revoked"):
        decide(CREDENTIALS, ISSUE, ISSUED, revoked)


@pytest.mark.parametrize(("kind", "raw", "stored"), [("card", "0000001a", "1A"), ("card", " 77 ", "77"), ("pin", "012345", "012345"),
    ("card", "1" * 20, "1" * 20), ("pin", "1" * 12, "1" * 12)])
def test_numbers_are_brought_to_one_form(kind, raw, stored):
    assert normalised(kind, raw) == stored


@pytest.mark.parametrize(("kind", "raw", "code"), [
    ("pin", "12345", "pin_too_short"), ("pin", "12a456", "pin_too_short"), ("card", "1" * 21, "number_malformed"),
    ("pin", "1" * 13, "number_malformed"),
    ("card", "000", "number_malformed"), ("card", "１２", "number_malformed")])
def test_malformed_numbers_are_refused(kind, raw, code):
    with pytest.raises(Refused, match=code):
        normalised(kind, raw)


INSTALL = InstallDoor(door_id=A, name="East", zone="community", device_id=B, door_no=1)
INSTALLED = DoorInstalled(door_id=A, name="East", zone="community", device_id=B, door_no=1)


def test_a_door_is_installed_and_saying_it_again_changes_nothing():
    assert decide(DOORS, INSTALL) == [INSTALLED]
    assert decide(DOORS, INSTALL, INSTALLED) == []


@pytest.mark.parametrize(("change", "code"), [
    ({"door_no": 0}, "door_number_out_of_range"), ({"door_no": 257}, "door_number_out_of_range"),
    ({"zone": "building:x"}, "zone_unknown"), ({"zone": "everywhere"}, "zone_unknown"),
    ({"zone": f"building:{A.hex}"}, "zone_unknown"), ({"zone": f"gate:{A}"}, "zone_unknown")])
def test_a_door_that_cannot_be_is_refused(change, code):
    with pytest.raises(Refused, match=code):
        decide(DOORS, replace(INSTALL, **change))


@pytest.mark.parametrize("change", [{"door_no": 256}, {"zone": f"building:{C}"}, {"evacuation": False}])
def test_the_last_relay_and_a_building_are_taken(change):
    assert decide(DOORS, replace(INSTALL, **change)) == [replace(INSTALLED, **change)]


def test_a_door_that_is_no_way_out_any_more_is_installed_again():
    assert INSTALLED.evacuation and decide(DOORS, replace(INSTALL, evacuation=False), INSTALLED) == [replace(INSTALLED, evacuation=False)]


def test_one_relay_opens_one_door():
    assert list(DOORS.claims(INSTALL, INSTALLED)) == [Release("relay"), Take("relay", f"{B}/1", "relay_already_in_use")]


def test_whoever_changes_a_door_says_whether_it_is_a_way_out():
    """Left out, it would make a plant room one."""
    said = {"name": "Plant room", "zone": f"building:{C}", "device_id": str(B), "door_no": 4}
    assert NewDoor.model_validate(said).evacuation is True
    with pytest.raises(ValidationError, match="evacuation"):
        ChangedDoor.model_validate(said)
    assert ChangedDoor.model_validate({**said, "evacuation": False}).evacuation is False


def test_others_hear_whether_a_door_is_a_way_out_and_the_version_that_a_change_has_to_name():
    plant_room = replace(INSTALLED, evacuation=False)
    (told,) = publish(plant_room, recorded(plant_room, C, stream=f"door:{A}", version=3))
    assert told.body == public.DoorInstalled(A, "East", "community", B, 1, False, 3)
