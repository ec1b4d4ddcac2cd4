"""Vehicles of homes and guests with a plate become rights; whoever made them takes them back. With the vehicle ends the permit that
names it, and when a person leaves the community whatever permit is their own."""

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from libs.contracts import access, identity
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.domain.plate_rights import PLATE_RIGHTS, EndPlateRight, GrantPlateRight, Held, PlateRightGranted
from services.parking.lane_desk import index_of, moved, opened
from services.parking.residents import Residents


def rights_of_plates(app: App, book: LotBook, residents: Residents) -> Reaction:
    async def permits(row: Recorded) -> list[PlateRightGranted]:
        await book.ready(await app.database.pool(), row.community_id, row.position)
        await residents.ready(row)
        return book.permits()

    async def granted(row: Recorded, plate: Sealed, **grant: Any) -> list[Do]:
        found = await opened(app, plate)
        if found is None or not found.value:
            return []
        command: Struct = GrantPlateRight(PlateRightGranted(plate=plate, **grant), index_of(app, row.community_id, found.value))
        return [Do("grant", grant["right_id"], command)]

    async def vehicle_registered(event: identity.VehicleRegistered, row: Recorded) -> list[Do]:
        return await granted(
            row, moved(event.plate), right_id=event.vehicle_id, kind="vehicle" if event.verified else "declared",
            person_id=event.keeper_id, source_id=event.vehicle_id, reason="vehicle_of_a_home")

    async def vehicle_verified(event: identity.VehicleVerified, row: Recorded) -> list[Do]:
        state, _ = await app.commands.state(PLATE_RIGHTS, event.vehicle_id, row.community_id)
        if not isinstance(state, Held) or state.granted.kind != "declared":
            return []
        held = asdict(state.granted)
        return await granted(row, **{**held, "kind": "vehicle"})

    async def vehicle_removed(event: identity.VehicleRemoved, row: Recorded) -> list[Do]:
        """A resident's own permit outlives a move: the vehicle is registered again in the next home, or they have left."""
        theirs = [permit for permit in await permits(row) if permit.source_id == event.vehicle_id]
        if theirs and await followed_a_move_out(row):
            theirs = [permit for permit in theirs if not residents.know(row.community_id, permit.person_id)]
        end = Do("end", event.vehicle_id, EndPlateRight(event.vehicle_id, "vehicle_removed"))
        return [end, *(ending(permit, "vehicle_removed") for permit in theirs)]

    async def followed_a_move_out(row: Recorded) -> bool:
        causes = [await app.log.event(cause) for cause in row.meta.caused_by]
        return any(cause is not None and isinstance(app.catalogue.read(cause), identity.ResidenceEnded) for cause in causes)

    async def person_left(event: identity.PersonLeft, row: Recorded) -> list[Do]:
        """What they were given afterwards stays: this may be heard late."""
        theirs = [permit for permit in await permits(row) if permit.person_id == event.person_id]
        return [ending(permit, "left") for permit in theirs if book.given(permit.right_id) <= event.since]

    async def pass_issued(event: access.VisitorPassIssued, row: Recorded) -> list[Do]:
        if event.plate is None:
            return []
        return await granted(
            row, moved(event.plate), right_id=event.pass_id, kind="visitor_pass", valid_from=event.valid_from,
            valid_until=event.valid_until, uses=event.uses, person_id=event.host_id, source_id=event.pass_id, reason=event.kind)

    async def pass_revoked(event: access.VisitorPassRevoked, row: Recorded) -> list[Do]:
        return [Do("end", event.pass_id, EndPlateRight(event.pass_id, "pass_revoked"))]

    return Reaction("rights_of_plates", {
        identity.VehicleRegistered: vehicle_registered, identity.VehicleVerified: vehicle_verified,
        identity.VehicleRemoved: vehicle_removed, identity.PersonLeft: person_left,
        access.VisitorPassIssued: pass_issued, access.VisitorPassRevoked: pass_revoked})


def ending(permit: PlateRightGranted, reason: str) -> Do:
    return Do(f"end {permit.right_id}", permit.right_id, EndPlateRight(permit.right_id, reason))
