"""What Hikvision terminals are told (ISAPI developer guide, person-based access control): to open a door, by
PUT /ISAPI/AccessControl/RemoteControl/door/<n>; to keep its relay in a state, by the same; whether to let somebody in of
whom they asked (an event with `remoteCheck`), by PUT /ISAPI/AccessControl/remoteCheck, which names the event's serial number;
to lift a barrier, by PUT /ISAPI/Parking/channels/<n>/barrierGate.

An order is sent once. What is not known to have failed before it was sent is `unknown`, never tried again.

The states: `RemoteControlDoor` takes `open`, `close`, `alwaysOpen`, `alwaysClose`, `visitorCallLadder` and `householdCallLadder`
(the capability that terminals state, ISAPI developer guide; `ladder`: 梯, a lift). The vendor's SDK counts the same commands and
says what each means (HCNetSDK developer guide, NET_DVR_ControlGateway): 0 close, for a lift *controlled*; 2 always open, for a
lift *free*; 4 restore, for a lift *ordinary*; 5 a visitor calls the lift, to where they stand, the ground floor. So a door is
held by `alwaysOpen` and given back to cards by `close`; where that is refused, by `resume`, with which integrations of door
stations (DS-KV6113) end `alwaysOpen`. A lift is called by `visitorCallLadder`; a controller that has a relay for each floor and
no call is told to hold that of the ground floor.
"""

from typing import Any, Literal

import anyio
import httpx
import msgspec
from msgspec import Struct

from services.devices.adapters.charset import decode
from services.devices.adapters.documents import Tree, read_json, read_xml
from services.devices.adapters.report import Unreadable

TIMEOUT = 2.0
_CONTROL = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>%s</cmd></RemoteControlDoor>'
)
_COMMANDS: dict[str, tuple[bytes, ...]] = {
    "held_open": (b"alwaysOpen",), "recalled": (b"visitorCallLadder", b"alwaysOpen"), "normal": (b"close", b"resume")}
"""By state: what is tried, each where the device refuses the one before."""
_LIFT = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<BarrierGate version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><ctrlMode>open</ctrlMode></BarrierGate>'
)
_OK = ("0", "1")
_SIGN_IN = ("http_401", "http_403")
"""Refused whatever it is."""

Result = Literal["carried_out", "refused", "unknown", "unreachable"]


class Outcome(Struct, frozen=True):
    """How an order ended. `code` and `text` are the device's own when it refused (`4`, `notSupport`; or `http_401`).

    unknown: it was sent, or may have been, and no usable answer came. unreachable: nothing was sent.
    """

    result: Result
    code: str = ""
    text: str = ""


class Terminal(Struct, frozen=True):
    """Where a terminal listens and how we sign in to it; it answers within `timeout` seconds or not at all."""

    base_url: str
    user: str
    password: str
    timeout: float = TIMEOUT


async def open_door(client: httpx.AsyncClient, terminal: Terminal, door_no: int) -> Outcome:
    """Asks a terminal to open a door (numbered from 1)."""
    return await _control(client, terminal, door_no, b"open")


async def hold_relay(client: httpx.AsyncClient, terminal: Terminal, door_no: int, state: str) -> Outcome:
    """Tells a terminal or lift controller that a relay stays `held_open`, `recalled`, or is `normal` again. Harmless when told twice."""
    for command in _COMMANDS[state]:
        outcome = await _control(client, terminal, door_no, command)
        if outcome.result != "refused" or outcome.code in _SIGN_IN:
            break
    return outcome


async def _control(client: httpx.AsyncClient, terminal: Terminal, door_no: int, command: bytes) -> Outcome:
    path = f"AccessControl/RemoteControl/door/{door_no:d}"
    return await _put(client, terminal, path, _CONTROL % command, "application/xml")


async def answer_check(client: httpx.AsyncClient, terminal: Terminal, serial: int, admitted: bool) -> Outcome:
    """Tells a terminal what was decided about its event `serial`; admitted, it opens by itself."""
    answer = {"RemoteCheck": {"serialNo": serial, "checkResult": "success" if admitted else "failed"}}
    path = "AccessControl/remoteCheck?format=json"
    return await _put(client, terminal, path, msgspec.json.encode(answer), "application/json")


async def lift_barrier(client: httpx.AsyncClient, terminal: Terminal, channel: int) -> Outcome:
    """Asks a plate camera or gate controller to lift its barrier (channels are numbered from 1)."""
    return await _put(client, terminal, f"Parking/channels/{channel:d}/barrierGate", _LIFT, "application/xml")


async def delete_person(client: httpx.AsyncClient, terminal: Terminal, employee_number: str) -> Outcome:
    """Tells a terminal to forget a person and what is theirs there (face, cards). Harmless when told twice."""
    body = msgspec.json.encode({"UserInfoDelCond": {"EmployeeNoList": [{"employeeNo": employee_number}]}})
    return await _put(client, terminal, "AccessControl/UserInfo/Delete?format=json", body, "application/json")


async def _put(client: httpx.AsyncClient, terminal: Terminal, path: str, content: bytes, content_type: str) -> Outcome:
    wire = _Wire()
    try:
        with anyio.fail_after(terminal.timeout):
            response = await client.put(
                f"{terminal.base_url.rstrip('/')}/ISAPI/{path}",
                content=content,
                headers={"content-type": content_type},
                auth=httpx.DigestAuth(terminal.user, terminal.password),
                timeout=terminal.timeout,
                follow_redirects=False,
                extensions={"trace": wire.trace},
            )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as problem:
        return Outcome("unreachable", type(problem).__name__)
    except (TimeoutError, httpx.HTTPError) as problem:
        return Outcome("unreachable" if wire.still_connecting else "unknown", type(problem).__name__)
    return _outcome(response)


class _Wire:
    """Whether anything was sent, as httpcore tells it. Where it tells nothing, it may have been."""

    still_connecting = False

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self.still_connecting = True
        elif event.endswith("send_request_headers.started"):
            self.still_connecting = False


def _outcome(response: httpx.Response) -> Outcome:
    status = _response_status(response)
    code = str(status.get("statusCode", ""))
    text = str(status.get("subStatusCode") or status.get("statusString") or "")[:200]
    if code and code not in _OK:
        return Outcome("refused", code, text)
    if code and response.is_success:
        return Outcome("carried_out", code, text)
    if 400 <= response.status_code < 500:
        return Outcome("refused", f"http_{response.status_code}", text)
    return Outcome("unknown", f"http_{response.status_code}", text)


def _response_status(response: httpx.Response) -> Tree:
    """ISAPI's ResponseStatus, as XML or JSON, bare or in its envelope; empty where the answer is something else."""
    try:
        text, _ = decode(response.content, response.headers.get("content-type", ""))
        tree = read_xml(text)[0][0] if text.lstrip().startswith("<") else read_json(text)[0]
    except (Unreadable, IndexError):
        return {}
    inner = tree.get("ResponseStatus", tree)
    return inner if isinstance(inner, dict) else {}
