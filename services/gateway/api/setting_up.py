"""What staff set up: doors, lifts and cards, car parks and who may stand in them; passed on to their owners as in `commands.py`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import CREDENTIALS_MANAGE, DOORS_MANAGE, DOORS_READ, PARKING_MANAGE, PARKING_READ
from libs.eventkit.http import permitted
from libs.eventkit.service import App
from services.gateway.api.commands import PASSED_ON
from services.gateway.forwarding import Upstream

DOORS, READING_DOORS, CARDS = [permitted(DOORS_MANAGE)], [permitted(DOORS_READ)], [permitted(CREDENTIALS_MANAGE)]
PARKING, READING_PARKING = [permitted(PARKING_MANAGE)], [permitted(PARKING_READ)]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/doors", dependencies=DOORS, status_code=201, openapi_extra=PASSED_ON.get("install_door"))
    async def install_door(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/doors")

    @found.put("/v1/doors/{door_id}", dependencies=DOORS, openapi_extra=PASSED_ON.get("change_door"))
    async def change_door(request: Request, door_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/doors/{door_id}")

    @found.post("/v1/lifts", dependencies=DOORS, status_code=201, openapi_extra=PASSED_ON.get("install_lift"))
    async def install_lift(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/lifts")

    @found.get("/v1/lifts", dependencies=READING_DOORS, openapi_extra=PASSED_ON.get("list_lifts"))
    async def list_lifts(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/lifts")

    @found.put("/v1/lifts/{lift_id}", dependencies=DOORS, openapi_extra=PASSED_ON.get("change_lift"))
    async def change_lift(request: Request, lift_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/lifts/{lift_id}")

    @found.put("/v1/homes/{home_id}/floor", dependencies=DOORS, openapi_extra=PASSED_ON.get("set_home_floor"))
    async def set_home_floor(request: Request, home_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/homes/{home_id}/floor")

    @found.post("/v1/credentials", dependencies=CARDS, status_code=201, openapi_extra=PASSED_ON.get("issue_credential"))
    async def issue_credential(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/credentials")

    @found.get("/v1/credentials", dependencies=CARDS, openapi_extra=PASSED_ON.get("list_credentials"))
    async def list_credentials(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/credentials")

    @found.delete("/v1/credentials/{credential_id}", dependencies=CARDS, openapi_extra=PASSED_ON.get("revoke_credential"))
    async def revoke_credential(request: Request, credential_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/credentials/{credential_id}")

    @found.get("/v1/credentials/{credential_id}/readers", dependencies=CARDS, openapi_extra=PASSED_ON.get("list_readers"))
    async def list_readers(request: Request, credential_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/credentials/{credential_id}/readers")

    @found.post("/v1/parking/lots", dependencies=PARKING, status_code=201, openapi_extra=PASSED_ON.get("open_lot"))
    async def open_lot(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/lots")

    @found.get("/v1/parking/lots", dependencies=READING_PARKING, openapi_extra=PASSED_ON.get("list_lots"))
    async def list_lots(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/lots")

    @found.put("/v1/parking/lots/{lot_id}", dependencies=PARKING, openapi_extra=PASSED_ON.get("change_lot"))
    async def change_lot(request: Request, lot_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/lots/{lot_id}")

    @found.post("/v1/parking/lots/{lot_id}/tariffs", dependencies=PARKING, status_code=201, openapi_extra=PASSED_ON.get("adopt_tariff"))
    async def adopt_tariff(request: Request, lot_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/lots/{lot_id}/tariffs")

    @found.get("/v1/parking/lots/{lot_id}/tariffs", dependencies=READING_PARKING, openapi_extra=PASSED_ON.get("list_tariffs"))
    async def list_tariffs(request: Request, lot_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/lots/{lot_id}/tariffs")

    @found.post("/v1/parking/spaces", dependencies=PARKING, status_code=201, openapi_extra=PASSED_ON.get("mark_space"))
    async def mark_space(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/spaces")

    @found.delete("/v1/parking/spaces/{space_id}", dependencies=PARKING, openapi_extra=PASSED_ON.get("remove_space"))
    async def remove_space(request: Request, space_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/spaces/{space_id}")

    @found.get("/v1/parking/lots/{lot_id}/spaces", dependencies=READING_PARKING, openapi_extra=PASSED_ON.get("list_spaces"))
    async def list_spaces(request: Request, lot_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/lots/{lot_id}/spaces")

    @found.post("/v1/parking/lanes", dependencies=PARKING, status_code=201, openapi_extra=PASSED_ON.get("install_lane"))
    async def install_lane(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/lanes")

    @found.post("/v1/parking/plate-rights", dependencies=PARKING, status_code=201, openapi_extra=PASSED_ON.get("grant_plate_right"))
    async def grant_plate_right(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/plate-rights")

    @found.get("/v1/parking/plate-rights", dependencies=READING_PARKING, openapi_extra=PASSED_ON.get("list_plate_rights"))
    async def list_plate_rights(request: Request) -> Response:
        return await upstream.forward(request, "parking", "/v1/parking/plate-rights")

    @found.put("/v1/parking/plate-rights/{right_id}", dependencies=PARKING, openapi_extra=PASSED_ON.get("change_plate_right"))
    async def change_plate_right(request: Request, right_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/plate-rights/{right_id}")

    @found.delete("/v1/parking/plate-rights/{right_id}", dependencies=PARKING, openapi_extra=PASSED_ON.get("end_plate_right"))
    async def end_plate_right(request: Request, right_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/plate-rights/{right_id}")

    return found
