"""One attempt: a body to one receiver, whose answer is a status within ten seconds, of which hardly more is read."""

import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self

import anyio
import httpx
from msgspec import Struct

from services.gateway.webhooks.address import Place, Refused, addresses_of, bracketed
from services.gateway.webhooks.answers import Answer, quiet_for

CONTENT_TYPE = "application/cloudevents+json"
GONE = "http_410"
SMALL, QUICK = 4096, 0.5
"""Bytes and seconds of an answer's body for which a connection is kept; what is longer is not read."""


class Bounds(Struct, frozen=True):
    """Seconds: to find and reach the receiver; for all of one attempt; between attempts at first and at most."""

    connect: float = 3.0
    whole: float = 10.0
    first: float = 1.0
    longest: float = 300.0
    give_up: float = 3 * 86_400.0


class Sender:
    """One receiver's connection and thread for names, shared with nobody: what hangs there keeps nobody else waiting."""

    def __init__(self, bounds: Bounds, private: bool, verify: ssl.SSLContext | bool = True) -> None:
        self._bounds, self._private, self._count = bounds, private, 0
        self._names = ThreadPoolExecutor(1, "webhook-names")
        self._client = httpx.AsyncClient(
            verify=verify, timeout=httpx.Timeout(bounds.whole, connect=bounds.connect), trust_env=False, follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=4))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._names.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def send(self, place: Place, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            with anyio.fail_after(self._bounds.whole):
                address = await self._address(place)
                return await self._asked(place, address, body, headers)
        except Refused as refused:
            return Answer(refused.code)
        except (TimeoutError, httpx.TimeoutException):
            return Answer("timeout")
        except httpx.ConnectError as error:
            return Answer("tls_failed" if _is_tls(error) else "connect_failed")
        except httpx.HTTPError:
            return Answer("broke_off")

    async def _address(self, place: Place) -> str:
        """Of several the next one each time: one of them may be away."""
        found = await addresses_of(place, self._private, self._bounds.connect, self._names)
        self._count += 1
        return found[self._count % len(found)]

    async def _asked(self, place: Place, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """To the address that was looked at; the certificate is that of the name."""
        usual = 443 if place.scheme == "https" else 80
        host = bracketed(place.host) + ("" if place.port == usual else f":{place.port}")
        url = f"{place.scheme}://{bracketed(address)}:{place.port}{place.path}"
        sent = {"host": host, "content-type": CONTENT_TYPE, "user-agent": "lifang-webhooks/1", "accept-encoding": "identity", **headers}
        request = self._client.build_request("POST", url, content=body, headers=sent, extensions={"sni_hostname": place.host})
        answer = await self._client.send(request, stream=True)
        try:
            if _is_short(answer):
                with suppress(httpx.HTTPError), anyio.move_on_after(QUICK):  # the status counts; read, to use the connection again
                    await answer.aread()
            if answer.is_success:
                return Answer()
            return Answer(f"http_{answer.status_code}", quiet_for(answer.headers.get("retry-after", ""), datetime.now(UTC)))
        finally:
            await answer.aclose()


def _is_short(answer: httpx.Response) -> bool:
    """A 204 has no body, and may not say how long it is (RFC 9110, 8.6)."""
    length = "0" if answer.status_code == 204 else answer.headers.get("content-length", "")
    return length.isdigit() and int(length) <= SMALL


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
