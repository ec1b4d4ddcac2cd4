"""What others hear of identity: own event → public contracts. Pure. Sign-ins and sessions stay here."""

from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from libs.contracts import identity as public
from libs.contracts.fields import SealedField
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from services.identity.domain import (
    accounts,
    buildings,
    communities,
    consents,
    departures,
    homes,
    population,
    residences,
    residents,
    signing_keys,
    vehicles,
)

SAME: dict[Any, type[Struct]] = {
    communities.CommunityFounded: public.CommunityFounded,
    buildings.BuildingRegistered: public.BuildingRegistered,
    homes.HomeRegistered: public.HomeRegistered,
    residences.ResidenceStarted: public.ResidenceStarted,
    residences.ResidenceEnded: public.ResidenceEnded,
    departures.PersonLeft: public.PersonLeft,
    accounts.AccountOpened: public.AccountOpened,
    accounts.AccountClosed: public.AccountClosed,
    signing_keys.SigningKeyPublished: public.SigningKeyPublished,
    vehicles.VehicleRemoved: public.VehicleRemoved,
    population.PopulationSettled: public.PopulationDeclared,
    consents.ConsentGiven: public.ConsentGiven,
    consents.ConsentWithdrawn: public.ConsentWithdrawn,
    residents.ResidentErased: public.ResidentErased,
}
"""Events that others hear as they are."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    """What was corrected is told like a registration: as it is from now on."""
    match event:
        case residents.ResidentRegistered(resident_id=resident_id, name=name) | residents.ContactCorrected(
            resident_id=resident_id, name=name):
            return (Public(public.ResidentRegistered(resident_id, SealedField(*structs.astuple(name)))),)
        case (vehicles.VehicleRegistered() | vehicles.PlateCorrected() | vehicles.KeeperConfirmed() | vehicles.KeeperEnded()):
            return (Public(public.VehicleRegistered(
                event.vehicle_id, event.home_id, event.keeper_id, SealedField(*structs.astuple(event.plate)),
                event.vehicle_class, verified=event.how is not None)),)
        case vehicles.VehicleVerified(vehicle_id=vehicle_id, how=how):
            return (Public(public.VehicleVerified(vehicle_id, how)),)
        case residents.ContactDisclosed(resident_id=resident_id, to=to, role=role, purpose=purpose):
            what = ("name", "phone", *(("id_number",) if event.id_number else ()))
            return (Public(public.ResidentLookedAt(resident_id, to, role, purpose, what)),)
        case vehicles.PlateDisclosed(keeper_id=UUID() as keeper_id, to=to, role=role, purpose=purpose):
            return (Public(public.ResidentLookedAt(keeper_id, to, role, purpose, ("plate",))),)
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(public.IdentityErasureConfirmed(resident_id, keys)),)
        case _ if type(event) in SAME:
            return (Public(SAME[type(event)](**structs.asdict(event))),)
        case _:
            return ()
