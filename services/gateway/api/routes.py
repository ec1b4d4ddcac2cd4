"""All routes of the gateway."""

from fastapi import APIRouter, Response

from libs.eventkit.http import json, open_to_all
from libs.eventkit.service import App
from services.gateway.api import cars, commands, doors, explanation, gate_commands, lanes, live, me

LINKS = {
    "name": "Lifang gateway", "openapi": "/openapi.json", "sign_in": "/v1/sign-ins", "me": "/v1/me",
    "my_doors": "/v1/me/doors", "my_door_events": "/v1/me/door-events", "my_visitors": "/v1/me/visitors",
    "my_cars": "/v1/me/cars", "my_parking_sessions": "/v1/me/parking-sessions", "my_permits": "/v1/me/permits", "lanes": "/v1/lanes",
    "parking_findings": "/v1/parking-findings", "doors": "/v1/doors",
    "door_events": "/v1/door-events", "live": "/v1/live", "explanation": "/v1/events/{event_id}/explanation",
    "ready": "/readyz"}


def routes(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/", dependencies=[open_to_all])
    async def list_links() -> Response:
        return json(LINKS)

    for part in (me, cars, doors, lanes, live, explanation, commands, gate_commands):
        found.include_router(part.router(app))
    return found
