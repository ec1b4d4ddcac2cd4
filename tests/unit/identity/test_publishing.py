"""What others hear, and what they do not."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import identity as public
from libs.contracts.fields import SealedField
from libs.contracts.topics import PUBLISHES
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Meta, Recorded
from libs.eventkit.sealed import Sealed
from services.identity.domain.accounts import AccountClosed, AccountOpened, PhoneReplaced, SignedOutEverywhere
from services.identity.domain.askers import AttemptCounted, ProbingFound
from services.identity.domain.buildings import BuildingRegistered
from services.identity.domain.communities import CommunityFounded
from services.identity.domain.consents import ConsentGiven, ConsentWithdrawn, GuardianDeclared, GuardianEnded
from services.identity.domain.declarations import DeclarationCounted
from services.identity.domain.departures import DepartureNoted, PersonLeft, PersonStayed
from services.identity.domain.homes import HomeRegistered
from services.identity.domain.id_numbers import IdNumberConfirmed, IdNumberForgotten, IdNumberRecorded, IdNumberWithdrawn
from services.identity.domain.organisations import OrganisationCorrected, OrganisationRegistered
from services.identity.domain.phones import CodeCounted
from services.identity.domain.population import PopulationDeclared, PopulationSettled
from services.identity.domain.residences import ResidenceEnded, ResidenceStarted
from services.identity.domain.residents import ContactCorrected, ContactDisclosed, ResidentErased, ResidentRegistered
from services.identity.domain.sessions import SessionEnded, SessionRenewed, SessionStarted
from services.identity.domain.sign_ins import CodeMatched, CodeMissed, Entry, SignInStarted
from services.identity.domain.signing_keys import SigningKeyPublished
from services.identity.domain.vehicles import (
    KeeperConfirmed,
    KeeperEnded,
    PlateContested,
    PlateCorrected,
    PlateDisclosed,
    VehicleRegistered,
    VehicleRemoved,
    VehicleVerified,
)
from services.identity.main import EVENTS
from services.identity.publishing import publish

A, B, C, D = (UUID(int=n) for n in range(1, 5))
NOW, DAY = datetime(2026, 3, 1, tzinfo=UTC), date(2026, 3, 1)
NAME = Sealed(A, B, "name", "box")
ROW = Recorded(
    position=1, generation=1, community_id=A, stream="s:1", version=1, event_id=B, type="", schema=1, data="",
    meta=Meta(), source=None, number=None, recorded_at=NOW)
REGISTERED = public.ResidentRegistered(A, SealedField(A, B, "name", "box"))


def told(keeper_id: UUID | None, verified: bool) -> public.VehicleRegistered:
    return public.VehicleRegistered(A, B, keeper_id, SealedField(A, B, "name", "box"), "small", verified)


TOLD = [
    (CommunityFounded(A, "n", "310104", "z"), public.CommunityFounded(A, "n", "310104", "z")),
    (BuildingRegistered(A, "n", 2), public.BuildingRegistered(A, "n", 2)),
    (HomeRegistered(A, B, 1, "l"), public.HomeRegistered(A, B, 1, "l")),
    (ResidentRegistered(A, NAME, NAME), REGISTERED),
    (ContactCorrected(A, NAME, NAME), REGISTERED),
    (ResidenceStarted(A, B, C, D, 1, "owner", DAY), public.ResidenceStarted(A, B, C, D, 1, "owner", DAY)),
    (ResidenceEnded(A, B, C, D, DAY), public.ResidenceEnded(A, B, C, D, DAY)),
    (AccountOpened(A, B, "staff"), public.AccountOpened(A, B, "staff")),
    (AccountClosed(A, B, "staff"), public.AccountClosed(A, B, "staff")),
    (SigningKeyPublished("k", "p", NOW, NOW), public.SigningKeyPublished("k", "p", NOW, NOW)),
    (VehicleRegistered(A, B, C, NAME, "small", findings=("plate_declared_twice",)), told(C, False)),
    (PlateCorrected(A, B, C, NAME, "small"), told(C, False)),
    (KeeperConfirmed(A, B, C, NAME, "small", "driving_licence"), told(C, True)),
    (KeeperEnded(A, B, None, NAME, "small", "driving_licence"), told(None, True)),
    (VehicleVerified(A, "driving_licence", B), public.VehicleVerified(A, "driving_licence")),
    (VehicleRemoved(A, B), public.VehicleRemoved(A, B)),
    (PopulationSettled(A, "grid", "floating"), public.PopulationDeclared(A, "floating", "grid")),
    (ConsentGiven(A, "face", B), public.ConsentGiven(A, "face", B)),
    (ConsentWithdrawn(A, "notices", A), public.ConsentWithdrawn(A, "notices", A)),
    (ContactDisclosed(A, B, "post"), public.ResidentLookedAt(A, B, "staff", "post", ("name", "phone"))),
    (ContactDisclosed(A, B, "theft", True, "police", "warrant 7"),
     public.ResidentLookedAt(A, B, "police", "theft", ("name", "phone", "id_number"))),
    (PlateDisclosed(A, B, "dispute", C), public.ResidentLookedAt(C, B, "staff", "dispute", ("plate",))),
    (ResidentErased(A, A, "own_wish"), public.ResidentErased(A, A, "own_wish")),
    (PersonLeft(A, NOW), public.PersonLeft(A, NOW)),
    (ErasureConfirmed(A, 2), public.IdentityErasureConfirmed(A, 2)),
]
KEPT = [
    PhoneReplaced(A), CodeCounted(NOW), SignInStarted("h", (), NOW), CodeMissed(),
    CodeMatched(A, Entry(A, B)), SessionStarted(A, B, C, "staff", NOW), SessionRenewed(1, NOW),
    SessionEnded("signed_out"), IdNumberRecorded(A, NAME), IdNumberConfirmed(A, B), IdNumberWithdrawn(A, B), IdNumberForgotten(A),
    OrganisationRegistered(A, "n", "c"), OrganisationCorrected(A, "n", "c"),
    PlateContested(A), PlateDisclosed(A, B, "nobody's car"), DeclarationCounted(NOW),
    PopulationDeclared(A, "staff", "foreign", B), GuardianDeclared(A, B, C), GuardianEnded(A, B, C),
    AttemptCounted("look", NOW), ProbingFound(A, "staff", "look", 1, 1, NOW),
    DepartureNoted(A, NOW), PersonStayed(A), SignedOutEverywhere(A, B),
]


@pytest.mark.parametrize(("event", "heard"), TOLD, ids=lambda e: type(e).__name__)
def test_others_hear(event: Any, heard: Any):
    assert [p.body for p in publish(event, ROW)] == [heard]


@pytest.mark.parametrize("event", KEPT, ids=lambda e: type(e).__name__)
def test_others_do_not_hear(event: Any):
    assert publish(event, ROW) == ()


def test_every_event_is_told_or_kept_on_purpose():
    assert {type(e) for e in (*(own for own, _ in TOLD), *KEPT)} == {*EVENTS, ErasureConfirmed}
    assert {type(heard) for _, heard in TOLD} == set(PUBLISHES["identity"])
