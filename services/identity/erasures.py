"""What goes with a resident who is erased: account, vehicles, ID number, then the keys of all of it.

What was decided just before and stored just after goes as it comes: all of a person is handled in the order of the log.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound
from libs.eventkit.erasing import begin, erasing, is_erased
from libs.eventkit.privacy import KeyRecord
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import NOWHERE, Recorded
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.contacts import PURPOSE
from services.identity.domain.accounts import AccountOpened, CloseAccount
from services.identity.domain.id_numbers import ForgetIdNumber
from services.identity.domain.residents import EraseResident, ResidentErased
from services.identity.domain.vehicles import KeeperConfirmed, PlateCorrected, RemoveVehicle, VehicleRegistered
from services.identity.keepers import Keepers

RESIDENT = "resident"
"""The subject of a resident's keys begins so; their vehicles' with `vehicle`."""


def erasures(app: App, keepers: Keepers) -> tuple[Reaction, ...]:
    async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
        await keepers.ready(row)
        resident_id, vehicles = event.resident_id, keepers.last_kept(row.community_id, event.resident_id)
        account = await lookups.account_of_person(app, resident_id, RESIDENT)
        return [
            *([_closing(account.account_id)] if account is not None and account.community_id == row.community_id else []),
            *(_removal(vehicle_id, resident_id) for vehicle_id in vehicles),
            Do("forget id number", resident_id, ForgetIdNumber(resident_id)),
            begin(resident_id, f"{RESIDENT}:{resident_id}", *(f"vehicle:{i}" for i in vehicles))]

    async def kept(event: VehicleRegistered | KeeperConfirmed | PlateCorrected, row: Recorded) -> list[Do]:
        keeper_id = event.keeper_id
        if keeper_id is None or not await is_erased(app, row.community_id, keeper_id):
            return []
        return [_removal(event.vehicle_id, keeper_id), begin(keeper_id, f"vehicle:{event.vehicle_id}", again=True)]

    async def account_opened(event: AccountOpened, row: Recorded) -> list[Do]:
        late = event.role == RESIDENT and await is_erased(app, row.community_id, event.person_id)
        return [_closing(event.account_id)] if late else []

    return (
        Reaction("residents_erased", {
            ResidentErased: resident_erased, VehicleRegistered: kept, KeeperConfirmed: kept, PlateCorrected: kept,
            AccountOpened: account_opened}, key=_of_person, apart=True),
        erasing(app))


def _of_person(event: Any, row: Recorded) -> str:
    found = getattr(event, "resident_id", None) or getattr(event, "keeper_id", None) or getattr(event, "person_id", None)
    return f"{RESIDENT}:{found}"


def _closing(account_id: UUID) -> Do:
    return Do(f"close {account_id}", account_id, CloseAccount(account_id))


def _removal(vehicle_id: UUID, keeper_id: UUID) -> Do:
    return Do(f"remove {vehicle_id}", vehicle_id, RemoveVehicle(vehicle_id, keeper_id))


async def tombstones(app: App, records: Sequence[KeyRecord]) -> None:
    """Who was erased stays erased, also where this log was set back to before it: the keys' topic has not forgotten. `lifang restored`
    asks for this with the own keys that are gone though the log does not say so."""
    for record in records:
        subject, _, text = record.subject.partition(":")
        if subject == RESIDENT and record.purpose == PURPOSE:  # the key of an ID number goes with its withdrawal, too
            asked = Context(community_id=record.community_id, now=datetime.now(UTC), name="restored", cause=record.key_id)
            try:
                await app.commands.handle(UUID(text), EraseResident(UUID(text), NOWHERE, "restored"), asked)
            except NotFound:  # set back to before there was anybody to erase
                continue
