"""Commands about fire releases, broadcasts, notices, circles and population, passed on as in `commands.py`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import BROADCASTS_SEND, FIRE_RELEASE, NEIGHBORS_OWN, NOTICES_POST, POPULATION_DECLARE
from libs.eventkit.http import permitted
from libs.eventkit.service import App
from services.gateway.api.commands import PASSED_ON
from services.gateway.forwarding import Upstream

RELEASER = [permitted(FIRE_RELEASE)]
SENDER = [permitted(BROADCASTS_SEND)]
POSTER = [permitted(NOTICES_POST)]
NEIGHBOR = [permitted(NEIGHBORS_OWN)]
MEMBERS = [permitted(NEIGHBORS_OWN, NOTICES_POST, BROADCASTS_SEND)]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/fire-releases", dependencies=RELEASER, status_code=201, openapi_extra=PASSED_ON.get("begin_fire_release"))
    async def begin_fire_release(request: Request) -> Response:
        return await upstream.forward(request, "access", "/v1/fire-releases")

    @found.post("/v1/fire-releases/{release_id}/endings", dependencies=RELEASER, status_code=201,
                openapi_extra=PASSED_ON.get("end_fire_release"))
    async def end_fire_release(request: Request, release_id: UUID) -> Response:
        return await upstream.forward(request, "access", f"/v1/fire-releases/{release_id}/endings")

    @found.post("/v1/notices", dependencies=POSTER, status_code=201, openapi_extra=PASSED_ON.get("post_notice"))
    async def post_notice(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/notices")

    @found.post("/v1/notices/{notice_id}/withdrawals", dependencies=POSTER, status_code=201,
                openapi_extra=PASSED_ON.get("withdraw_notice"))
    async def withdraw_notice(request: Request, notice_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/notices/{notice_id}/withdrawals")

    @found.post("/v1/notices/{notice_id}/receipts", dependencies=NEIGHBOR, status_code=201, openapi_extra=PASSED_ON.get("read_notice"))
    async def read_notice(request: Request, notice_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/notices/{notice_id}/receipts")

    @found.get("/v1/notices/{notice_id}/receipts", dependencies=POSTER, openapi_extra=PASSED_ON.get("list_receipts"))
    async def list_receipts(request: Request, notice_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/notices/{notice_id}/receipts")

    @found.get("/v1/broadcasts", dependencies=SENDER, openapi_extra=PASSED_ON.get("list_broadcasts"))
    async def list_broadcasts(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/broadcasts")

    @found.post("/v1/broadcasts", dependencies=SENDER, status_code=201, openapi_extra=PASSED_ON.get("send_broadcast"))
    async def send_broadcast(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/broadcasts")

    @found.post("/v1/broadcasts/{broadcast_id}/receipts", dependencies=NEIGHBOR, status_code=201,
                openapi_extra=PASSED_ON.get("confirm_broadcast"))
    async def confirm_broadcast(request: Request, broadcast_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/broadcasts/{broadcast_id}/receipts")

    @found.post("/v1/broadcasts/{broadcast_id}/endings", dependencies=SENDER, status_code=201,
                openapi_extra=PASSED_ON.get("end_broadcast"))
    async def end_broadcast(request: Request, broadcast_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/broadcasts/{broadcast_id}/endings")

    @found.get("/v1/me/display-name", dependencies=NEIGHBOR, openapi_extra=PASSED_ON.get("show_display_name"))
    async def show_display_name(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/me/display-name")

    @found.put("/v1/me/display-name", dependencies=NEIGHBOR, openapi_extra=PASSED_ON.get("choose_display_name"))
    async def choose_display_name(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/me/display-name")

    @found.get("/v1/me/circles", dependencies=NEIGHBOR, openapi_extra=PASSED_ON.get("list_my_circles"))
    async def list_my_circles(request: Request) -> Response:
        return await upstream.forward(request, "neighbors", "/v1/me/circles")

    @found.get("/v1/circles/{circle_id}/members", dependencies=MEMBERS, openapi_extra=PASSED_ON.get("list_members"))
    async def list_members(request: Request, circle_id: UUID) -> Response:
        return await upstream.forward(request, "neighbors", f"/v1/circles/{circle_id}/members")

    @found.post("/v1/residents/{resident_id}/population-declarations", dependencies=[permitted(POPULATION_DECLARE)], status_code=201,
                openapi_extra=PASSED_ON.get("declare_population"))
    async def declare_population(request: Request, resident_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/residents/{resident_id}/population-declarations")

    return found
