from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from libs.contracts.access import DoorOpeningOrdered
from services.devices.device_book import KnownDevice
from services.devices.domain.door_orders import RecordCarriedOut, RecordFailed
from services.devices.domain.registry import Description
from services.devices.effects import open_at

OPENING, DOOR, DEVICE = UUID(int=1), UUID(int=2), UUID(int=3)
ORDERED = DoorOpeningOrdered(OPENING, DOOR, DEVICE, 2, "remote", None, "right", "residence", ())
GATE = KnownDevice(
    DEVICE, UUID(int=4), Description("hikvision-terminal", "Gate", "K1", "http://192.0.2.1", "admin", "device-password"))


async def performed(device: KnownDevice | None, answer: Any = None) -> Any:
    asked: list[str] = []

    async def device_answers(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, content=answer)

    def secret(name: str) -> str:
        return {"device-password": "s"}[name] if name == "device-password" else Path("/nonexistent").read_text()

    app: Any = SimpleNamespace(settings=SimpleNamespace(secret=secret))
    async with httpx.AsyncClient(transport=httpx.MockTransport(device_answers)) as client:
        command = await open_at(app, client, device, ORDERED)
    assert asked in ([], ["http://192.0.2.1/ISAPI/AccessControl/RemoteControl/door/2"])
    return command


def status(code: int) -> bytes:
    return f"<ResponseStatus><statusCode>{code}</statusCode></ResponseStatus>".encode()


async def test_what_the_device_did_is_recorded() -> None:
    assert await performed(GATE, status(1)) == RecordCarriedOut(OPENING, DEVICE, 2)
    assert await performed(GATE, status(4)) == RecordFailed(OPENING, DEVICE, 2, "refused", "4")


async def test_what_nobody_knows_is_recorded_as_that() -> None:
    assert await performed(GATE, httpx.ReadTimeout("")) == RecordFailed(OPENING, DEVICE, 2, "unknown", "ReadTimeout")


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (None, "no_address"),
        (replace(GATE, description=replace(GATE.description, base_url="")), "no_address"),
        (replace(GATE, description=replace(GATE.description, password_secret="device-password-9")), "no_password"),
    ],
)
async def test_a_device_that_cannot_be_addressed_is_unreachable(device: KnownDevice | None, code: str) -> None:
    assert await performed(device) == RecordFailed(OPENING, DEVICE, 2, "unreachable", code)
