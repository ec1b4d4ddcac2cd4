"""Where devices push. A device is let in by its own credential (HTTP Basic, RFC 7617) and speaks its own protocol."""

import asyncio
import base64
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTask

from libs.contracts import permissions
from libs.eventkit import http, problems
from libs.eventkit.commands import Done
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.devices.adapters import hikvision, onvif, vzenith
from services.devices.adapters.report import Report, Unreadable
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.reports import DeviceReported
from services.devices.intake import Intake
from services.devices.waiting import Answer
from services.devices.waiting import answer as answer_to

PREFIX = "/v1/device-reports"
_OK = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    b"<statusCode>1</statusCode><statusString>OK</statusString><subStatusCode>ok</subStatusCode></ResponseStatus>\n")

log = logging.getLogger(__name__)
Read = Callable[[bytes, str], list[Report]]


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

    async def taken(request: Request, device: KnownDevice, read: Read) -> tuple[Intake, Done] | Response:
        """What came of the body; or 400 with the reason for what is no such thing, which is kept too."""
        body, content_type = await request.body(), request.headers.get("content-type", "")
        intake = Intake(app, book, device, http.context(request, None, device.community_id))
        try:
            reports = read(body, content_type)
        except Unreadable as unreadable:
            log.info("device %s sent a body that is %s", device.device_id, unreadable.code)
            await intake.keep_unreadable(body, content_type, unreadable.code)
            return problems.answer(400, unreadable.code, unreadable.detail)
        return intake, await intake.take(body, content_type, reports)

    @router.post("/hikvision/{device_id}")
    async def report_by_isapi(request: Request, device: KnownDevice = Depends(device_itself)) -> Response:
        """Takes whatever a Hikvision device pushes, up to 4 MiB, pictures included."""
        if isinstance(found := await taken(request, device, hikvision.read), Response):
            return found
        header = http.position_header(app.service.name, app.commands.generation, found[1])
        return Response(_OK, 200, header, media_type="application/xml")

    @router.post("/onvif/{device_id}")
    async def report_by_notification(request: Request, device: KnownDevice = Depends(device_itself)) -> Response:
        """Takes what an ONVIF camera notifies (WS-BaseNotification `Notify`), or what was pulled from it, up to 4 MiB."""
        if isinstance(found := await taken(request, device, onvif.read), Response):
            return found
        return Response(b"", 200, http.position_header(app.service.name, app.commands.generation, found[1]))

    @router.post("/vzenith/{device_id}")
    async def report_by_plate_push(
        request: Request, device: KnownDevice = Depends(device_itself),
    ) -> Response:
        """Takes what a VZenith camera pushes, up to 4 MiB, and tells it, within its limit of time, whether to lift the barrier."""
        until = asyncio.get_running_loop().time() + device.description.answer_ms / 1000
        if isinstance(found := await taken(request, device, vzenith.read), Response):
            return found
        said, told = await answered(*found, until), found[0].told[0]
        plate_id = told.detail.get("plateid")
        answer = vzenith.answer(
            said.admitted if told.kind == "plate_read" else None, plate_id if isinstance(plate_id, int) else None, told.history)
        header = http.position_header(app.service.name, app.commands.generation, found[1])
        return Response(answer, 200, header, media_type="application/json", background=BackgroundTask(said.sent))

    async def answered(intake: Intake, done: Done, until: float) -> Answer:
        """History and what was told before opens nothing."""
        before = done.outcome.position - len(done.outcome.events)
        for n, (event_id, event) in enumerate(zip(done.outcome.events, await app.commands.said(done), strict=True), 1):
            if isinstance(event, DeviceReported) and event.live and event.told.awaits_decision:
                return await answer_to(app, intake.device, event.told.report_id, event_id, before + n, until, intake.context)
        return Answer(False)

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


def push_of(app: App, device_id: UUID, kind: str = "hikvision-terminal") -> dict[str, Any]:
    return {"url": f"{app.settings.url_of('devices').rstrip('/')}{PREFIX}/{kind.partition('-')[0]}/{device_id}"}
