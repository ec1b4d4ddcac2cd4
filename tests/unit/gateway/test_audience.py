from uuid import UUID

import pytest

from libs.contracts import access, devices, identity, parking
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from services.gateway.audience import cloud_event, may_see, moves, persons_of, viewer
from tests.unit.gateway.heard import ANN, BEN, COMMUNITY, DEVICE, DOOR, ELSEWHERE, GATE, NOON, heard

CARD = SealedField(UUID(int=1), UUID(int=2), "card_number", "secret")


def whoever(role, person=ANN, doors=(GATE,)):
    return viewer(Principal(person, role, frozenset({COMMUNITY}), permissions_of(role)), COMMUNITY, doors)


def passed(person, door=GATE):
    return access.DoorPassed(door, "face", person, True, True, NOON)


REPORTED = devices.DeviceReported(
    UUID(int=3), DEVICE, "card", "5:1", None, 1, 1, True, True, None, None, (), card_number=CARD)
FOUNDED = identity.CommunityFounded(COMMUNITY, "里", "310101", "Asia/Shanghai")


@pytest.mark.parametrize("role", ["staff", "guard"])
@pytest.mark.parametrize("event, seen", [(passed(BEN), True), (REPORTED, True), (FOUNDED, False)])
def test_staff_and_guards_see_doors_and_devices(role, event, seen):
    assert may_see(whoever(role), *heard(event)) is seen


@pytest.mark.parametrize("role", ["staff", "guard", "resident"])
def test_nobody_sees_another_community(role):
    assert not may_see(whoever(role), *heard(passed(ANN), community_id=ELSEWHERE))


@pytest.mark.parametrize("event, seen", [
    (passed(ANN), True),
    (passed(ANN, DOOR), True),  # theirs, wherever
    (passed(BEN), False),  # somebody else at their door
    (passed(None), True),
    (passed(None, DOOR), False),
    (access.RightGranted(UUID(int=4), ANN, "community", "lives_here"), True),
    (access.RightGranted(UUID(int=4), BEN, "community", "lives_here"), False),
    (access.DoorNoticed(GATE, "forced", "5:21", True, NOON), True),
    (access.DoorNoticed(DOOR, "forced", "5:21", True, NOON), False),
    (access.VisitorPassUsed(UUID(int=5), ANN, DOOR, UUID(int=6)), True),  # their guest, wherever
    (access.VisitorPassUsed(UUID(int=5), BEN, GATE, UUID(int=6)), False),  # somebody else's guest at their door
    (parking.SessionBegun(UUID(int=7), UUID(int=8), "ground", ANN, None, None, NOON), False),
    (REPORTED, False),
    (FOUNDED, False),
])
def test_a_resident_sees_their_own_and_what_concerns_nobody_at_their_doors(event, seen):
    assert may_see(whoever("resident"), *heard(event)) is seen


@pytest.mark.parametrize("role", ["grid", "police", "operator", "device", "service", "no-such-role"])
def test_other_roles_see_nothing_of_others(role):
    assert not may_see(whoever(role), *heard(passed(BEN)))


def test_only_ones_own_rights_move_ones_doors():
    mine, theirs = (access.RightRevoked(UUID(int=4), person, "community", "lives_here") for person in (ANN, BEN))
    assert moves(whoever("resident"), mine) and not moves(whoever("resident"), theirs)
    assert not moves(whoever("staff"), mine)
    granted = [access.RightGranted(UUID(int=4), person, "community", "lives_here") for person in (ANN, BEN)]
    assert [moves(whoever("resident"), event) for event in granted] == [True, False]


def test_a_door_that_is_installed_or_moved_moves_everybodys():
    installed = access.DoorInstalled(GATE, "gate", "community", DEVICE, 1)
    assert moves(whoever("resident"), installed) and not moves(whoever("guard"), installed)
    assert not moves(whoever("resident"), passed(ANN))


def test_sealed_fields_are_dropped_whole():
    found = cloud_event(*heard(REPORTED, 9))
    assert "card_number" not in found["data"] and "secret" not in str(found)
    assert found["data"]["device_id"] == str(DEVICE)


def test_an_event_is_shown_as_a_cloud_event():
    found = cloud_event(*heard(passed(ANN), 9, caused_by=[UUID(int=7), UUID(int=8)]))
    assert {k: found[k] for k in ("specversion", "id", "source", "type", "lifangposition", "lifangcausedby")} == {
        "specversion": "1.0", "id": str(UUID(int=9)), "source": "/lifang/access", "type": "access.door_passed",
        "lifangposition": "1.9.0", "lifangcausedby": f"{UUID(int=7)} {UUID(int=8)}"}
    assert found["time"] == "2026-03-01T12:00:09Z"


def test_whom_an_event_is_about():
    assert persons_of(passed(ANN)) == {ANN} and persons_of(passed(None)) == set()
    assert persons_of(identity.ResidentRegistered(BEN, CARD)) == {BEN}
    assert persons_of(identity.VehicleRegistered(GATE, DOOR, BEN, CARD, "small", True)) == {BEN}
    assert persons_of(access.VisitorPassRevoked(GATE, BEN, "host")) == {BEN}
