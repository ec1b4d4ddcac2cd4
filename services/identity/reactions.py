"""What follows from identity's own decisions: with a residence end the vehicles that its resident kept in the home."""

from uuid import UUID

from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.residences import ResidenceEnded
from services.identity.domain.vehicles import KeeperConfirmed, RemoveVehicle, VehicleRegistered
from services.identity.keepers import Keepers


def vehicles_of_residents(app: App, keepers: Keepers) -> Reaction:
    """A vehicle is a home's because somebody who lives there keeps it. One that others of the home keep stays, and so does
    one that nobody in particular keeps: staff have said so."""

    async def residence_ended(event: ResidenceEnded, row: Recorded) -> list[Do]:
        await keepers.ready(row)
        household = row.community_id, event.home_id, event.resident_id
        left = keepers.left(household)
        if left is None or left.event_id != row.event_id:
            return []  # moved in again and out again: that end is the cause
        if await lookups.lives_in(app, row.community_id, event.resident_id, event.home_id):
            return []
        return [_removal(vehicle_id, event.resident_id) for vehicle_id in keepers.vehicles_of(household)]

    async def kept(event: VehicleRegistered | KeeperConfirmed, row: Recorded) -> list[Do]:
        """Decided while the keeper lived there, stored when they had just moved out."""
        if event.keeper_id is None:
            return []
        await keepers.ready(row)
        left = keepers.left((row.community_id, event.home_id, event.keeper_id))
        if left is None or left.position > row.position:
            return []
        if await lookups.lives_in(app, row.community_id, event.keeper_id, event.home_id):
            return []
        return [_removal(event.vehicle_id, event.keeper_id, left.event_id)]

    return Reaction("vehicles_of_residents", {ResidenceEnded: residence_ended, VehicleRegistered: kept, KeeperConfirmed: kept})


def _removal(vehicle_id: UUID, moved_out: UUID, *because: UUID) -> Do:
    return Do(f"remove {vehicle_id}", vehicle_id, RemoveVehicle(vehicle_id, moved_out), because)
