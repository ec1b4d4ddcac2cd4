"""Commands about panels, sensors, deadlines and incidents, and what alarm alone keeps of them, passed on as in `commands.py`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.alarm import Severity
from libs.contracts.permissions import ALARMS_GUARD, ALARMS_MANAGE, ALARMS_RAISE_OWN, ALARMS_READ
from libs.eventkit.http import permitted
from libs.eventkit.service import App
from services.gateway.api.commands import PASSED_ON
from services.gateway.forwarding import Upstream

GUARD = [permitted(ALARMS_GUARD)]
MANAGER = [permitted(ALARMS_MANAGE)]
READER = [permitted(ALARMS_READ)]


def router(app: App) -> APIRouter:
    found, upstream = APIRouter(), Upstream(app.settings)

    @found.post("/v1/sos", dependencies=[permitted(ALARMS_RAISE_OWN)], status_code=201, openapi_extra=PASSED_ON.get("call_for_help"))
    async def call_for_help(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/sos")

    @found.post("/v1/incidents", dependencies=GUARD, status_code=201, openapi_extra=PASSED_ON.get("raise_incident"))
    async def raise_incident(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/incidents")

    @found.post("/v1/incidents/{incident_id}/acknowledgements", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("acknowledge_incident"))
    async def acknowledge_incident(request: Request, incident_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/incidents/{incident_id}/acknowledgements")

    @found.post("/v1/incidents/{incident_id}/verifications", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("verify_incident"))
    async def verify_incident(request: Request, incident_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/incidents/{incident_id}/verifications")

    @found.post("/v1/incidents/{incident_id}/false-alarms", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("find_incident_false"))
    async def find_incident_false(request: Request, incident_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/incidents/{incident_id}/false-alarms")

    @found.post("/v1/incidents/{incident_id}/dispatches", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("dispatch_to_incident"))
    async def dispatch_to_incident(request: Request, incident_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/incidents/{incident_id}/dispatches")

    @found.post("/v1/incidents/{incident_id}/resolutions", dependencies=GUARD, status_code=201,
                openapi_extra=PASSED_ON.get("resolve_incident"))
    async def resolve_incident(request: Request, incident_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/incidents/{incident_id}/resolutions")

    @found.get("/v1/panels", dependencies=READER, openapi_extra=PASSED_ON.get("list_panels"))
    async def list_panels(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/panels")

    @found.post("/v1/panels", dependencies=MANAGER, status_code=201, openapi_extra=PASSED_ON.get("install_panel"))
    async def install_panel(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/panels")

    @found.put("/v1/panels/{panel_id}", dependencies=MANAGER, openapi_extra=PASSED_ON.get("change_panel"))
    async def change_panel(request: Request, panel_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/panels/{panel_id}")

    @found.get("/v1/panels/{panel_id}/signals", dependencies=READER, openapi_extra=PASSED_ON.get("list_signals"))
    async def list_signals(request: Request, panel_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/panels/{panel_id}/signals")

    @found.get("/v1/sensors", dependencies=READER, openapi_extra=PASSED_ON.get("list_sensors"))
    async def list_sensors(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/sensors")

    @found.post("/v1/sensors", dependencies=MANAGER, status_code=201, openapi_extra=PASSED_ON.get("install_sensor"))
    async def install_sensor(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/sensors")

    @found.put("/v1/sensors/{sensor_id}", dependencies=MANAGER, openapi_extra=PASSED_ON.get("change_sensor"))
    async def change_sensor(request: Request, sensor_id: UUID) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/sensors/{sensor_id}")

    @found.get("/v1/ladders", dependencies=READER, openapi_extra=PASSED_ON.get("list_ladders"))
    async def list_ladders(request: Request) -> Response:
        return await upstream.forward(request, "alarm", "/v1/ladders")

    @found.put("/v1/ladders/{severity}", dependencies=MANAGER, openapi_extra=PASSED_ON.get("set_ladder"))
    async def set_ladder(request: Request, severity: Severity) -> Response:
        return await upstream.forward(request, "alarm", f"/v1/ladders/{severity}")

    return found
