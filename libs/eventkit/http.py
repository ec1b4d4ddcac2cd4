"""The HTTP edge of every service: limits, tokens and permissions, idempotency, positions, paging."""
import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache, lru_cache
from itertools import accumulate
from typing import Annotated, Any
from uuid import UUID
import msgspec
from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from libs.eventkit import auth, commands, envelope, log, obs, privacy, problems, recorded, tail
from libs.eventkit.problems import Problem

LARGEST_BODY, DEEPEST, INSIDE = 1_048_576, 32, ("/metrics", "/internal/status")  # at the operations port alone, where there is one
LARGEST_RAW = 4 * LARGEST_BODY  # what a device tells, pictures and all
PATIENCE = 2.0  # seconds for which a read waits at most until it has what its caller did
_date = lru_cache(1)(lambda second: formatdate(second, usegmt=True).encode())
_NO_BRACKET = bytes(b for b in range(256) if b not in b"[]{}")
_PASSED = "select coalesce(min(position) >= $2, true) from checkpoints where name = any($1)"
_HEARD = "select max(log_position) from marks where topic = $1 and community_id = any($2) and (generation, position, n) >= ($3, $4, $5)"
_POSITION = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 3000))  # calendars end, and `2026` is a second of 1970
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
class Input(BaseModel):
    """A request body: unknown fields are refused."""
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=4096, hide_input_in_errors=True)

class Edge:
    """Pure ASGI: body limit, NUL and depth of JSON, metrics, which port, and an answer to whatever nobody foresaw. `raw`: path prefixes
    whose bodies are not ours to judge (a device's own protocol)."""
    def __init__(self, app: ASGIApp, service: str, started: Callable[[], bool], raw: tuple[str, ...] = ()) -> None:
        self.app, self.service, self.started, self.raw, self.timed = app, service, started, raw, cache(obs.REQUESTS.labels)
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun, status, answered, apart = time.perf_counter(), 500, False, scope["app"].state.app.settings.operations_port
        async def sending(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
                message["headers"] = [*message.get("headers", ()), (b"date", _date(int(time.time())))]
            await send(message)
        try:
            if not self.started() and not scope["path"].endswith("z"):
                raise Problem(503, "not_ready", "starting")
            if apart and (scope["path"] in INSIDE) != (scope["server"][1] == apart) and not scope["path"].endswith("z"):
                raise Problem(404, "not_found")
            if scope["method"] in ("POST", "PUT", "PATCH"):
                receive = await _checked(scope, receive, scope["path"].startswith(self.raw))
            await self.app(scope, receive, sending)
        except Exception as error:
            found = problems.translate(error)
            if not answered:
                await found(scope, receive, sending)
        finally:
            route = scope.get("route")
            self.timed(self.service, scope["method"], getattr(route, "path", "other"), status).observe(time.perf_counter() - begun)
async def _checked(scope: Scope, receive: Receive, raw: bool) -> Receive:
    """Reads the body once, within its limit; it is scope["body"] then. Raises Problem 413 or 400. A raw one is read on until it is beyond
    its limit, for whoever judges it to refuse and to keep its beginning."""
    body, more = bytearray(), True
    while more and not (raw and len(body) > LARGEST_RAW):
        message = await tail.within(receive(), 15)
        if message["type"] == "http.disconnect":
            raise Problem(400, "cut_off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY and not raw:
            raise Problem(413, "too_large", limit_bytes=LARGEST_BODY)
    kind = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
    if b"json" in kind and not raw:
        if b"\x00" in body or (b"\\u0000" in body and envelope.ESCAPED_NUL.search(body)):
            raise Problem(400, "nul_character")
        if body.count(b"[") + body.count(b"{") > DEEPEST and too_deep(body):
            raise Problem(400, "too_deep", limit=DEEPEST)
    scope["body"] = bytes(body)
    whole: list[Message] = [{"type": "http.request", "body": scope["body"], "more_body": False}]
    async def again() -> Message:
        return whole.pop() if whole else await receive()
    return again
def too_deep(body: bytes | bytearray) -> bool:
    """Whether brackets nest beyond the limit, counted without parsing (a bracket in a string counts: harmless)."""
    return any(depth > DEEPEST for depth in accumulate(1 if b in b"[{" else -1 for b in body.translate(None, _NO_BRACKET)))
def _asking(request: Request) -> auth.Principal:
    if "principal" not in request.scope:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        request.scope["principal"] = request.app.state.verifier.verify(
            token.strip() if scheme.lower() == "bearer" else "", datetime.now(UTC))
    return request.scope["principal"]  # type: ignore[no-any-return]
def permitted(*permissions: str) -> Any:
    """The caller, who must hold one of these permissions. A route without this (or `open_to_all`) does not start."""
    async def check(request: Request) -> auth.Principal:
        principal = _asking(request)
        if principal.permissions.isdisjoint(permissions):
            raise Problem(403, "not_permitted", needs=permissions[0])
        return principal
    check.guards = permissions  # type: ignore[attr-defined]
    return Depends(check)
async def _everybody() -> None: ...
_everybody.guards = ("everybody",)  # type: ignore[attr-defined]
open_to_all = Depends(_everybody)  # marks a route that needs no token
def guards_of(route: RouteContext) -> tuple[str, ...]:
    """The permissions that a route names."""
    return tuple(g for d in route.dependant.dependencies for g in getattr(d.call, "guards", ()))
def refuse_unguarded(app: FastAPI) -> None:
    """Deny by default. Raises RuntimeError naming every route without a permission."""
    routes = iter_route_contexts(app.routes)  # app.routes alone does not show what is in an included router
    if naked := [r.path for r in routes if isinstance(r.original_route, APIRoute) and not guards_of(r)]:
        raise RuntimeError(f"routes without a permission: {naked}")
def community_of(principal: auth.Principal) -> UUID:
    """The one community of the caller. Raises Problem 403 where the token names none or several."""
    if len(principal.community_ids) != 1:
        raise Problem(403, "community_unclear")
    return next(iter(principal.community_ids))
def context(request: Request, principal: auth.Principal | None, community_id: UUID = recorded.NOWHERE, **more: Any) -> commands.Context:
    """What the commands of this request rest on."""
    asked, trace = request.headers.get("x-request-id", "")[:64], request.headers.get("traceparent", "")[:55]
    return commands.Context(community_id=community_id, now=datetime.now(UTC), principal=str(principal.id) if principal else "",
                   correlation=asked if asked.isascii() and asked else str(recorded.uuid7()), traceparent=trace, **more)
async def idempotency(request: Request) -> log.Key | None:
    """The Idempotency-Key of this request, scoped to caller and route. Raises Problem 400 for one that is no key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 200 or not key.isascii():
        raise Problem(400, "idempotency_key_malformed")
    principal = str(_asking(request).id) if request.headers.get("authorization") else ""
    return log.Key(principal, f"{request.method} {request.scope['path']}", key, hashlib.sha256(await request.body()).hexdigest())
IdempotencyKey = Annotated[log.Key | None, Depends(idempotency)]
class Position(msgspec.Struct, frozen=True, array_like=True):
    """What a command's answer carries, opaque to clients: service, last own position, last published number."""
    service: str
    own: _POSITION
    published: Annotated[str, msgspec.Meta(pattern=r"^(\d{1,9}\.\d{1,18}\.\d{1,9})?$")]
def position_header(service: str, generation: int, done: commands.Done) -> dict[str, str]:
    position = Position(service, done.outcome.position, str(done.outcome.published(generation) or ""))
    return {"Lifang-Position": _opaque(position)} | ({"Idempotency-Replayed": "true"} if done.replayed else {})
def min_position(request: Request) -> Position | None:
    """Raises Problem 400 for a value that we did not give out."""
    text = request.headers.get("lifang-min-position")
    return privacy.decoded(text, Position, Problem(400, "position_malformed")) if text else None
async def stands_at(request: Request) -> int | None:
    """The position of the own log by which it has what the caller has done, here or at a service that is heard: 0 where that is nothing,
    None where it has not been heard yet. Raises Problem 400."""
    wanted, app = min_position(request), request.app.state.app
    if wanted is None or wanted.service == app.service.name or wanted.service not in app.service.hears or not wanted.published:
        return wanted.own if wanted is not None and wanted.service == app.service.name else 0
    topic, communities, number = app.settings.topic(wanted.service), _asking(request).community_ids, wanted.published.split(".")
    return await (await app.database.pool()).fetchval(_HEARD, topic, communities, *map(int, number))  # type: ignore[no-any-return]
async def caught_up(request: Request, *readers: str) -> dict[str, str]:
    """Waits, bounded, until this log has what the caller has done and these readers of it have passed that; the header says when not."""
    app, end = request.app.state.app, time.monotonic() + PATIENCE
    while (at := await stands_at(request)) != 0:
        pool = await app.database.pool()
        if at is not None and await pool.fetchval(_PASSED, readers, at):
            break
        if time.monotonic() > end:
            return {"Lifang-Stale": "true"}
        await asyncio.sleep(0.01)
    return {}
def _opaque(value: Any) -> str:
    return privacy.base64url(msgspec.json.encode(value))
def if_match(request: Request, required: bool = False) -> int | None:
    """The version of If-Match. Raises Problem 428 where it is required and missing, 400 where it is no version."""
    text = request.headers.get("if-match", "")
    if required and not text:
        raise Problem(428, "if_match_required")
    try:
        return int(text.strip('W/"')) if text else None
    except ValueError as error:
        raise Problem(400, "if_match_malformed") from error
def page(items: Sequence[dict[str, Any]], limit: int, filter_: str, *by: str) -> dict[str, Any]:
    """`items` holds up to limit + 1 rows ordered by the columns `by`; the cursor is opaque and bound to the filter."""
    kept = list(items[:limit])
    return {"items": kept, "next": _opaque([_bound(filter_), *(str(kept[-1][b]) for b in by)]) if len(items) > limit else None}
def cursor(text: str | None, filter_: str, parts: int = 1) -> list[str] | None:
    """Where the next page begins. Raises Problem 400 for a cursor that is not ours or belongs to another filter."""
    if not text:
        return None
    bound, *values = privacy.decoded(text, list[str], Problem(400, "cursor_malformed")) or [""]
    if bound != _bound(filter_):
        raise Problem(400, "cursor_of_another_filter")
    if len(values) != parts or "\0" in "".join(values):
        raise Problem(400, "cursor_malformed")
    return values
def cursor_position(text: str | None, filter_: str) -> int | None:
    """The same where pages go by position, newest first."""
    return _one(text, filter_, _POSITION)  # type: ignore[no-any-return]
def cursor_id(text: str | None, filter_: str) -> UUID | None:
    """The same where pages go by one id."""
    return _one(text, filter_, UUID)  # type: ignore[no-any-return]
def _one(text: str | None, filter_: str, kind: Any) -> Any:
    try:
        return next((msgspec.convert(value, kind, strict=False) for value in cursor(text, filter_) or ()), None)
    except msgspec.ValidationError as error:
        raise Problem(400, "cursor_malformed") from error
def _bound(filter_: str) -> str:
    return hashlib.sha256(filter_.encode()).hexdigest()[:12]
def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
