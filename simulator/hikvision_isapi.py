"""The ISAPI face of a simulated terminal, behind HTTP digest, as far as Lifang and its tests use it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from lxml import etree
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulator.hikvision_bodies import BOUNDARY, NAMESPACE, device_info, heartbeat, response_status, stream_part
from simulator.hikvision_device import Order, Push, Terminal
from simulator.http_digest import Digest

HEARTBEAT_SECONDS = 30.0
MAX_BODY = 64 * 1024
_NO_HOSTS = f'<HttpHostNotificationList version="2.0" xmlns="{NAMESPACE}"/>'.encode()
_XML = "application/xml"


def isapi(terminal: Terminal, password: str) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The terminal's ASGI application."""
    face = _Face(terminal)
    routes = [
        Route("/ISAPI/AccessControl/RemoteControl/door/{door_no:int}", face.remote_control, methods=["PUT"]),
        Route("/ISAPI/AccessControl/remoteCheck", face.remote_check, methods=["PUT"]),
        Route("/ISAPI/System/deviceInfo", face.device_info, methods=["GET"]),
        Route("/ISAPI/Event/notification/httpHosts", face.http_hosts, methods=["GET", "PUT"]),
        Route("/ISAPI/Event/notification/alertStream", face.alert_stream, methods=["GET"]),
    ]
    return _Guarded(Starlette(routes=routes), Digest("LF-SIM", terminal.config.user, password))


class _Check(Struct):
    serialNo: int
    checkResult: Literal["success", "failed"]


class _Envelope(Struct):
    RemoteCheck: _Check


class _Guarded:
    def __init__(self, app: Starlette, digest: Digest) -> None:
        self._app, self._digest = app, digest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if self._digest.admits(authorization, scope["method"], target):
            await self._app(scope, receive, send)
            return
        headers = {"WWW-Authenticate": self._digest.challenge()}
        refusal = response_status(4, "Invalid Operation", "unauthorized", scope["path"])
        await Response(refusal, 401, headers, media_type=_XML)(scope, receive, send)


class _Face:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def remote_control(self, request: Request) -> Response:
        terminal, faults, door_no = self._terminal, self._terminal.faults, request.path_params["door_no"]
        command = _text_of(await _small_body(request), "cmd")
        possible = command == "open" and 1 <= door_no <= terminal.config.doors
        order = Order(door_no=door_no, command=command, received_at=datetime.now(UTC))
        terminal.orders.append(order)
        if possible and (faults.open or not faults.drop):
            order.opened = True
            terminal.open_door(door_no, by_order=True)
        if faults.drop:
            await _never(request, terminal)
        order.answered = not faults.drop
        if possible:
            return _status(request, 200, 1, "OK", "ok")
        return _status(request, 403, 4, "Invalid Operation", "notSupport")

    async def remote_check(self, request: Request) -> Response:
        """The answer to an event that asked, by its serial number; refused where nobody waits for it (any more)."""
        try:
            check = msgspec.json.decode(await _small_body(request), type=_Envelope).RemoteCheck
        except msgspec.MsgspecError:
            return _status(request, 400, 6, "Invalid Content", "badJsonContent")
        waiting = self._terminal.asked.get(check.serialNo)
        if waiting is None or waiting.done():
            return _status(request, 403, 4, "Invalid Operation", "eventNotSupport")
        waiting.set_result(check.checkResult == "success")
        return _status(request, 200, 1, "OK", "ok")

    async def device_info(self, _: Request) -> Response:
        config = self._terminal.config
        serial_number = config.serial if isinstance(config.serial, str) else f"LF-SIM-{config.device_id}"
        return Response(device_info(self._terminal.origin, serial_number), media_type=_XML)

    async def http_hosts(self, request: Request) -> Response:
        """PUT takes an HttpHostNotificationList; its first host becomes the push address."""
        terminal = self._terminal
        if request.method == "GET":
            return Response(terminal.http_hosts or _NO_HOSTS, media_type=_XML)
        content = await _small_body(request)
        host, path = _text_of(content, "ipAddress") or _text_of(content, "hostName"), _text_of(content, "url")
        if not host:
            return _status(request, 400, 6, "Invalid XML Content", "badXmlContent")
        scheme, port = _text_of(content, "protocolType").lower() or "http", _text_of(content, "portNo") or "80"
        terminal.http_hosts = content
        terminal.push_to = Push(f"{scheme}://{host}:{port}{path}", terminal.push_to.headers)
        return _status(request, 200, 1, "OK", "ok")

    async def alert_stream(self, _: Request) -> Response:
        return StreamingResponse(self._parts(), media_type=f"multipart/mixed; boundary={BOUNDARY}")

    async def _parts(self) -> AsyncIterator[bytes]:
        terminal = self._terminal
        queue: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()
        stopping = asyncio.ensure_future(terminal.stopping.wait())
        terminal.listeners.add(queue)
        try:
            yield stream_part(heartbeat(terminal.origin, datetime.now().astimezone()), _XML)
            while not terminal.stopping.is_set():
                getting = asyncio.ensure_future(queue.get())
                await asyncio.wait((getting, stopping), timeout=HEARTBEAT_SECONDS, return_when="FIRST_COMPLETED")
                if getting.done():
                    yield stream_part(*getting.result())
                elif getting.cancel() and not terminal.stopping.is_set():
                    yield stream_part(heartbeat(terminal.origin, datetime.now().astimezone()), _XML)
        finally:
            terminal.listeners.discard(queue)
            stopping.cancel()


async def _never(request: Request, terminal: Terminal) -> None:
    """Until the caller gives up or the simulator ends."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    waits = {asyncio.ensure_future(gone()), asyncio.ensure_future(terminal.stopping.wait())}
    await asyncio.wait(waits, return_when="FIRST_COMPLETED")
    for wait in waits:
        wait.cancel()


async def _small_body(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            return b""
    return content


def _text_of(content: bytes, name: str) -> str:
    """The text of the first element of that local name; nothing where it is missing or the XML is broken."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return ""
    found = next(root.iter(f"{{*}}{name}"), None)
    return (found.text or "").strip() if found is not None else ""


def _status(request: Request, http: int, code: int, text: str, sub: str) -> Response:
    return Response(response_status(code, text, sub, request.url.path), http, media_type=_XML)
