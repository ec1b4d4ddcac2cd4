"""What the ISAPI faces of simulated devices share: who is let in, how bodies are read, and how an order is answered."""

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.hikvision_bodies import response_status
from simulator.http_digest import Digest

MAX_BODY = 64 * 1024
XML = "application/xml"


class Guarded:
    def __init__(self, app: ASGIApp, digest: Digest) -> None:
        self._app, self._digest = app, digest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if self._digest.admits(authorization, scope["method"], target):
            await self._app(scope, receive, send)
            return
        headers = {"WWW-Authenticate": self._digest.challenge()}
        refusal = response_status(4, "Invalid Operation", "unauthorized", scope["path"])
        await Response(refusal, 401, headers, media_type=XML)(scope, receive, send)


async def small_body(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            return b""
    return content


def text_of(content: bytes, name: str) -> str:
    """The text of the first element of that local name; nothing where it is missing or the XML is broken."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return ""
    found = next(root.iter(f"{{*}}{name}"), None)
    return (found.text or "").strip() if found is not None else ""


def status(request: Request, http: int, code: int, text: str, sub: str) -> Response:
    return Response(response_status(code, text, sub, request.url.path), http, media_type=XML)
