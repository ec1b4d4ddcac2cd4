"""Whatever a test is answered by a service stands in docs/openapi: its status, and the code of a problem."""

import re
from functools import cache
from typing import Any

import httpx
import msgspec
import pytest

from cli.contracts.openapi import GATEWAY, OPENAPI
from cli.streams import SERVICES

PLACES: dict[str, str] = {}
"""Services by the addresses at which tests reach them, beside those that a test calls by their names."""


@cache
def operations(service: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    name = "lifang" if service == GATEWAY else service
    paths = msgspec.json.decode((OPENAPI / f"{name}.json").read_bytes())["paths"]
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), of)
        for path, of in sorted(paths.items(), key=lambda known: known[0].count("{"))]


def operation(service: str, method: str, path: str) -> dict[str, Any] | None:
    """What the document says of it."""
    return next((of for form, of in operations(service) if form.fullmatch(path)), {}).get(method.lower())


def missing(service: str, method: str, path: str, status: int, code: str) -> str:
    """What the document does not say of an answer; empty where it does, and where it knows no such operation."""
    of = operation(service, method, path)
    if of is None:
        return ""
    if (known := of["responses"].get(str(status))) is None:
        return f"{service}: {method} {path} answered {status} {code}, which its document does not know"
    if code and known.get("x-codes-complete", True) and code not in known.get("x-codes", ()):
        return f"{service}: {method} {path} answered {status} {code}, which is none of {known.get('x-codes')}"
    return ""


@pytest.fixture(scope="session", autouse=True)
def documented() -> Any:
    """Every client of every test looks. What somebody else answers in a service's place is not looked at."""
    patched = pytest.MonkeyPatch()
    send = httpx.AsyncClient.send

    async def sent(client: httpx.AsyncClient, request: httpx.Request, **more: Any) -> httpx.Response:
        answer = await send(client, request, **more)
        at = request.url.host if request.url.host in SERVICES else f"{request.url.host}:{request.url.port}"
        if service := PLACES.get(at, at if at in SERVICES else ""):
            problem = answer.headers.get("content-type", "").startswith("application/problem+json")
            code = msgspec.json.decode(await answer.aread())["code"] if problem else ""
            assert not (lacks := missing(service, request.method, request.url.path, answer.status_code, code)), lacks
        return answer

    patched.setattr(httpx.AsyncClient, "send", sent)
    yield
    patched.undo()
