"""The reader against scripted ONVIF cameras, for what simulated ones do not do: other hosts, halves of a body, limits, wrong tokens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.onvif import MAX_BODY, read
from services.devices.adapters.report import Unreadable
from services.devices.patience import Patience
from services.devices.pull_reader import PullReader
from tests.devices.test_pull_reader import PASSWORD, QUICK, running
from tests.kit import turns, until

SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'
EVIL = "http://203.0.113.9:81"


class Scripted:
    """Answers what a subscription needs, and each PullMessages by the next of `pulls`, then never. Its addresses are of another host."""

    def __init__(self, *pulls: httpx.Response | str) -> None:
        self.asked: list[httpx.Request] = []
        self.pulls: Iterator[httpx.Response | str] = iter(pulls)
        self.taken: list[bytes] = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def names(self, name: str) -> list[bytes]:
        return [request.content for request in self.asked if f":{name}".encode() in request.content]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if b":PullMessages" in request.content:
            answer = next(self.pulls, None)
            return answer if isinstance(answer, httpx.Response) else ok(answer) if answer else await asyncio.Future()
        if b":GetCapabilities" in request.content:
            return ok(f"<x><Capabilities><Events><XAddr>{EVIL}/events</XAddr></Events></Capabilities></x>")
        if b":CreatePullPointSubscription" in request.content:
            reference = f"<SubscriptionReference><Address>{EVIL}/sub?n=1</Address></SubscriptionReference>"
            return ok(f"<CreatePullPointSubscriptionResponse>{reference}</CreatePullPointSubscriptionResponse>")
        return ok("<Other/>")

    async def take(self, body: bytes, _: str) -> None:
        self.taken.append(body)

    @contextlib.asynccontextmanager
    async def read(self, patience: Patience = QUICK) -> AsyncIterator[None]:
        async with running(PullReader(self.client, Terminal("http://192.0.2.17:8080/", "admin", PASSWORD), self.take, patience)):
            yield
        await self.client.aclose()


def said(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """With a body that is still to be read, as from a wire."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def ok(body: str) -> httpx.Response:
    return said(SOAP.format(body).encode())


def fault(subcode: str, detail: str = "", status: int = 400) -> httpx.Response:
    code = f"<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
    return said(SOAP.format(f"<s:Fault>{code}<s:Detail>{detail}</s:Detail></s:Fault>").encode(), status)


NOTHING = "<PullMessagesResponse/>"
SOMETHING = "<PullMessagesResponse><NotificationMessage/></PullMessagesResponse>"


async def test_nobody_but_the_registered_host_is_called() -> None:
    away = said(b"", 307, location=f"{EVIL}/there")
    camera = Scripted(SOMETHING, away)
    async with camera.read():
        await until(lambda: len(camera.names("CreatePullPointSubscription")) == 2)
        await until(lambda: len(camera.names("PullMessages")) == 3)
    assert {(request.url.scheme, request.url.host, request.url.port) for request in camera.asked} == {("http", "192.0.2.17", 8080)}
    assert {request.url.raw_path for request in camera.asked} == {b"/onvif/device_service", b"/events", b"/sub?n=1"}
    assert f"{EVIL}/sub?n=1".encode() in camera.names("PullMessages")[0], "what it told is repeated to it"


async def test_what_cannot_be_read_is_handed_on_and_another_subscription_begun() -> None:
    camera = Scripted(said(b"<half"), said(b"x" * (MAX_BODY + 100)), SOMETHING)
    async with camera.read():
        await until(lambda: len(camera.taken) == 3)
    assert camera.taken[0] == b"<half" and len(camera.taken[1]) == MAX_BODY + 1
    assert len(camera.names("CreatePullPointSubscription")) == 3 == len(camera.names("Unsubscribe"))
    with pytest.raises(Unreadable, match="too_large"):
        read(camera.taken[1], "")


async def test_a_camera_that_wants_less_is_asked_for_less_in_the_same_subscription() -> None:
    limits = "<PullMessagesFaultResponse><MaxTimeout>PT5S</MaxTimeout><MaxMessageLimit>10</MaxMessageLimit></PullMessagesFaultResponse>"
    camera = Scripted(fault("ter:InvalidArgVal", limits), fault("ter:InvalidArgVal", limits), SOMETHING)
    async with camera.read():
        await until(lambda: camera.taken)
    first, second, third = camera.names("PullMessages")[:3]
    assert b">PT20S<" in first and b">100<" in first
    assert b">PT5S<" in second and b">10<" in second and b">PT5S<" in third
    assert len(camera.names("CreatePullPointSubscription")) == 2, "once more after the same fault again"


async def test_a_camera_that_lets_no_poll_wait_is_not_asked_without_end() -> None:
    camera = Scripted(SOMETHING, SOMETHING, NOTHING, SOMETHING)
    async with camera.read(Patience(first_pause=60)):
        await until(lambda: len(camera.taken) == 3)
        await turns(100)
    assert len(camera.names("PullMessages")) == 3


async def test_who_is_not_let_in_with_a_token_tries_without_one_and_with_one_again() -> None:
    no = [fault("ter:NotAuthorized", status=401) for _ in range(2)]
    camera = Scripted(*no, SOMETHING)
    async with camera.read():
        await until(lambda: camera.taken)
    assert [b"UsernameToken" in each for each in camera.names("PullMessages")[:3]] == [True, False, True]
    assert not any(b"UsernameToken" in each for each in camera.names("GetSystemDateAndTime")), "the time is asked by anybody"


@pytest.mark.parametrize("renewed", [said(b""), said(b"<html/>", 200), httpx.RemoteProtocolError("gone")], ids=["empty", "html", "hung up"])
async def test_a_camera_that_answers_no_renewal_is_subscribed_to_again_before_it_is_left(renewed: httpx.Response | Exception) -> None:
    class Stubborn(Scripted):
        async def answer(self, request: httpx.Request) -> httpx.Response:
            if b":Renew" in request.content:
                self.asked.append(request)
                if isinstance(renewed, Exception):
                    raise renewed
                return renewed
            return await super().answer(request)

    over = "<CurrentTime>2026-01-01T00:00:00Z</CurrentTime><TerminationTime>2026-01-01T00:00:01Z</TerminationTime>"
    camera = Stubborn(f"<PullMessagesResponse>{over}<NotificationMessage/></PullMessagesResponse>", NOTHING)
    async with camera.read():
        await until(lambda: camera.names("Unsubscribe"))
        names = ("CreatePullPointSubscription", "PullMessages", "Renew", "Unsubscribe")
    told = [name for each in camera.asked for name in names if f":{name}".encode() in each.content]
    assert told[:6] == [names[0], names[1], names[2], names[0], names[1], names[3]]
