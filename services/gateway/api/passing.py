"""Requests that are passed on unchanged: a route for each row of the tables in `passed_on/`, one table for each service behind.

The token goes along, since its audience names that service too. To pass something more on, add a row to its owner's table.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import AfterValidator

from libs.contracts.alarm import Severity
from libs.eventkit.service import App
from services.gateway.forwarding import Upstream

PASSED_ON: dict[str, Any] = msgspec.json.decode(Path(__file__).with_name("passed_on.json").read_bytes())
"""What the services behind ask for, by operation; generated (`python -m cli.streams`), since no service imports another."""
CONSENTS = ("face", "sharing", "notices")
PARTS: dict[str, Any] = {
    "sign_in_id": Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$")], "severity": Severity,
    "purpose": Annotated[str, AfterValidator(lambda said: said if said in CONSENTS else "unknown")]}
"""Parts of paths by name; all others are UUIDs. Nothing that could lead to another path goes on."""


class PassedOn(msgspec.Struct, frozen=True):
    """`guard`: who gets past the gateway, the service asks again. `behind`: the path there, where it is another one."""

    service: str
    method: str
    path: str
    guard: Any
    operation: str
    status: int = 200
    behind: str = ""

    @property
    def to(self) -> str:
        return self.behind or self.path


def router(app: App, table: Iterable[PassedOn]) -> APIRouter:
    """With connections of its own: a service that is slow keeps nobody waiting but those who ask it."""
    found, upstream = APIRouter(), Upstream(app.settings)
    for row in table:
        found.add_api_route(
            row.path, passing(upstream, row), methods=[row.method], name=row.operation, status_code=row.status,
            dependencies=[row.guard], openapi_extra=PASSED_ON.get(row.operation))
    return found


def passing(upstream: Upstream, row: PassedOn) -> Callable[..., Awaitable[Response]]:
    """A route's function, with the signature that it would have if it were written out; its `row` is for the documents."""
    async def passed_on(request: Request, **parts: Any) -> Response:
        return await upstream.forward(request, row.service, row.to.format(**parts))

    asked = [Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)]
    asked += [Parameter(n, Parameter.KEYWORD_ONLY, annotation=PARTS.get(n, UUID)) for n in re.findall(r"{(\w+)}", row.path)]
    passed_on.__signature__ = Signature(asked, return_annotation=Response)  # type: ignore[attr-defined]
    passed_on.row = row  # type: ignore[attr-defined]
    return passed_on
