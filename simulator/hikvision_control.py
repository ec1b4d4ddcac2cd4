"""How scripts and tests play with a simulated terminal: plain HTTP and JSON on a loopback port."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.hikvision_bodies import Format
from simulator.hikvision_device import Faults, Terminal
from simulator.serving import UNREADABLE, answer


class Card(Struct, frozen=True):
    """Somebody at the reader. `at` defaults to now; with `remote_check` the terminal asks and waits to be told."""

    card_number: str = ""
    employee_number: str = ""
    person_name: str = ""
    door_no: int = 1
    live: bool = True
    remote_check: bool = False
    format: Format = "json"
    code: str = "5/1"
    at: datetime | None = None


class Replay(Struct, frozen=True):
    """`count` cards of the past, a minute apart, in their order and one at a time as a real terminal sends them."""

    count: int = 1
    card_number: str = "0000000001"
    door_no: int = 1
    format: Format = "json"


Asked = TypeVar("Asked", bound=Struct)


def control(terminal: Terminal) -> Starlette:
    face = _Control(terminal)
    return Starlette(
        routes=[
            Route("/card", face.card, methods=["POST"]),
            Route("/replay", face.replay, methods=["POST"]),
            Route("/raw", face.raw, methods=["POST"]),
            Route("/orders", face.orders, methods=["GET"]),
            Route("/relays", face.relays, methods=["GET"]),
            Route("/fault", face.fault, methods=["POST"]),
            Route("/cut", face.cut, methods=["POST"]),
            Route("/livez", face.livez, methods=["GET"]),
        ],
        exception_handlers=UNREADABLE,
    )


class _Control:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def card(self, request: Request) -> Response:
        asked, terminal = await _asked(request, Card), self._terminal
        event = terminal.event(
            _code(asked.code),
            asked.door_no,
            asked.at,
            card_number=asked.card_number,
            employee_number=asked.employee_number,
            person_name=asked.person_name,
            live=asked.live,
            remote_check=asked.remote_check,
        )
        if asked.live and asked.remote_check:
            pushed, admitted = await terminal.ask(event, asked.format)
        else:
            pushed, admitted = await terminal.report(event, asked.format), None
        told = {"status": pushed.status, "body": pushed.body, "serial": pushed.serial}
        return answer({**told, "admitted": admitted, "opened": bool(admitted)})

    async def replay(self, request: Request) -> Response:
        asked, terminal = await _asked(request, Replay), self._terminal
        started, statuses = time.monotonic(), Counter[str]()
        oldest = datetime.now(UTC) - timedelta(minutes=asked.count)
        for n in range(asked.count):
            at = oldest + timedelta(minutes=n)
            event = terminal.event((5, 1), asked.door_no, at, card_number=asked.card_number, live=False)
            statuses[str((await terminal.report(event, asked.format)).status)] += 1
        return answer({"sent": asked.count, "statuses": statuses, "seconds": round(time.monotonic() - started, 3)})

    async def raw(self, request: Request) -> Response:
        content_type = request.headers.get("content-type", "application/octet-stream")
        pushed = await self._terminal.post(await request.body(), content_type)
        return answer({"status": pushed.status, "body": pushed.body})

    async def orders(self, _: Request) -> Response:
        return answer(list(self._terminal.orders))

    async def relays(self, _: Request) -> Response:
        """The state of each: held_open, recalled or normal."""
        return answer({str(door_no): state for door_no, state in self._terminal.relays.items()})

    async def fault(self, request: Request) -> Response:
        self._terminal.faults = await _asked(request, Faults)
        return answer(self._terminal.faults)

    async def cut(self, _: Request) -> Response:
        return answer({"streams": self._terminal.cut()})

    async def livez(self, _: Request) -> Response:
        return answer({"device_id": self._terminal.config.device_id})


async def _asked(request: Request, kind: type[Asked]) -> Asked:
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


def _code(code: str) -> tuple[int, int]:
    major, _, minor = code.partition("/")
    if not (major.isdecimal() and minor.isdecimal()):
        raise msgspec.ValidationError("code must look like 5/1")
    return int(major), int(minor)
