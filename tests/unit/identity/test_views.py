"""Each view folds its events into rows, and folding them twice changes nothing."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from libs.eventkit.recorded import Meta, Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.views import Rows, View
from services.identity.domain.accounts import AccountClosed, AccountOpened, PhoneReplaced, SignedOutEverywhere
from services.identity.domain.askers import ProbingFound
from services.identity.domain.buildings import BuildingRegistered
from services.identity.domain.consents import ConsentGiven, ConsentWithdrawn, GuardianDeclared, GuardianEnded
from services.identity.domain.homes import HomeRegistered
from services.identity.domain.id_numbers import IdNumberConfirmed, IdNumberRecorded, IdNumberWithdrawn
from services.identity.domain.organisations import OrganisationCorrected, OrganisationRegistered
from services.identity.domain.population import PopulationDeclared, PopulationSettled
from services.identity.domain.residences import ResidenceEnded, ResidenceStarted
from services.identity.domain.residents import ContactCorrected, ContactDisclosed, ResidentRegistered
from services.identity.domain.sessions import SessionEnded, SessionRenewed, SessionStarted
from services.identity.domain.vehicles import (
    KeeperConfirmed,
    PlateContested,
    PlateCorrected,
    PlateDisclosed,
    VehicleRegistered,
    VehicleRemoved,
    VehicleVerified,
)
from services.identity.main import VIEWS
from services.identity.views import accounts, buildings, consents, homes, organisations, probing, residences, residents, sessions, vehicles

A, B, C, D, E = (UUID(int=n) for n in range(1, 6))
ONE = UUID(int=1)
NOW, LATER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
OLD, NEW, BOX = Sealed(A, B, "name", "old"), Sealed(A, B, "name", "new"), Sealed(A, B, "id-number", "box")


def row(version: int) -> Recorded:
    return Recorded(
        position=version, generation=1, community_id=A, stream=f"s:{ONE}", version=version, event_id=B, type="", schema=1,
        data="", meta=Meta(), source=None, number=None, recorded_at=NOW)


def fold(view: View, events: list[Any], times: int = 1) -> list[dict[str, Any]]:
    rows = Rows(view.key)
    for _ in range(times):
        for version, event in enumerate(events, 1):
            view.project(rows, event, row(version))
    return [r for r in rows.changed.values() if r is not None]


def session(session_id: UUID, account_id: UUID, **more: Any) -> dict[str, Any]:
    return {
        "session_id": session_id, "account_id": account_id, "person_id": D, "role": "resident", "started_at": NOW, "renewed_at": NOW,
        "expires": NOW, "ended_at": None, "ended_by": None, **more}


CASES: list[tuple[View, list[Any], list[dict[str, Any]]]] = [
    (buildings.VIEW, [BuildingRegistered(B, "1号楼", 2)], [{"building_id": B, "name": "1号楼", "units": 2}]),
    (homes.VIEW, [HomeRegistered(C, B, 1, "1-1-101")],
     [{"home_id": C, "building_id": B, "unit": 1, "label": "1-1-101"}]),
    (residents.VIEW, [
        ResidentRegistered(D, OLD, OLD, ("no_sms",)), ContactCorrected(D, NEW), IdNumberRecorded(D, BOX, ("division_unknown",)),
        ContactDisclosed(D, A, "purpose")],
     [{"resident_id": D, "name": NEW, "phone": None, "phone_findings": [], "id_number": BOX, "findings": ["division_unknown"],
       "registered_at": NOW, "version": 4}]),
    (residents.VIEW, [ResidentRegistered(D, OLD, OLD), IdNumberRecorded(D, BOX, ("x",)), IdNumberWithdrawn(D, A)],
     [{"resident_id": D, "name": OLD, "phone": OLD, "phone_findings": [], "id_number": None, "findings": [],
       "registered_at": NOW, "version": 1}]),
    (residents.VIEW, [ResidentRegistered(D, OLD, OLD, ("no_sms",)), IdNumberRecorded(D, BOX, ("x",)), IdNumberConfirmed(D, A)],
     [{"resident_id": D, "name": OLD, "phone": OLD, "phone_findings": ["no_sms"], "id_number": BOX, "findings": [],
       "registered_at": NOW, "version": 1}]),
    (residents.VIEW, [
        PopulationDeclared(D, "staff", "floating", A), PopulationSettled(D, "staff", "floating"),
        PopulationDeclared(D, "police", "registered", A), PopulationSettled(D, "police", "registered")],
     [{"resident_id": D, "population": "registered", "population_sources": {"staff": "floating", "police": "registered"},
       "population_findings": ["sources_contradict"]}]),
    (organisations.VIEW, [
        OrganisationRegistered(E, "Noodles", "91350100M000100Y43"),
        OrganisationCorrected(E, "Dumplings", "91350211M0000XUF46", ("checksum",))],
     [{"organisation_id": E, "name": "Dumplings", "code": "91350211M0000XUF46", "findings": ["checksum"], "version": 2}]),
    (residences.VIEW, [ResidenceStarted(E, D, C, B, 1, "owner", MARCH), ResidenceEnded(E, D, C, B, APRIL)],
     [{"residence_id": E, "resident_id": D, "home_id": C, "building_id": B, "unit": 1, "role": "owner",
       "since": MARCH, "until": APRIL}]),
    (accounts.VIEW, [AccountOpened(B, D, "resident"), AccountOpened(C, E, "staff"), AccountClosed(C, E, "staff")],
     [{"account_id": B, "person_id": D, "role": "resident", "opened_at": NOW}]),
    (vehicles.VIEW, [
        VehicleRegistered(E, C, D, OLD, "small", findings=("plate_declared_twice",)), VehicleVerified(E, "driving_licence", A),
        PlateDisclosed(E, A, "purpose")],
     [{"vehicle_id": E, "home_id": C, "keeper_id": D, "plate": OLD, "vehicle_class": "small", "verification": "driving_licence",
       "findings": [], "registered_at": NOW, "version": 3}]),
    (vehicles.VIEW, [
        VehicleRegistered(E, C, D, OLD, "small", "driving_licence"), PlateCorrected(E, C, D, NEW, "small"),
        KeeperConfirmed(E, C, B, NEW, "small"), PlateContested(E)],
     [{"vehicle_id": E, "home_id": C, "keeper_id": B, "plate": NEW, "vehicle_class": "small", "verification": None,
       "findings": ["plate_declared_twice"], "registered_at": NOW, "version": 4}]),
    (vehicles.VIEW, [VehicleRegistered(E, C, None, OLD, "small"), VehicleRemoved(E, C)], []),
    (consents.CONSENTS_VIEW, [ConsentGiven(D, "face", D), ConsentWithdrawn(D, "face", A), ConsentGiven(D, "notices", D)], [
        {"resident_id": D, "purpose": "face", "given": False, "since": NOW, "history": [
            {"given": True, "at": NOW, "by": "self", "version": 1}, {"given": False, "at": NOW, "by": "guardian", "version": 2}]},
        {"resident_id": D, "purpose": "notices", "given": True, "since": NOW, "history": [
            {"given": True, "at": NOW, "by": "self", "version": 3}]}]),
    (consents.GUARDIANS_VIEW, [GuardianDeclared(D, A, B), GuardianDeclared(D, C, B), GuardianEnded(D, C, B)],
     [{"resident_id": D, "guardian_id": A, "since": NOW}]),
    (sessions.VIEW, [
        SessionStarted(ONE, A, D, "resident", NOW), SessionRenewed(1, LATER), SessionEnded("signed_out")],
     [session(ONE, A, expires=LATER, ended_at=NOW, ended_by="signed_out")]),
    (sessions.VIEW, [
        *(SessionStarted(i, a, D, "resident", NOW) for i, a in ((ONE, A), (B, A), (C, A), (E, D))), SignedOutEverywhere(A, B)],
     [session(ONE, A, ended_at=NOW, ended_by="signed_out_elsewhere"), session(B, A),
      session(C, A, ended_at=NOW, ended_by="signed_out_elsewhere"), session(E, D)]),
    (sessions.VIEW, [SessionStarted(ONE, A, D, "resident", NOW), SignedOutEverywhere(A, None), SessionEnded("signed_out_elsewhere")],
     [session(ONE, A, ended_at=NOW, ended_by="signed_out_elsewhere")]),
    (sessions.VIEW, [SessionStarted(ONE, A, D, "resident", NOW), PhoneReplaced(A), AccountClosed(A, D, "resident")],
     [session(ONE, A, ended_at=NOW, ended_by="phone_replaced")]),
    (sessions.VIEW, [SessionStarted(ONE, A, D, "resident", NOW), AccountClosed(A, D, "resident")],
     [session(ONE, A, ended_at=NOW, ended_by="account_closed")]),
    (sessions.VIEW, [SessionRenewed(1, LATER), SessionEnded("signed_out")], []),
    (probing.VIEW, [ProbingFound(D, "staff", "look", 60, 3600, NOW)],
     [{"finding_id": B, "person_id": D, "role": "staff", "kind": "look", "most": 60, "seconds": 3600, "at": NOW, "position": 1}]),
]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("view", "events", "expected"), CASES, ids=[view.name for view, _, _ in CASES])
def test_a_view_shows_what_has_happened(view: View, events: list[Any], expected: list[dict[str, Any]], times: int):
    assert fold(view, events, times) == msgspec.to_builtins(expected)


@pytest.mark.parametrize(("view", "events", "expected"), CASES, ids=[view.name for view, _, _ in CASES])
def test_a_view_reads_every_row_that_it_changes(view: View, events: list[Any], expected: list[dict[str, Any]]):
    for event in events:
        assert len(list(view.reads(event, row(1)))) == 1


def test_every_view_is_tested():
    assert {view.name for view in VIEWS} == {view.name for view, _, _ in CASES}


def test_what_a_home_shows_is_of_those_who_live_there_now():
    for query, times in ((vehicles.page_of(A, None, False, None, 5), 2), (vehicles.one(A, E), 2), (residents.page_of(C, None, 5), 1)):
        assert str(query).count("until IS NULL") == times
