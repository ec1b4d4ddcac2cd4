"""What parking keeps about the caller, for the caller alone: the part of an export that is here only. Rights of plates that staff have
given them or their vehicles, also those that are over and the black list, with staff's words, and the months that they have paid for."""

from typing import Any

from fastapi import APIRouter, Response

from libs.contracts.permissions import DATA_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, json, permitted
from libs.eventkit.service import App
from services.parking.domain.plate_rights import PLATE_RIGHTS, Held, NoRight, PlateRight
from services.parking.erasures import rights_of

MOST = 1000
SHOWN = ("kind", "lot_id", "valid_from", "valid_until", "uses", "reason", "monthly", "space_id")


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/me/data")
    async def read_own_data(principal: Principal = permitted(DATA_OWN)) -> Response:
        """Part of `GET /v1/me/export` of the gateway. `plate`: null where it cannot be read any more."""
        community_id, found = community_of(principal), dict[Any, PlateRight]()
        for right_id in (await rights_of(app, community_id, principal.id))[:MOST]:
            found[right_id], _ = await app.commands.state(PLATE_RIGHTS, right_id, community_id)
        held = {i: right if isinstance(right, Held) else right.last for i, right in found.items() if not isinstance(right, NoRight)}
        plates = await app.keyring.open_all([one.granted.plate for one in held.values()])
        rights = [
            {"id": right_id, "plate": plate.decode() if isinstance(plate, bytes) else None, "ended": not isinstance(found[right_id], Held),
             **{name: getattr(one.granted, name) for name in SHOWN}, "renewals": renewals(one)}
            for (right_id, one), plate in zip(held.items(), plates, strict=True)]
        return json({"plate_rights": rights}, 200, {"Cache-Control": "no-store"})

    return router


def renewals(held: Held) -> list[dict[str, Any]]:
    return [
        {"id": asked.payment_id, "months": asked.months, "amount": asked.amount, "begins": asked.begins,
         "paid": asked.payment_id in held.paid} for asked in held.asked]
