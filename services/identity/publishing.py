"""What others hear of identity: own event → public contracts. Pure. Sign-ins and sessions stay here."""

from typing import Any

from msgspec import Struct, structs

from libs.contracts import identity as public
from libs.contracts.fields import SealedField
from libs.eventkit.commands import Public
from libs.eventkit.recorded import Recorded
from services.identity.domain import accounts, buildings, communities, homes, residences, residents, signing_keys

SAME: dict[Any, type[Struct]] = {
    communities.CommunityFounded: public.CommunityFounded,
    buildings.BuildingRegistered: public.BuildingRegistered,
    homes.HomeRegistered: public.HomeRegistered,
    residences.ResidenceStarted: public.ResidenceStarted,
    residences.ResidenceEnded: public.ResidenceEnded,
    accounts.AccountOpened: public.AccountOpened,
    accounts.AccountClosed: public.AccountClosed,
    signing_keys.SigningKeyPublished: public.SigningKeyPublished,
}
"""Events that others hear as they are."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    """A corrected contact is told like a registration: the name as it is from now on."""
    match event:
        case residents.ResidentRegistered(resident_id=resident_id, name=name) | residents.ContactCorrected(
            resident_id=resident_id, name=name):
            return (Public(public.ResidentRegistered(resident_id, SealedField(*structs.astuple(name)))),)
        case _ if type(event) in SAME:
            return (Public(SAME[type(event)](**structs.asdict(event))),)
        case _:
            return ()
