"""What others hear of access: own event → public contracts. Pure."""

from typing import Any

from msgspec import Struct, structs

from libs.contracts import access as public
from libs.contracts.fields import SealedField
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from services.access.domain import credentials, doors, lifts, openings, pass_history, releases, rights

SAME: dict[type, type[Struct]] = {
    rights.RightGranted: public.RightGranted,
    rights.RightRevoked: public.RightRevoked,
    openings.DoorPassed: public.DoorPassed,
    openings.DoorNoticed: public.DoorNoticed,
    openings.DoorOpened: public.DoorOpened,
    openings.DoorOpeningFailed: public.DoorOpeningFailed,
    openings.DuressSignalled: public.DuressSignalled,
    releases.RelayReleased: public.RelayReleased,
    releases.RelayNotReleased: public.RelayNotReleased,
}
"""Events that others hear as they are."""
NARROWED: dict[type, type[Struct]] = {
    pass_history.VisitorPassRevoked: public.VisitorPassRevoked,
    pass_history.VisitorPassUsed: public.VisitorPassUsed,
    pass_history.VisitorPassUseReturned: public.VisitorPassUseReturned,
    pass_history.VisitorArrived: public.VisitorArrived,
}
"""Events of which others hear less."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    match event:
        case credentials.CredentialIssued(credential_id=credential_id, person_id=person_id, kind="face"):
            return (Public(public.FaceIssued(credential_id, person_id)),)
        case credentials.CredentialRevoked(credential_id=credential_id, person_id=person_id, kind="face", reason=reason):
            return (Public(public.FaceRevoked(credential_id, person_id, reason)),)
        case credentials.CredentialRevoked(credential_id=credential_id, person_id=person_id, kind="card" | "pin" as kind, reason=reason):
            return (Public(public.CredentialRevoked(credential_id, person_id, kind, reason)),)
        case credentials.CredentialIssued(credential_id=credential_id, person_id=person_id, kind="card" | "pin" as kind):
            return (Public(public.CredentialIssued(credential_id=credential_id, person_id=person_id, kind=kind)),)
        case doors.DoorInstalled():
            return (Public(public.DoorInstalled(**structs.asdict(event), version=row.version)),)
        case openings.CredentialJudged() | openings.DoorOpeningOrdered():
            contract = (
                public.CredentialJudged if isinstance(event, openings.CredentialJudged) else public.DoorOpeningOrdered)
            fields = structs.asdict(event)
            fields["facts"] = tuple(public.Fact(f.event_id, f.says) for f in event.facts)
            return (Public(contract(**fields)),)
        case releases.FireReleaseBegun() | releases.FireReleaseJoined() | releases.FireReleaseEnded():
            return (Public(_release(event)),)
        case lifts.LiftInstalled():
            floors = tuple(public.LiftFloor(f.floor, f.door_no) for f in event.floors)
            return (Public(public.LiftInstalled(**structs.asdict(event) | {"floors": floors})),)
        case pass_history.VisitorPassIssued():
            fields = structs.asdict(event) | {"plate": _field(event.plate), "visitor_name": _field(event.visitor_name)}
            return (Public(_narrowed(public.VisitorPassIssued, fields)),)
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(public.AccessErasureConfirmed(resident_id, keys)),)
        case _ if type(event) in NARROWED:
            return (Public(_narrowed(NARROWED[type(event)], structs.asdict(event))),)
        case _ if type(event) in SAME:
            return (Public(SAME[type(event)](**structs.asdict(event))),)
        case _:
            return ()


def _release(event: releases.FireReleaseBegun | releases.FireReleaseJoined | releases.FireReleaseEnded) -> Struct:
    fields = structs.asdict(event) | {"relays": tuple(public.ReleasedRelay(*structs.astuple(r)) for r in event.relays)}
    if isinstance(event, releases.FireReleaseJoined):
        return public.FireReleaseJoined(**fields)
    if isinstance(event, releases.FireReleaseEnded):
        return public.FireReleaseEnded(**fields)
    return public.FireReleaseBegun(**fields | {"facts": tuple(public.Fact(f.event_id, f.says) for f in event.facts)})


def _narrowed(contract: type[Struct], fields: dict[str, Any]) -> Struct:
    return contract(**{name: fields[name] for name in contract.__struct_fields__})


def _field(sealed: Sealed | None) -> SealedField | None:
    return SealedField(*structs.astuple(sealed)) if sealed else None
