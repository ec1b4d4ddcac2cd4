"""Simulated ONVIF cameras that are pulled, all in one process: `python -m simulator.onvif_camera --config FILE`.

The file: `{"cameras": [{"device_id", "name", "listen", "control", "password_file", "user", "sign_in", "clock_seconds", "lasts",
"renews", "inner", "old", "told_apart_by"}]}`. A camera keeps what it has seen for each subscription by itself, and forgets what it has
handed over. SIGTERM and SIGINT end it with 0.
"""

import argparse
import asyncio
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.onvif_device import Camera, CameraConfig, Seen
from simulator.onvif_face import Face
from simulator.serving import UNREADABLE, ByAddress, answer, loopback, password, until_stopped


class Config(Struct, frozen=True):
    cameras: list[CameraConfig]


def control(camera: Camera) -> Starlette:
    """How scripts and tests play with it: plain HTTP and JSON on a loopback port."""

    async def event(request: Request) -> Response:
        camera.sees(msgspec.json.decode(await request.body() or b"{}", type=Seen))
        return answer({"subscriptions": len(camera.living)})

    async def restart(_: Request) -> Response:
        return answer({"subscriptions": camera.restart()})

    async def state(_: Request) -> Response:
        return answer({"device_id": camera.config.device_id, "subscriptions": len(camera.living), "done": camera.done})

    routes = [
        Route("/event", event, methods=["POST"]),
        Route("/restart", restart, methods=["POST"]),
        Route("/state", state, methods=["GET"]),
        Route("/livez", state, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=UNREADABLE)


async def serve(config: Config) -> None:
    """All cameras of the configuration, until SIGTERM or SIGINT."""
    cameras, addresses = [Camera(each) for each in config.cameras], ByAddress()
    for camera in cameras:
        face = Face(camera, password(camera.config.password_file))
        routes = [
            Route("/onvif/device_service", face.device, methods=["POST"]), Route("/onvif/event_service", face.event, methods=["POST"])]
        addresses.add(camera.config.listen, Starlette(routes=routes))
        addresses.add(loopback(camera.config.control), control(camera))

    def stop() -> None:
        for camera in cameras:
            camera.stop()

    await until_stopped(addresses, "simulated ONVIF cameras are ready", stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator.onvif_camera", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True)
    asyncio.run(serve(msgspec.json.decode(parser.parse_args().config.read_bytes(), type=Config)))


if __name__ == "__main__":
    main()
