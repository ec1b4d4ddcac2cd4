"""Commands go to the service that owns them; the token goes along, since its audience names that service too."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath

from libs.contracts.permissions import DOORS_OPEN, ME_READ
from libs.eventkit.http import open_to_all, permitted
from libs.eventkit.service import App
from services.gateway.forwarding import Upstream

PASSED_ON: dict[str, Any] = msgspec.json.decode(Path(__file__).with_name("passed_on.json").read_bytes())
"""What the services behind ask for, by operation; generated (`python -m cli.streams`), since no service imports another."""
SignInId = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/sign-ins", dependencies=[open_to_all], status_code=202,
                openapi_extra=PASSED_ON.get("start_sign_in"))
    async def start_sign_in(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/sign-ins")

    @found.post("/v1/sign-ins/{sign_in_id}/tokens", dependencies=[open_to_all], openapi_extra=PASSED_ON.get("take_tokens"))
    async def take_tokens(request: Request, sign_in_id: SignInId) -> Response:
        return await upstream.forward(request, "identity", f"/v1/sign-ins/{sign_in_id}/tokens")

    @found.post("/v1/token-renewals", dependencies=[open_to_all], openapi_extra=PASSED_ON.get("renew_token"))
    async def renew_token(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/token-renewals")

    @found.delete("/v1/sessions/current", dependencies=[permitted(ME_READ)], status_code=204,
                  openapi_extra=PASSED_ON.get("sign_out"))
    async def sign_out(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/sessions/current")

    @found.post("/v1/doors/{door_id}/openings", dependencies=[permitted(DOORS_OPEN)], status_code=201,
                openapi_extra=PASSED_ON.get("order_opening"))
    async def order_opening(request: Request, door_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/doors/{door_id}/openings")

    return found
