import json
from collections.abc import Callable

import httpx
import pytest

from services.devices.adapters.isapi_client import Outcome, Terminal, answer_check, hold_relay, lift_barrier, open_door

Answer = Callable[[httpx.Request], httpx.Response]
TERMINAL = Terminal("http://192.0.2.17/", "admin", "made-up")
CHALLENGE = {"www-authenticate": 'Digest realm="terminal", nonce="n1", qop="auth", algorithm=MD5'}


async def ordered(answer: Answer) -> Outcome:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        return await open_door(client, TERMINAL, 2)


def status(http: int, code: str, sub: str) -> httpx.Response:
    inner = f"<statusCode>{code}</statusCode><statusString>OK</statusString><subStatusCode>{sub}</subStatusCode>"
    return httpx.Response(http, text=f'<ResponseStatus version="2.0" xmlns="urn:any">{inner}</ResponseStatus>')


async def test_a_door_is_opened_with_digest_and_the_command_is_sent_once_admitted() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return status(200, "1", "ok") if "authorization" in request.headers else httpx.Response(401, headers=CHALLENGE)

    assert await ordered(answer) == Outcome("carried_out", "1", "ok")
    assert [request.method for request in seen] == ["PUT", "PUT"]
    assert seen[1].url.path == "/ISAPI/AccessControl/RemoteControl/door/2"
    assert b"<cmd>open</cmd>" in seen[1].content and 'username="admin"' in seen[1].headers["authorization"]


async def test_a_barrier_is_lifted_by_the_number_of_its_channel() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return status(200, "1", "ok")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert await lift_barrier(client, TERMINAL, 3) == Outcome("carried_out", "1", "ok")
    assert (seen[0].method, seen[0].url.path) == ("PUT", "/ISAPI/Parking/channels/3/barrierGate")
    assert b"<ctrlMode>open</ctrlMode>" in seen[0].content


@pytest.mark.parametrize(("admitted", "result"), [(True, "success"), (False, "failed")])
async def test_a_check_is_answered_by_the_number_of_its_event(admitted: bool, result: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert await answer_check(client, TERMINAL, 4711, admitted) == Outcome("carried_out", "1", "ok")
    assert (seen[0].method, seen[0].url.raw_path) == ("PUT", b"/ISAPI/AccessControl/remoteCheck?format=json")
    assert json.loads(seen[0].content) == {"RemoteCheck": {"serialNo": 4711, "checkResult": result}}


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (status(200, "1", "ok"), Outcome("carried_out", "1", "ok")),
        (httpx.Response(200, json={"statusCode": 1, "subStatusCode": "ok"}), Outcome("carried_out", "1", "ok")),
        (status(200, "2", "deviceBusy"), Outcome("refused", "2", "deviceBusy")),
        (status(403, "4", "notSupport"), Outcome("refused", "4", "notSupport")),
        (status(500, "3", "deviceError"), Outcome("refused", "3", "deviceError")),
        (httpx.Response(401, headers=CHALLENGE), Outcome("refused", "http_401")),
        (httpx.Response(404, text="<html>"), Outcome("refused", "http_404")),
        (httpx.Response(302, headers={"location": "/"}), Outcome("unknown", "http_302")),
        (httpx.Response(502, text="bad gateway"), Outcome("unknown", "http_502")),
        (httpx.Response(200), Outcome("unknown", "http_200")),
        (httpx.Response(200, content=b"\xff\x00"), Outcome("unknown", "http_200")),
    ],
)
async def test_the_answer_decides_the_outcome(response: httpx.Response, outcome: Outcome) -> None:
    assert await ordered(lambda _: response) == outcome


@pytest.mark.parametrize(
    ("problem", "result"),
    [
        (httpx.ConnectError("refused"), "unreachable"),
        (httpx.ConnectTimeout("slow"), "unreachable"),
        (httpx.ReadTimeout("no answer"), "unknown"),
        (httpx.WriteError("broken"), "unknown"),
        (httpx.RemoteProtocolError("closed"), "unknown"),
    ],
)
async def test_only_what_was_never_sent_is_unreachable(problem: Exception, result: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise problem

    assert await ordered(fail) == Outcome(result, type(problem).__name__)  # type: ignore[arg-type]


class Taking:
    """A device that takes some commands, and refuses others in its way."""

    def __init__(self, *takes: str, refusal: httpx.Response | None = None) -> None:
        self.takes, self.refusal, self.told = takes, refusal or status(403, "4", "notSupport"), list[str]()

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("PUT", "/ISAPI/AccessControl/RemoteControl/door/11")
        self.told.append(request.content.decode().split("<cmd>")[1].split("</cmd>")[0])
        return status(200, "1", "ok") if self.told[-1] in self.takes else self.refusal

    async def hold(self, state: str) -> str:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as client:
            return (await hold_relay(client, TERMINAL, 11, state)).result


@pytest.mark.parametrize(
    ("state", "takes", "told"),
    [
        ("held_open", ("alwaysOpen",), ["alwaysOpen"]),
        ("recalled", ("visitorCallLadder", "alwaysOpen"), ["visitorCallLadder"]),
        ("recalled", ("alwaysOpen",), ["visitorCallLadder", "alwaysOpen"]),
        ("normal", ("close", "resume"), ["close"]),
        ("normal", ("resume",), ["close", "resume"]),
    ],
)
async def test_a_relay_is_told_its_state_in_words_that_its_device_knows(state: str, takes: tuple[str, ...], told: list[str]) -> None:
    device = Taking(*takes)
    assert await device.hold(state) == "carried_out"
    assert device.told == told


async def test_a_device_that_refuses_every_word_or_does_not_let_us_in_has_refused() -> None:
    device = Taking()
    assert await device.hold("normal") == "refused" and device.told == ["close", "resume"]
    stranger = Taking(refusal=httpx.Response(403))
    assert await stranger.hold("normal") == "refused" and stranger.told == ["close"]
