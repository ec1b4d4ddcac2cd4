"""Vehicles of homes and guests with a plate become rights; whoever made them takes them back."""

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from libs.contracts import access, identity
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.parking.domain.plate_rights import PLATE_RIGHTS, EndPlateRight, GrantPlateRight, Held, PlateRightGranted
from services.parking.lane_desk import index_of, moved, opened


def rights_of_plates(app: App) -> Reaction:
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
        return [Do("end", event.vehicle_id, EndPlateRight(event.vehicle_id, "vehicle_removed"))]

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
        identity.VehicleRemoved: vehicle_removed,
        access.VisitorPassIssued: pass_issued, access.VisitorPassRevoked: pass_revoked})
