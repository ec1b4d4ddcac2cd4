"""All routes of the gateway."""

from fastapi import APIRouter, Response

from libs.eventkit.http import json, open_to_all
from libs.eventkit.service import App
from services.gateway.api import (
    cars,
    doors,
    explanation,
    export,
    government,
    incident_events,
    incidents,
    lanes,
    live,
    looking_back,
    me,
    passing,
    people,
    told,
    webhooks,
)
from services.gateway.api.passed_on import access, alarm, devices, identity, neighbors, parking

PASSED_ON = (identity.TABLE, access.TABLE, devices.TABLE, parking.TABLE, alarm.TABLE, neighbors.TABLE)
LINKS = {
    "name": "Lifang gateway", "openapi": "/openapi.json", "sign_in": "/v1/sign-ins", "me": "/v1/me",
    "my_doors": "/v1/me/doors", "my_lifts": "/v1/me/lifts", "my_door_events": "/v1/me/door-events", "my_visitors": "/v1/me/visitors",
    "my_cars": "/v1/me/cars", "my_parking_sessions": "/v1/me/parking-sessions", "my_permits": "/v1/me/permits", "lanes": "/v1/lanes",
    "parking_findings": "/v1/parking-findings", "parking_occupancy": "/v1/parking-occupancy", "doors": "/v1/doors",
    "door_events": "/v1/door-events", "live": "/v1/live", "explanation": "/v1/events/{event_id}/explanation",
    "my_alarms": "/v1/me/alarms", "my_notices": "/v1/me/notices", "incidents": "/v1/incidents", "fire_releases": "/v1/fire-releases",
    "notices": "/v1/notices", "government_incidents": "/v1/government/incidents", "government_population": "/v1/government/population",
    "government_parking": "/v1/government/parking", "government_incident_events": "/v1/government/incident-events",
    "government_webhooks": "/v1/government/webhooks",
    "my_looks": "/v1/me/looks", "my_consents": "/v1/me/consents", "my_export": "/v1/me/export", "my_erasure": "/v1/me/erasure",
    "erasures": "/v1/erasures", "consents": "/v1/consents", "accounts": "/v1/accounts", "buildings": "/v1/buildings",
    "homes": "/v1/homes", "residents": "/v1/residents", "residences": "/v1/residences", "lifts": "/v1/lifts",
    "credentials": "/v1/credentials", "parking_lots": "/v1/parking/lots", "parking_lanes": "/v1/parking/lanes",
    "plate_rights": "/v1/parking/plate-rights", "parking_sessions": "/v1/parking-sessions", "visitor_passes": "/v1/visitor-passes",
    "visitor_qr_keys": "/v1/visitor-qr-keys", "my_visitor_notices": "/v1/me/visitor-notices", "vehicles": "/v1/vehicles",
    "organisations": "/v1/organisations", "notice_deliveries": "/v1/notice-deliveries", "face_templates": "/v1/face-templates",
    "devices": "/v1/devices", "unplaced_findings": "/v1/devices/unplaced-findings", "ready": "/readyz"}


def routes(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/", dependencies=[open_to_all])
    async def list_links() -> Response:
        return json(LINKS)

    for part in (
            me, cars, doors, looking_back, lanes, incidents, told, government, incident_events, webhooks, live, explanation, people,
            export):
        found.include_router(part.router(app))
    for table in PASSED_ON:
        found.include_router(passing.router(app, table))
    return found
