"""Commands about visitors, cars and lanes, passed on to the services that own them as in `commands.py`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import (
    PARKING_GUARD,
    PARKING_MANAGE,
    PARKING_READ_OWN,
    VEHICLES_DECLARE_OWN,
    VEHICLES_MANAGE,
    VISITOR_PASSES_ISSUE_OWN,
    VISITOR_PASSES_MANAGE,
)
from libs.eventkit.http import permitted
from libs.eventkit.service import App
from services.gateway.api.commands import PASSED_ON
from services.gateway.forwarding import Upstream

HOST = [permitted(VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE)]
KEEPER = [permitted(VEHICLES_DECLARE_OWN, VEHICLES_MANAGE)]
PAYER = [permitted(PARKING_GUARD, PARKING_READ_OWN)]
HOLDER = [permitted(PARKING_MANAGE, PARKING_READ_OWN)]
GUARD = [permitted(PARKING_GUARD)]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/visitor-passes", dependencies=HOST, status_code=201, openapi_extra=PASSED_ON.get("issue_pass"))
    async def issue_pass(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/visitor-passes")

    @found.post("/v1/visitor-passes/{pass_id}/revocations", dependencies=HOST, status_code=201,
                openapi_extra=PASSED_ON.get("revoke_pass"))
    async def revoke_pass(request: Request, pass_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/visitor-passes/{pass_id}/revocations")

    @found.post("/v1/vehicles", dependencies=KEEPER, status_code=201, openapi_extra=PASSED_ON.get("register_vehicle"))
    async def register_vehicle(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/vehicles")

    @found.delete("/v1/vehicles/{vehicle_id}", dependencies=KEEPER, status_code=204,
                  openapi_extra=PASSED_ON.get("remove_vehicle"))
    async def remove_vehicle(request: Request, vehicle_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/vehicles/{vehicle_id}")

    @found.post("/v1/parking-sessions/{session_id}/payments", dependencies=PAYER, status_code=201,
                openapi_extra=PASSED_ON.get("ask_payment"))
    async def ask_payment(request: Request, session_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/sessions/{session_id}/payments")

    @found.post("/v1/parking-sessions/{session_id}/settlements", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("settle_session"))
    async def settle_session(request: Request, session_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/sessions/{session_id}/settlements")

    @found.post("/v1/parking-sessions/{session_id}/corrections", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("correct_stay"))
    async def correct_stay(request: Request, session_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/sessions/{session_id}/corrections")

    @found.post("/v1/permits/{right_id}/renewals", dependencies=HOLDER, status_code=201, openapi_extra=PASSED_ON.get("ask_renewal"))
    async def ask_renewal(request: Request, right_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/plate-rights/{right_id}/renewals")

    @found.post("/v1/lanes/{lane_id}/openings", dependencies=GUARD, status_code=201, openapi_extra=PASSED_ON.get("open_lane"))
    async def open_lane(request: Request, lane_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/lanes/{lane_id}/openings")

    @found.post("/v1/parking-findings/{finding_id}/settlements", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("settle_finding"))
    async def settle_finding(request: Request, finding_id: UUID) -> Response:
        return await upstream.forward(request, "parking", f"/v1/parking/findings/{finding_id}/settlements")

    return found
