"""Commands go to the service that owns them; the token goes along, since its audience names that service too."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from libs.contracts.permissions import DOORS_OPEN, ME_READ
from libs.eventkit.http import open_to_all, permitted
from libs.eventkit.service import App
from services.gateway.forwarding import Upstream

JSON_BODY: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}
SignInId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/sign-ins", dependencies=[open_to_all], status_code=202, openapi_extra=JSON_BODY)
    async def start_sign_in(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/sign-ins")

    @found.post("/v1/sign-ins/{sign_in_id}/tokens", dependencies=[open_to_all], openapi_extra=JSON_BODY)
    async def take_tokens(request: Request, sign_in_id: SignInId) -> Response:
        return await upstream.forward(request, "identity", f"/v1/sign-ins/{sign_in_id}/tokens")

    @found.post("/v1/token-renewals", dependencies=[open_to_all], openapi_extra=JSON_BODY)
    async def renew_token(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/token-renewals")

    @found.delete("/v1/sessions/current", dependencies=[permitted(ME_READ)], status_code=204)
    async def sign_out(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/sessions/current")

    @found.post("/v1/doors/{door_id}/openings", dependencies=[permitted(DOORS_OPEN)], status_code=201,
                openapi_extra=JSON_BODY)
    async def order_opening(request: Request, door_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/doors/{door_id}/openings")

    return found
