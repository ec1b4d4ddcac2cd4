"""Passes a person's command (or a question that its owner alone can answer) on to the service that owns it, unchanged, and its answer
back."""

import asyncio
import logging
from collections.abc import Mapping

import httpx
from fastapi import Request, Response

from libs.eventkit import problems
from libs.eventkit.recorded import uuid7
from libs.eventkit.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(5.0, connect=1.0)
"""Seconds. An opening lives for five: whoever waits longer is told so."""
REFUSED_AGAIN = 0.1
"""Seconds after which a refused connection is tried once more: a service that starts again is soon back."""

GOES_ON = (
    "authorization", "idempotency-key", "x-request-id", "traceparent", "accept-language", "content-type", "if-match",
    "lifang-min-position")
COMES_BACK = (
    "content-type", "lifang-position", "idempotency-replayed", "etag", "retry-after", "www-authenticate", "location",
    "x-request-id", "content-language", "cache-control", "lifang-stale")


class Upstream:
    """One shared client for all services; `transport` stands in for the network in tests."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        # not through a proxy of the environment: these addresses are our own
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT, transport=transport, trust_env=False, follow_redirects=False,
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=4))

    async def forward(self, request: Request, service: str, path: str) -> Response:
        """The service's answer; 503 when nothing could be sent, 504 when it took too long, 502 when it broke off.

        Sent once: only a connection refused before anything was sent is tried again.
        """
        base = self._settings.url_of(service)
        if not base:
            return _problem(503, "upstream_unavailable", service, "its address is not configured")
        passed = headers_on(request.headers)
        asked = f"{path}?{request.url.query}" if request.method == "GET" and request.url.query else path
        outgoing = self._client.build_request(
            request.method, f"{base.rstrip('/')}{asked}", content=await request.body(), headers=passed)
        try:
            try:
                answer = await self._client.send(outgoing)
            except httpx.ConnectError:
                await asyncio.sleep(REFUSED_AGAIN)
                answer = await self._client.send(outgoing)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return _problem(503, "upstream_unavailable", service, "nothing was sent")
        except httpx.TimeoutException:
            return _problem(504, "upstream_timeout", service, OUTCOME_UNKNOWN)
        except httpx.TransportError as error:
            log.warning("%s broke off: %s", service, type(error).__name__)
            return _problem(502, "upstream_broke_off", service, OUTCOME_UNKNOWN)
        return Response(answer.content, answer.status_code, headers_back(answer.headers))


OUTCOME_UNKNOWN = "outcome unknown: ask again with the same Idempotency-Key"


def headers_on(headers: Mapping[str, str]) -> dict[str, str]:
    """What the service needs of a request's headers; a request id is given to a request that has none."""
    found = {name: headers[name] for name in GOES_ON if name in headers}
    found.setdefault("x-request-id", str(uuid7()))
    return found


def headers_back(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in COMES_BACK if name in headers}


def _problem(status: int, code: str, service: str, detail: str) -> Response:
    return problems.answer(status, code, detail, {"Retry-After": "1"} if status == 503 else None, service=service)
