"""What the desk hands out, to whoever shows the secret `demo` in the header `lifang-desk`:

    GET /v1/demo                      the community and its devices
    POST /v1/tokens                   identity's ten-minute token for a role
    …   /controls/{device}/{path}     to a simulated device: pass a card, drive up, raise an alarm
    …   /services/{service}/{path}    to a service that is not open to the outside, as whoever the request's token says

`GET /readyz` is for everybody.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.stack.demo import Demo

KEY = "lifang-desk"
PASSED = ("authorization", "content-type", "accept-language", "idempotency-key", "lifang-position")
GIVEN_BACK = ("content-type", "lifang-position", "lifang-stale")
ALL = ["GET", "POST", "PUT", "DELETE"]


@dataclass
class Open:
    """What the desk has; nothing to give until the community is there."""

    key: str
    services: Mapping[str, str]
    demo: Demo | None = None
    controls: Mapping[str, str] = field(default_factory=dict)


def said(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def counter(desk: Open, client: httpx.AsyncClient) -> Starlette:
    """`client`: by which it asks the inside."""

    def refusal(request: Request) -> Response | None:
        if not hmac.compare_digest(request.headers.get(KEY, "").encode(), desk.key.encode()):
            return said(403, {"code": "demo_secret_wrong"})
        return None if desk.demo is not None else said(503, {"code": "not_ready"})

    async def passed_on(request: Request, to: str | None) -> Response:
        if (refused := refusal(request)) is not None:
            return refused
        if to is None:
            return said(404, {"code": "not_found"})
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        try:
            answer = await client.request(
                request.method, f"{to}/{request.path_params['path']}", params=request.query_params, content=await request.body(),
                headers=headers)
        except httpx.HTTPError as error:
            return said(502, {"code": "away", "error": type(error).__name__})
        return Response(answer.content, answer.status_code, {name: answer.headers[name] for name in GIVEN_BACK if name in answer.headers})

    async def readyz(request: Request) -> Response:
        return said(200, {"ready": True}) if desk.demo is not None else said(503, {"code": "not_ready"})

    async def demo(request: Request) -> Response:
        return refusal(request) or said(200, {"demo": desk.demo, "devices": list(desk.controls)})

    async def tokens(request: Request) -> Response:
        if (refused := refusal(request)) is not None:
            return refused
        answer = await client.post(
            f"{desk.services['identity']}/v1/demo-tokens", content=await request.body(),
            headers={"authorization": f"Bearer {desk.key}", "content-type": "application/json"})
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def controls(request: Request) -> Response:
        return await passed_on(request, desk.controls.get(request.path_params["device"]))

    async def services(request: Request) -> Response:
        return await passed_on(request, desk.services.get(request.path_params["service"]))

    return Starlette(routes=[
        Route("/readyz", readyz), Route("/v1/demo", demo), Route("/v1/tokens", tokens, methods=["POST"]),
        Route("/controls/{device}/{path:path}", controls, methods=ALL), Route("/services/{service}/{path:path}", services, methods=ALL)])
