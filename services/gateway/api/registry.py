"""Who lives and works in a community, kept by those who work there: identity's register, passed on as in `commands.py`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import ACCOUNTS_MANAGE, HOMES_MANAGE, HOMES_READ, RESIDENTS_MANAGE, RESIDENTS_READ
from libs.eventkit.http import permitted
from libs.eventkit.service import App
from services.gateway.api.commands import PASSED_ON
from services.gateway.forwarding import Upstream

ACCOUNTS = [permitted(ACCOUNTS_MANAGE, RESIDENTS_MANAGE)]
HOMES, READING_HOMES = [permitted(HOMES_MANAGE)], [permitted(HOMES_READ)]
RESIDENTS, READING = [permitted(RESIDENTS_MANAGE)], [permitted(RESIDENTS_READ)]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/accounts", dependencies=ACCOUNTS, status_code=201, openapi_extra=PASSED_ON.get("open_account"))
    async def open_account(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/accounts")

    @found.get("/v1/accounts", dependencies=ACCOUNTS, openapi_extra=PASSED_ON.get("list_accounts"))
    async def list_accounts(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/accounts")

    @found.put("/v1/accounts/{account_id}/phone", dependencies=ACCOUNTS, openapi_extra=PASSED_ON.get("replace_phone"))
    async def replace_phone(request: Request, account_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/accounts/{account_id}/phone")

    @found.delete("/v1/accounts/{account_id}", dependencies=ACCOUNTS, status_code=204, openapi_extra=PASSED_ON.get("close_account"))
    async def close_account(request: Request, account_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/accounts/{account_id}")

    @found.post("/v1/buildings", dependencies=HOMES, status_code=201, openapi_extra=PASSED_ON.get("register_building"))
    async def register_building(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/buildings")

    @found.get("/v1/buildings", dependencies=READING_HOMES, openapi_extra=PASSED_ON.get("list_buildings"))
    async def list_buildings(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/buildings")

    @found.post("/v1/homes", dependencies=HOMES, status_code=201, openapi_extra=PASSED_ON.get("register_home"))
    async def register_home(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/homes")

    @found.get("/v1/homes", dependencies=READING_HOMES, openapi_extra=PASSED_ON.get("list_homes"))
    async def list_homes(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/homes")

    @found.post("/v1/residents", dependencies=RESIDENTS, status_code=201, openapi_extra=PASSED_ON.get("register_resident"))
    async def register_resident(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/residents")

    @found.get("/v1/residents", dependencies=READING, openapi_extra=PASSED_ON.get("list_residents"))
    async def list_residents(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/residents")

    @found.get("/v1/residents/{resident_id}", dependencies=READING, openapi_extra=PASSED_ON.get("show_resident"))
    async def show_resident(request: Request, resident_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/residents/{resident_id}")

    @found.patch("/v1/residents/{resident_id}", dependencies=RESIDENTS, openapi_extra=PASSED_ON.get("correct_contact"))
    async def correct_contact(request: Request, resident_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/residents/{resident_id}")

    @found.post("/v1/residents/{resident_id}/residences", dependencies=RESIDENTS, status_code=201,
                openapi_extra=PASSED_ON.get("start_residence"))
    async def start_residence(request: Request, resident_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/residents/{resident_id}/residences")

    @found.post("/v1/residences/{residence_id}/end", dependencies=RESIDENTS, openapi_extra=PASSED_ON.get("end_residence"))
    async def end_residence(request: Request, residence_id: UUID) -> Response:
        return await upstream.forward(request, "identity", f"/v1/residences/{residence_id}/end")

    @found.get("/v1/residences", dependencies=READING, openapi_extra=PASSED_ON.get("list_residences"))
    async def list_residences(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/residences")

    @found.get("/v1/probing-findings", dependencies=ACCOUNTS, openapi_extra=PASSED_ON.get("list_probing_findings"))
    async def list_probing_findings(request: Request) -> Response:
        return await upstream.forward(request, "identity", "/v1/probing-findings")

    return found
