"""What a device is told, and what is recorded of it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from libs.contracts.access import CredentialJudged, DoorOpeningOrdered
from libs.contracts.parking import BarrierOrdered
from libs.eventkit.recorded import Catalogue, Meta, Recorded
from services.devices.device_book import KnownDevice
from services.devices.domain.orders import RecordCarriedOut, RecordFailed
from services.devices.domain.refusals import AttemptRefusal, EndRefusal
from services.devices.domain.registry import Description
from services.devices.domain.reports import DeviceReported
from services.devices.domain.told import Told
from services.devices.effects import door_orders_at
from tests.kit import recorded

OPENING, DOOR, DEVICE, HERE, ELSEWHERE = (UUID(int=n) for n in range(1, 6))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERED = DoorOpeningOrdered(OPENING, DOOR, DEVICE, 2, "remote", None, "right", "residence", ())
BY_CARD = replace(ORDERED, means="card")
LIFTED = BarrierOrdered(OPENING, DOOR, DEVICE, 2, OPENING, "tariff", "pays_by_tariff", ())
DENIED = CredentialJudged(DOOR, "card", False, "credential", "credential_unknown", (), None, True)
GATE = KnownDevice(
    DEVICE, HERE, Description("hikvision-terminal", "Gate", "K1", "http://192.0.2.1", "admin", "device-password"))
OPEN, CHECK = "/ISAPI/AccessControl/RemoteControl/door/2", "/ISAPI/AccessControl/remoteCheck"


def asked(
    awaits: bool = True, live: bool = True, serial: int | None = 47, device: UUID = DEVICE, community: UUID = HERE,
    source: str | None = None,
) -> Recorded:
    """Our own report that a card is at the reader."""
    told = Told(report_id=OPENING, kind="card_read", code="5/1", history=False, serial=serial, awaits_decision=awaits)
    report = DeviceReported(device, UUID(int=9), told, NOW, live=live, skew=None, findings=())
    return recorded(report, community, stream=None if source else "reports:1", source=source)


class Site:
    """The device, the book that knows it, and the log with the report behind."""

    def __init__(self, device: KnownDevice | None = GATE, answer: Any = None, cause: Recorded | None = None) -> None:
        self.device, self.answer, self.cause = device, answer, cause
        self.told: list[tuple[str, bytes]] = []

    async def find(self, device_id: UUID) -> KnownDevice | None:
        return self.device

    async def event(self, event_id: UUID) -> Recorded | None:
        return self.cause if self.cause is not None and event_id == self.cause.event_id else None

    async def answers(self, request: httpx.Request) -> httpx.Response:
        self.told.append((request.url.path, request.content))
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(200, content=self.answer)

    async def planned(self, event: Any) -> Any:
        def secret(name: str) -> str:
            return {"device-password": "s"}[name] if name == "device-password" else Path("/nonexistent").read_text()

        app: Any = SimpleNamespace(
            settings=SimpleNamespace(secret=secret), log=SimpleNamespace(event=self.event), catalogue=Catalogue((DeviceReported,)))
        meta = Meta(caused_by=(UUID(int=99), *((self.cause.event_id,) if self.cause else ())))
        row = recorded(event, HERE, source="access", meta=meta)
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self.answers))
        return await door_orders_at(app, self, self.client).on[type(event)](event, row)  # type: ignore[arg-type]

    async def performed(self, event: Any = ORDERED) -> Any:
        order = await self.planned(event)
        async with self.client:
            return await order.perform()


def status(code: int) -> bytes:
    return f"<ResponseStatus><statusCode>{code}</statusCode></ResponseStatus>".encode()


async def test_what_the_device_did_is_recorded() -> None:
    site = Site(answer=status(1))
    assert await site.performed() == RecordCarriedOut(OPENING, DEVICE, 2)
    assert [path for path, _ in site.told] == [OPEN]
    assert await Site(answer=status(4)).performed() == RecordFailed(OPENING, DEVICE, 2, "refused", "4")


async def test_what_nobody_knows_is_recorded_as_that() -> None:
    assert await Site(answer=httpx.ReadTimeout("")).performed() == RecordFailed(OPENING, DEVICE, 2, "unknown", "ReadTimeout")


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (None, "no_address"),
        (replace(GATE, community_id=ELSEWHERE), "no_address"),
        (replace(GATE, description=replace(GATE.description, base_url="")), "no_address"),
        (replace(GATE, description=replace(GATE.description, password_secret="device-password-9")), "no_password"),
    ],
)
async def test_a_device_that_cannot_be_addressed_is_unreachable(device: KnownDevice | None, code: str) -> None:
    site = Site(device)
    assert await site.performed() == RecordFailed(OPENING, DEVICE, 2, "unreachable", code) and site.told == []


async def test_a_barrier_of_another_community_is_not_lifted() -> None:
    site = Site(replace(GATE, community_id=ELSEWHERE), answer=status(1), cause=asked())
    assert await site.performed(LIFTED) == RecordFailed(OPENING, DEVICE, 2, "unreachable", "no_address", "barrier")
    assert site.told == []


async def test_a_terminal_that_asked_is_answered_and_opens_by_itself() -> None:
    site = Site(answer=status(1), cause=asked())
    assert await site.performed(BY_CARD) == RecordCarriedOut(OPENING, DEVICE, 2)
    assert site.told == [(CHECK, b'{"RemoteCheck":{"serialNo":47,"checkResult":"success"}}')]


@pytest.mark.parametrize("cause", [
    asked(awaits=False), asked(live=False), asked(serial=None), asked(device=UUID(int=77)), asked(community=ELSEWHERE),
    asked(source="access"), None])
async def test_whoever_did_not_ask_is_given_the_order(cause: Recorded | None) -> None:
    site = Site(answer=status(1), cause=cause)
    await site.performed(BY_CARD)
    assert [path for path, _ in site.told] == [OPEN]


async def test_a_terminal_that_asked_is_told_of_a_refusal() -> None:
    site = Site(answer=status(1), cause=asked())
    order = await site.planned(DENIED)
    assert (order.attempt, order.queue) == (AttemptRefusal(OPENING, DEVICE, 47), str(DEVICE))
    assert await order.perform() == EndRefusal(OPENING, DEVICE)
    assert site.told == [(CHECK, b'{"RemoteCheck":{"serialNo":47,"checkResult":"failed"}}')]
    failing = await Site(answer=httpx.ConnectError(""), cause=asked()).planned(DENIED)
    assert await failing.perform() == EndRefusal(OPENING, DEVICE, "unreachable", "ConnectError")


@pytest.mark.parametrize(("event", "cause"), [
    (replace(DENIED, allowed=True), asked()), (replace(DENIED, live=False), asked()), (DENIED, asked(awaits=False)),
    (DENIED, asked(live=False)), (DENIED, asked(serial=None)), (DENIED, asked(community=ELSEWHERE)),
    (DENIED, asked(source="access")), (DENIED, None)])
async def test_nobody_else_is_told_anything(event: CredentialJudged, cause: Recorded | None) -> None:
    assert await Site(cause=cause).planned(event) is None


def newer(stream: str = "reports:1") -> Recorded:
    """A report as a later version would write it."""
    return replace(asked(), schema=9, stream=stream)


@pytest.mark.parametrize("event", [
    BY_CARD, LIFTED], ids=["door", "barrier"])
async def test_where_it_cannot_be_read_whether_the_device_asked_it_is_not_called_and_that_is_told(event: Any) -> None:
    site = Site(answer=status(1), cause=newer())
    done = await site.performed(event)
    assert (type(done), done.reason, done.code) == (RecordFailed, "refused", "cause_unreadable")
    assert site.told == []


async def test_a_barrier_is_lifted_by_a_call_after_the_camera_has_stopped_waiting() -> None:
    site = Site(answer=status(1), cause=asked())
    order = await site.planned(LIFTED)
    assert (order.attempt.answers, order.hold > GATE.description.answer_ms / 1000) == (OPENING, True)
    async with site.client:
        done = await order.perform()
    assert (type(done), done.actuator, done.by) == (RecordCarriedOut, "barrier", "call")
    assert [path for path, _ in site.told] == ["/ISAPI/Parking/channels/2/barrierGate"]
