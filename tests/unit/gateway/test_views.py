from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from libs.contracts import access, devices, identity
from libs.contracts.fields import SealedField
from services.gateway.main import SERVICE
from services.gateway.views import cars, door_events, doors, findings, my_doors, my_home, passages, permits, stays, visitors
from tests.unit.gateway.fire import INSTALLED, NEIGHBORS, story
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, DEVICE, DOOR, GATE, HOME, NOON, OPENING, fold, heard
from tests.unit.gateway.test_gate_views import EVERYTHING

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)
ORDERED = access.DoorOpeningOrdered(OPENING, GATE, DEVICE, 1, "remote", ANN, "right_in_zone", "holds a right", ())
NAME = SealedField(ONE, TWO, "name", "AAAA")

LOG = [heard(event, position) for position, event in enumerate((
    identity.BuildingRegistered(BUILDING, "Building 1", 2),
    identity.HomeRegistered(HOME, BUILDING, 1, "1-1-101"),
    identity.ResidentRegistered(ANN, NAME),
    identity.ResidenceStarted(ONE, ANN, HOME, BUILDING, 1, "owner", date(2024, 1, 1)),
    identity.ResidenceStarted(TWO, BEN, HOME, BUILDING, 1, "family", date(2024, 1, 1)),
    identity.ResidenceEnded(TWO, BEN, HOME, BUILDING, date(2025, 1, 1)),
    devices.DeviceRegistered(DEVICE, "hikvision-terminal", "North"),
    access.DoorInstalled(GATE, "Gate", "community", DEVICE, 1),
    access.RightGranted(ONE, ANN, "community", "lives_here"),
    access.RightGranted(TWO, ANN, "community", "works_here"),
    access.RightGranted(THREE, BEN, "community", "lives_here"),
    access.RightRevoked(ONE, ANN, "community", "lives_here"),
    access.CredentialJudged(GATE, "card", True, "right_in_zone", "holds a right", (), ANN, True),
    ORDERED,
    access.DoorOpened(OPENING, GATE, ANN),
    access.DoorPassed(GATE, "face", BEN, False, False, NOON),
    access.DoorNoticed(DOOR, "forced", "5:21", True, NOON),
), 100)]
LOG += [heard(event, n) for n, event in enumerate((*EVERYTHING, *INSTALLED, *NEIGHBORS), 200)]
LOG += story(400)
LOG += [heard(identity.ResidentLookedAt(ANN, BEN, "staff", "parcel", ("name", "phone")), 900), heard(identity.ResidentErased(
    BEN, BEN, "own_wish"), 901), heard(access.AccessErasureConfirmed(BEN, 1), 902)]


@pytest.mark.parametrize("view", SERVICE.views, ids=lambda view: view.name)
def test_a_fold_told_twice_says_the_same(view):
    once = fold(view, LOG)
    assert once and once == fold(view, LOG) == fold(view, LOG, times=2)


@pytest.mark.parametrize("view", SERVICE.views, ids=lambda view: view.name)
def test_tables_are_keyed_by_community_and_hold_what_rows_hold(view):
    key = [c.name for c in view.table.primary_key.columns]
    assert key[0] == "community_id"
    assert all(c.nullable for c in view.table.columns if c.name not in key)
    assert all(set(row) <= set(view.columns) for row in fold(view, LOG))


def test_a_device_that_was_retired_keeps_its_name_and_is_there_again_when_it_is_registered_again():
    (known,) = fold(doors.DEVICES, LOG)
    retired = [*LOG, heard(devices.DeviceRetired(DEVICE), 950)]
    (gone,) = fold(doors.DEVICES, retired)
    assert (known["retired"], gone) == (False, {**known, "retired": True})
    assert fold(doors.DEVICES, [*retired, heard(devices.DeviceRegistered(DEVICE, "hikvision-terminal", "North"), 951)]) == [known]
    assert fold(doors.DEVICES, [heard(devices.DeviceRetired(GATE), 1)]) == []


def test_whoever_moved_out_has_no_home():
    assert [(row["resident_id"], row["role"]) for row in fold(my_home.RESIDENCES, LOG)] == [(str(ANN), "owner")]


def test_the_name_rests_sealed():
    assert fold(my_home.RESIDENTS, LOG)[0]["name"]["box"] == "AAAA"


def test_of_two_rights_to_a_zone_the_other_stays():
    assert [(row["person_id"], row["rule"]) for row in fold(my_doors.RIGHTS, LOG)] == [
        (str(ANN), "works_here"), (str(BEN), "lives_here")]


def test_whoever_is_on_duty_opens_every_door():
    assert "zone = " in str(my_doors.opens()) and my_doors.EVERYWHERE in my_doors.opens().compile().params.values()


def test_a_door_has_the_version_that_its_change_has_to_name_and_null_where_nobody_has_told_it():
    told = [heard(access.DoorInstalled(GATE, "Gate", "community", DEVICE, 1, *more), n) for n, more in enumerate(((), (False, 2)), 1)]
    assert [[(row["evacuation"], row["version"]) for row in fold(doors.DOORS, told[:n])] for n in (1, 2)] == [[(None, None)], [(False, 2)]]


def test_a_door_knows_its_device():
    assert [(row["name"], row["device_id"]) for row in fold(doors.DOORS, LOG)] == [("Gate", str(DEVICE))]


def test_an_opening_is_one_row_with_the_state_it_reached():
    rows = [row for row in fold(door_events.DOOR_EVENTS, LOG) if row["kind"] == "opening"]
    assert [(row["id"], row["state"], row["position"], row["event_id"]) for row in rows] == [
        (str(OPENING), "opened", 113, str(UUID(int=113)))]
    assert rows[0]["recorded_at"] < rows[0]["ended_at"]


def test_an_opening_that_failed_says_why():
    log = [heard(ORDERED, 1), heard(access.DoorOpeningFailed(OPENING, GATE, ANN, "expired"), 2)]
    row = fold(door_events.DOOR_EVENTS, log)[0]
    assert (row["state"], row["failure"], row["reason"]) == ("failed", "expired", "holds a right")


def test_the_end_of_an_opening_nobody_knows_is_nothing():
    assert fold(door_events.DOOR_EVENTS, [heard(access.DoorOpened(OPENING, GATE, ANN))]) == []


def test_live_and_history_are_told_apart():
    found = {row["kind"]: row["live"] for row in fold(door_events.DOOR_EVENTS, LOG)}
    assert found == {"judged": True, "opening": True, "passed": False, "noticed": True}


@pytest.mark.parametrize("query", [
    my_home.homes_of(COMMUNITY, ANN), my_home.name_of(COMMUNITY, ANN), my_home.places_named(COMMUNITY, [HOME]),
    my_doors.doors_of.__wrapped__(COMMUNITY, ANN), my_doors.door_ids_of.__wrapped__(COMMUNITY, ANN),
    my_doors.lifts_of.__wrapped__(COMMUNITY, ANN),
    doors.all_doors(COMMUNITY, None, 5), doors.all_doors(COMMUNITY, ("Gate", GATE), 5),
    doors.doors_named(COMMUNITY, [GATE]), doors.devices_named(COMMUNITY, [DEVICE]),
    door_events.newest(COMMUNITY, 7, 5), door_events.newest_of_person(COMMUNITY, ANN, [GATE], 7, 5),
    door_events.opening(COMMUNITY, OPENING), findings.findings_of(COMMUNITY, True, 7, 5), passages.last_passages(COMMUNITY),
])
@pytest.mark.filterwarnings("error")
def test_every_query_names_its_community(query):
    assert "community_id = " in str(query.compile(dialect=postgresql.dialect()))


def asked(query: Select[Any]) -> str:
    """As PostgreSQL is asked, values and all."""
    return str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(("query", "theirs"), [
    (my_home.homes_of(COMMUNITY, ANN), "resident_id"), (my_home.name_of(COMMUNITY, ANN), "resident_id"),
    (my_doors.doors_of.__wrapped__(COMMUNITY, ANN), "person_id"), (my_doors.door_ids_of.__wrapped__(COMMUNITY, ANN), "person_id"),
    (my_doors.lifts_of.__wrapped__(COMMUNITY, ANN), "person_id"),
    (stays.of_person(COMMUNITY, ANN, None, 5), "person_id"), (visitors.of_host(COMMUNITY, ANN, None, 5), "host_id"),
    (cars.of_keeper(COMMUNITY, ANN), "keeper_id"),
    (stays.one_of_person(COMMUNITY, ANN, OPENING), "person_id"), (permits.of_person(COMMUNITY, ANN), "person_id"),
])
def test_a_page_of_ones_own_asks_for_what_is_theirs_alone(query: Select[Any], theirs: str) -> None:
    assert asked(query).count(f"{theirs} = '{ANN}'") == 1


def test_of_door_events_a_person_is_shown_their_own_and_nobodys_at_their_doors() -> None:
    own, of_nobody = asked(door_events.newest_of_person(COMMUNITY, ANN, [GATE], 7, 5)).split("UNION ALL")
    assert f"person_id = '{ANN}'" in own and "door_id IN" not in own
    assert f"person_id IS NULL AND gateway_door_events.door_id IN ('{GATE}')" in of_nobody


def test_a_right_opens_doors_of_its_community_alone() -> None:
    assert "gateway_doors.community_id = gateway_rights.community_id AND (" in asked(my_doors.doors_of.__wrapped__(COMMUNITY, ANN))
    assert "gateway_lifts.community_id = gateway_rights.community_id AND (" in asked(my_doors.lifts_of.__wrapped__(COMMUNITY, ANN))


@pytest.mark.parametrize("query", [
    door_events.newest(COMMUNITY, 7, 5), stays.of_person(COMMUNITY, ANN, 7, 5), visitors.of_host(COMMUNITY, ANN, 7, 5),
    passages.passages_of(COMMUNITY, GATE, 7, 5), findings.findings_of(COMMUNITY, False, 7, 5)])
def test_the_next_page_begins_below_the_last_row_and_looks_one_further(query: Select[Any]) -> None:
    assert "position < 7" in asked(query) and "LIMIT 6" in asked(query)


def test_findings_are_shown_until_they_are_settled_and_passages_once_they_are_judged() -> None:
    assert ["settled_at IS NULL" in asked(findings.findings_of(COMMUNITY, only, None, 5)) for only in (True, False)] == [True, False]
    last = asked(passages.last_passages(COMMUNITY))
    assert "position IS NOT NULL" in last and f"<= {passages.LAST}" in last
