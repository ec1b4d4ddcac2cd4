"""Simulated plate cameras with their barriers, all in one process: `python -m simulator.vzenith_camera --config FILE`.

The file: `{"cameras": [{"device_id", "name", "listen", "control", "password_file", "push": {"url", "headers"}, "serial",
"user", "answer_seconds"}]}`. A camera pushes a plate and lifts its barrier when the answer to that very push says so, or
when it is ordered to (ISAPI barrierGate, at `listen`). SIGTERM and SIGINT end it with 0.
"""

import argparse
import asyncio
import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
from msgspec import Struct, structs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.http_digest import Digest
from simulator.isapi_face import Guarded, small_body, status, text_of
from simulator.serving import UNREADABLE, App, ByAddress, answer, host_port, loopback, password, until_stopped
from simulator.vzenith_bodies import Camera, Passage, heartbeat, push

KEPT = 9000
"""Pushes that nobody took; the vendor keeps as many."""


class Push(Struct, frozen=True):
    url: str
    headers: dict[str, str] = {}


class CameraConfig(Struct, frozen=True, kw_only=True):
    """Addresses are host:port. For `answer_seconds` the camera waits for the answer to a push, and then no more."""

    device_id: str
    name: str
    listen: str
    control: str
    password_file: str
    push: Push
    serial: str = ""
    user: str = "admin"
    answer_seconds: float = 3.0


class Config(Struct, frozen=True):
    cameras: list[CameraConfig]


class Opening(Struct, frozen=True):
    """One lift of the barrier: by the answer to a push, or by an order."""

    by: Literal["answer", "order"]
    at: datetime
    plate_id: int = 0


class Answered(Struct, frozen=True):
    """What a push got, in the same response; status 0 where nothing came in time."""

    plate_id: int
    status: int
    body: str
    opened: bool = False

    @property
    def failed(self) -> bool:
        return not 200 <= self.status < 300


class Vehicle(Struct, frozen=True):
    """A vehicle before the camera, in the vendor's codes. `offline`: as if kept from the past."""

    license: str = "粤B12345"
    colour: int = 1
    kind: int = 1
    vehicle: int = 1
    confidence: int = 95
    direction: int = 4
    trigger: int = 1
    offline: bool = False
    pictures: bool = False
    at: datetime | None = None


class PlateCamera:
    def __init__(self, config: CameraConfig, client: httpx.AsyncClient) -> None:
        self.config = config
        self.openings: list[Opening] = []
        self.answers: deque[Answered] = deque(maxlen=KEPT)
        self._client = client
        self._kept: deque[Passage] = deque(maxlen=KEPT)
        self._plate_id = 0
        self._in_order = asyncio.Lock()

    @property
    def camera(self) -> Camera:
        return Camera(host_port(self.config.listen)[0], self.config.name, self.config.serial or f"lf-sim-{self.config.device_id}")

    async def passes(self, vehicle: Vehicle) -> Answered:
        """Push a plate and do what the answer says; then what was kept, as long as the server wants more of it."""
        self._plate_id += 1
        told = {name: getattr(vehicle, name) for name in Passage.__struct_fields__ if name not in ("plate_id", "at")}
        passage = Passage(plate_id=self._plate_id, at=(vehicle.at or datetime.now(UTC)).astimezone(), **told)
        async with self._in_order:
            answered = await self._push(passage)
            if answered.failed:
                self._kept.append(structs.replace(passage, offline=True))
            else:
                await self._send_kept()
        return answered

    async def beat(self) -> Answered:
        return await self._post(*heartbeat(self.camera), plate_id=0)

    async def raw(self, body: bytes, content_type: str) -> Answered:
        """Any bytes to the push address, as they are."""
        return await self._post(body, content_type, plate_id=0)

    def lift(self, by: Literal["answer", "order"], plate_id: int = 0) -> None:
        self.openings.append(Opening(by, datetime.now(UTC), plate_id))

    async def _send_kept(self) -> None:
        while self._kept:
            answered = await self._push(self._kept[0])
            if answered.failed:
                return
            self._kept.popleft()
            more = _said(answered.body).get("ContinuePushOffline")
            if not (isinstance(more, dict) and more.get("continue") == 1):
                return

    async def _push(self, passage: Passage) -> Answered:
        return await self._post(push(passage, self.camera), "application/json", passage.plate_id)

    async def _post(self, body: bytes, content_type: str, plate_id: int) -> Answered:
        headers = {**self.config.push.headers, "content-type": content_type}
        try:
            async with asyncio.timeout(self.config.answer_seconds):
                response = await self._client.post(self.config.push.url, content=body, headers=headers)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as problem:
            answered = Answered(plate_id, 0, type(problem).__name__)
        else:
            opened = response.is_success and _said(response.text).get("info") == "ok"
            answered = Answered(plate_id, response.status_code, response.text, opened)
        if answered.opened:
            self.lift("answer", plate_id)
        self.answers.append(answered)
        said = {"level": "info", "message": "answered", **msgspec.to_builtins(answered)}
        print(json.dumps(said, ensure_ascii=False), flush=True)
        return answered


def _said(body: str) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    inner = said.get("Response_AlarmInfoPlate") if isinstance(said, dict) else None
    return inner if isinstance(inner, dict) else {}


def gate(camera: PlateCamera, secret: str) -> App:
    """The camera's ISAPI face, behind HTTP digest."""

    async def barrier_gate(request: Request) -> Response:
        if request.path_params["channel"] != 1 or text_of(await small_body(request), "ctrlMode") != "open":
            return status(request, 403, 4, "Invalid Operation", "notSupport")
        camera.lift("order")
        return status(request, 200, 1, "OK", "ok")

    routes = [Route("/ISAPI/Parking/channels/{channel:int}/barrierGate", barrier_gate, methods=["PUT"])]
    return Guarded(Starlette(routes=routes), Digest("LF-SIM", camera.config.user, secret))


def control(camera: PlateCamera) -> Starlette:
    """How scripts and tests play with it: plain HTTP and JSON on a loopback port."""

    async def vehicle(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body() or b"{}", type=Vehicle)
        return answer(await camera.passes(asked))

    async def beat(_: Request) -> Response:
        return answer(await camera.beat())

    async def raw(request: Request) -> Response:
        return answer(await camera.raw(await request.body(), request.headers.get("content-type", "application/octet-stream")))

    async def state(_: Request) -> Response:
        return answer({
            "device_id": camera.config.device_id, "opened": len(camera.openings), "openings": camera.openings,
            "answers": list(camera.answers)})

    routes = [
        Route("/vehicle", vehicle, methods=["POST"]),
        Route("/heartbeat", beat, methods=["POST"]),
        Route("/raw", raw, methods=["POST"]),
        Route("/state", state, methods=["GET"]),
        Route("/livez", state, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=UNREADABLE)


async def serve(config: Config) -> None:
    """All cameras of the configuration, until SIGTERM or SIGINT."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        addresses = ByAddress()
        for each in config.cameras:
            camera = PlateCamera(each, client)
            addresses.add(each.listen, gate(camera, password(each.password_file)))
            addresses.add(loopback(each.control), control(camera))
        await until_stopped(addresses, "simulated plate cameras are ready", lambda: None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator.vzenith_camera", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True)
    asyncio.run(serve(msgspec.json.decode(parser.parse_args().config.read_bytes(), type=Config)))


if __name__ == "__main__":
    main()
