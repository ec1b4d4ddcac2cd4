"""The ISAPI face of a simulated terminal, behind HTTP digest, as far as Lifang and its tests use it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulator.hikvision_bodies import BOUNDARY, NAMESPACE, device_info, found_events, heartbeat, stream_part
from simulator.hikvision_device import STATES, Order, Push, Terminal
from simulator.http_digest import Digest
from simulator.isapi_face import XML, Guarded, small_body, status, text_of

HEARTBEAT_SECONDS = 30.0
PAGE = 10
_NO_HOSTS = f'<HttpHostNotificationList version="2.0" xmlns="{NAMESPACE}"/>'.encode()


def isapi(terminal: Terminal, password: str) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The terminal's ASGI application."""
    face = _Face(terminal)
    routes = [
        Route("/ISAPI/AccessControl/RemoteControl/door/{door_no:int}", face.remote_control, methods=["PUT"]),
        Route("/ISAPI/AccessControl/remoteCheck", face.remote_check, methods=["PUT"]),
        Route("/ISAPI/AccessControl/UserInfo/Delete", face.delete_persons, methods=["PUT"]),
        Route("/ISAPI/AccessControl/AcsEvent", face.search, methods=["POST"]),
        Route("/ISAPI/System/deviceInfo", face.device_info, methods=["GET"]),
        Route("/ISAPI/Event/notification/httpHosts", face.http_hosts, methods=["GET", "PUT"]),
        Route("/ISAPI/Event/notification/alertStream", face.alert_stream, methods=["GET"]),
    ]
    return Guarded(Starlette(routes=routes), Digest("LF-SIM", terminal.config.user, password))


class _Check(Struct):
    serialNo: int
    checkResult: Literal["success", "failed"]


class _Envelope(Struct):
    RemoteCheck: _Check


class _Number(Struct):
    employeeNo: str


class _Numbers(Struct):
    EmployeeNoList: list[_Number]


class _Deletion(Struct):
    UserInfoDelCond: _Numbers


class _Condition(Struct):
    searchID: str
    searchResultPosition: int
    maxResults: int
    major: int = 0
    minor: int = 0
    beginSerialNo: int = 1
    endSerialNo: int = 2**31 - 1


class _Search(Struct):
    AcsEventCond: _Condition


class _Face:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def remote_control(self, request: Request) -> Response:
        terminal, faults, door_no = self._terminal, self._terminal.faults, request.path_params["door_no"]
        command = text_of(await small_body(request), "cmd")
        known = (command == "open" or command in STATES) and door_no in terminal.relays
        possible = known and not faults.refuse
        order = Order(door_no=door_no, command=command, received_at=datetime.now(UTC))
        terminal.orders.append(order)
        if possible and (faults.open or not faults.drop):
            if command == "open":
                order.opened = True
                terminal.open_door(door_no, by_order=True)
            else:
                terminal.hold(door_no, command)
        if faults.drop:
            await _never(request, terminal)
        order.answered = not faults.drop
        if possible:
            return status(request, 200, 1, "OK", "ok")
        return status(request, 403, 4, "Invalid Operation", "notSupport")

    async def remote_check(self, request: Request) -> Response:
        """The answer to an event that asked, by its serial number; refused where nobody waits for it (any more)."""
        try:
            check = msgspec.json.decode(await small_body(request), type=_Envelope).RemoteCheck
        except msgspec.MsgspecError:
            return status(request, 400, 6, "Invalid Content", "badJsonContent")
        waiting = self._terminal.asked.get(check.serialNo)
        if waiting is None or waiting.done():
            return status(request, 403, 4, "Invalid Operation", "eventNotSupport")
        waiting.set_result(check.checkResult == "success")
        return status(request, 200, 1, "OK", "ok")

    async def delete_persons(self, request: Request) -> Response:
        """Whom it does not know it forgets all the same."""
        try:
            asked = msgspec.json.decode(await small_body(request), type=_Deletion).UserInfoDelCond.EmployeeNoList
        except msgspec.MsgspecError:
            return status(request, 400, 6, "Invalid Content", "badJsonContent")
        if self._terminal.faults.refuse:
            return status(request, 403, 4, "Invalid Operation", "notSupport")
        self._terminal.forgotten += [each.employeeNo for each in asked]
        return status(request, 200, 1, "OK", "ok")

    async def search(self, request: Request) -> Response:
        """Kept events between two serial numbers, both inclusive, at most PAGE at once."""
        try:
            asked = msgspec.json.decode(await small_body(request), type=_Search).AcsEventCond
        except msgspec.MsgspecError:
            return status(request, 400, 6, "Invalid Content", "badJsonContent")
        matches = [each for each in self._terminal.memory if asked.beginSerialNo <= each.serial <= asked.endSerialNo
                   and asked.major in (0, each.major) and asked.minor in (0, each.minor)]
        first = asked.searchResultPosition
        found = matches[first : first + min(asked.maxResults, PAGE)]
        self._terminal.searches += 1
        return Response(
            found_events(asked.searchID, found, len(matches), more=first + len(found) < len(matches)),
            media_type="application/json")

    async def device_info(self, _: Request) -> Response:
        config = self._terminal.config
        serial_number = config.serial if isinstance(config.serial, str) else f"LF-SIM-{config.device_id}"
        return Response(device_info(self._terminal.origin, serial_number), media_type=XML)

    async def http_hosts(self, request: Request) -> Response:
        """PUT takes an HttpHostNotificationList; its first host becomes the push address."""
        terminal = self._terminal
        if request.method == "GET":
            return Response(terminal.http_hosts or _NO_HOSTS, media_type=XML)
        content = await small_body(request)
        host, path = text_of(content, "ipAddress") or text_of(content, "hostName"), text_of(content, "url")
        if not host:
            return status(request, 400, 6, "Invalid XML Content", "badXmlContent")
        scheme, port = text_of(content, "protocolType").lower() or "http", text_of(content, "portNo") or "80"
        terminal.http_hosts = content
        terminal.push_to = Push(f"{scheme}://{host}:{port}{path}", terminal.push_to.headers)
        return status(request, 200, 1, "OK", "ok")

    async def alert_stream(self, _: Request) -> Response:
        return StreamingResponse(self._parts(), media_type=f"multipart/mixed; boundary={BOUNDARY}")

    async def _parts(self) -> AsyncIterator[bytes]:
        terminal = self._terminal
        queue: asyncio.Queue[tuple[bytes, str] | None] = asyncio.Queue()
        stopping = asyncio.ensure_future(terminal.stopping.wait())
        terminal.listeners.add(queue)
        try:
            yield stream_part(heartbeat(terminal.origin, datetime.now().astimezone()), XML)
            while not terminal.stopping.is_set():
                getting = asyncio.ensure_future(queue.get())
                await asyncio.wait((getting, stopping), timeout=HEARTBEAT_SECONDS, return_when="FIRST_COMPLETED")
                if getting.done():
                    told = getting.result()
                    if told is None:
                        return
                    if not terminal.faults.silent:
                        yield stream_part(*told)
                elif getting.cancel() and not terminal.stopping.is_set() and not terminal.faults.silent:
                    yield stream_part(heartbeat(terminal.origin, datetime.now().astimezone()), XML)
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
