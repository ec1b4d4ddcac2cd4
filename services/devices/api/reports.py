"""Where devices push. A device is let in by its own credential (HTTP Basic, RFC 7617) and speaks its own protocol."""

import base64
import logging
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from libs.contracts import permissions
from libs.eventkit import http, problems
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.devices.adapters.hikvision import Unreadable, read
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.intake import Intake

PREFIX = "/v1/device-reports"
_OK = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    b"<statusCode>1</statusCode><statusString>OK</statusString><subStatusCode>ok</subStatusCode></ResponseStatus>\n")

log = logging.getLogger(__name__)


def routes(app: App, book: DeviceBook) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    async def device_itself(device_id: UUID, request: Request) -> KnownDevice:
        """Raises Problem 401 for anybody but this device."""
        name, credential = _basic(request.headers.get("authorization", ""))
        found = await book.authenticated(device_id, credential) if name.lower() == str(device_id) else None
        if found is None:
            raise Problem(401, "device_unknown_or_credential_wrong",
                          headers={"WWW-Authenticate": 'Basic realm="lifang devices", charset="UTF-8"'})
        return found

    device_itself.guards = (permissions.DEVICES_REPORT,)  # type: ignore[attr-defined]

    @router.post("/hikvision/{device_id}")
    async def hikvision(request: Request, device: KnownDevice = Depends(device_itself)) -> Response:
        """Takes whatever a Hikvision device pushes; 400 with the reason for what is no such thing, which is kept too."""
        body, content_type = await request.body(), request.headers.get("content-type", "")
        intake = Intake(app, book, device, http.context(request, None, device.community_id))
        try:
            reports = read(body, content_type)
        except Unreadable as unreadable:
            log.info("device %s sent a body that is %s", device.device_id, unreadable.code)
            await intake.keep_unreadable(body, content_type, unreadable.code)
            return problems.answer(400, unreadable.code, unreadable.detail)
        done = await intake.take(body, content_type, reports)
        return Response(_OK, 200, http.position_header(app.service.name, app.commands.generation, done),
                        media_type="application/xml")

    return router


def _basic(header: str) -> tuple[str, str]:
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


def authorization(device_id: UUID, credential: str) -> str:
    """The header with which the device is let in."""
    return "Basic " + base64.b64encode(f"{device_id}:{credential}".encode()).decode()


def push_of(app: App, device_id: UUID) -> dict[str, Any]:
    return {"url": f"{app.settings.url_of('devices').rstrip('/')}{PREFIX}/hikvision/{device_id}"}
