"""A request takes the short way to its route, and is answered as FastAPI itself would have answered it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import httpx
import msgspec
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import iter_route_contexts
from pydantic import Field
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.eventkit.direct import Direct
from libs.eventkit.http import Input, json
from libs.eventkit.problems import HANDLERS, Problem, translate

ID = UUID("50000000-0000-4000-8000-000000000001")


class Thing(Input):
    name: str = Field(min_length=1, max_length=8)
    since: date | None = None
    tags: tuple[int, ...] = ()


async def guard(request: Request) -> str:
    if (who := request.headers.get("Authorization")) is None:
        raise Problem(401, "token_missing")
    return who


async def door(door_id: UUID, side: int = 1) -> str:
    return f"{door_id} {side}"


def routes() -> APIRouter:
    router, inner = APIRouter(prefix="/v1"), APIRouter(prefix="/inner")

    @router.get("/things/{thing_id}")
    async def read(thing_id: UUID, request: Request, who: str = Depends(guard)) -> Response:
        return json({"read": thing_id, "who": who, "path": request.path_params, "by": request.method})

    @router.get("/things/newest")
    async def newest() -> Response:
        return json("newest")

    @router.get("/things")
    async def find(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, kind: Annotated[list[str] | None, Query()] = None, on: date | None = None,
        who: str = Depends(guard),
    ) -> Response:
        return json([limit, kind, on, who])

    @router.post("/things", status_code=201)
    async def make(body: Thing, request: Request, who: str = Depends(guard)) -> Response:
        return json([body.model_dump(), len(await request.body()), who], 201)

    @router.put("/things/{thing_id}")
    async def change(thing_id: int, body: Thing | None = None) -> Response:
        return json([thing_id, body.model_dump() if body else None])

    @inner.get("/doors/{door_id}", dependencies=[Depends(guard)])
    async def through(found: str = Depends(door)) -> Response:
        return json(found)

    @inner.get("/doors/{door_id}/{side}")
    async def one_side(door_id: str, side: str) -> Response:
        return json([door_id, side])

    @router.get("/plain")
    async def plain() -> dict[str, str]:
        return {"by": "fastapi"}

    @router.get("/headed")
    async def headed(if_match: Annotated[str, Header()], since: Annotated[int, Header(alias="X-Since", ge=1)] = 1) -> Response:
        return json([if_match, since])

    @router.get("/later")
    async def later(tasks: BackgroundTasks) -> Response:
        return json("later", headers={"tasks": str(len(tasks.tasks))})

    @router.get("/broken")
    async def broken() -> Response:
        raise Problem(409, "broken", facts=1)

    router.include_router(inner)
    return router


class Answering:
    """What the Edge does of an error."""

    def __init__(self, asgi: ASGIApp) -> None:
        self.asgi = asgi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.asgi(scope, receive, send)
        except Exception as error:
            await translate(error)(scope, receive, send)


def application(direct: bool) -> FastAPI:
    found = FastAPI(exception_handlers=HANDLERS)
    found.include_router(routes())
    if direct:
        found.add_middleware(Direct, routes=iter_route_contexts(found.routes))
    found.add_middleware(Answering)
    return found


JSON, FULL = {"content-type": "application/json"}, {"content-type": "application/json", "authorization": "me"}
Headers = dict[str, str] | list[tuple[str, str]]
SAME: list[tuple[str, str, Headers, Any]] = [
    ("GET", f"/v1/things/{ID}", [("authorization", "me"), ("authorization", "")], None),
    ("GET", f"/v1/things/{ID}", [("Authorization", ""), ("authorization", "me")], None),
    ("GET", f"/v1/things/{ID}", {"AUTHORIZATION": "me"}, None),
    ("GET", f"/v1/things/{ID}", FULL, None), ("GET", f"/v1/things/{ID}", {}, None), ("GET", "/v1/things/none", FULL, None),
    ("GET", "/v1/things/none", {}, None), ("GET", f"/v1/things/{str(ID).upper()}", FULL, None), ("GET", "/v1/things/%2e%2e", FULL, None),
    ("GET", "/v1/things?limit=7&kind=a&kind=b&on=2026-11-29", FULL, None), ("GET", "/v1/things?limit=0&on=no", FULL, None),
    ("GET", "/v1/headed", {"If-Match": "a", "x-since": "3"}, None), ("GET", "/v1/headed", {"X-SINCE": "0"}, None),
    ("GET", "/v1/headed", [("if-match", "a"), ("If-Match", "b"), ("x-since", "2"), ("x-since", "9")], None),
    ("GET", "/v1/things?limit=", FULL, None), ("GET", "/v1/things?limit=1&limit=2&other=3", FULL, None), ("GET", "/v1/things", {}, None),
    ("POST", "/v1/things", FULL, b'{"name": "a", "since": "2026-11-29", "tags": [1, 2]}'), ("POST", "/v1/things", FULL, b'{"name": " "}'),
    ("POST", "/v1/things", FULL, b'{"name": "a", "more": 1}'), ("POST", "/v1/things", FULL, b""),
    ("POST", "/v1/things", FULL, b'{"name": NaN}'),
    ("POST", "/v1/things", FULL | {"content-type": "text/plain"}, b'{"name": "a"}'),
    ("POST", "/v1/things", FULL | {"content-type": "application/vnd.a+json; charset=utf-8"}, b'{"name": "a"}'),
    ("POST", "/v1/things", FULL | {"content-type": "Application/JSON"}, b'{"name": "a"}'),
    ("POST", "/v1/things", {"authorization": "me"}, b'{"name": "a"}'), ("POST", "/v1/things", JSON, b'{"name": "a"}'),
    ("PUT", "/v1/things/7", JSON, b'{"name": "a"}'), ("PUT", "/v1/things/7", JSON, b""), ("PUT", "/v1/things/x", JSON, b'{"name": 1}'),
    ("GET", f"/v1/inner/doors/{ID}?side=2", FULL, None), ("GET", f"/v1/inner/doors/{ID}?side=x", FULL, None),
    ("GET", "/v1/inner/doors/x?side=x", FULL, None), ("GET", f"/v1/inner/doors/{ID}", {}, None), ("GET", "/v1/inner/doors/a/b", {}, None),
    ("GET", "/v1/inner/doors//b", {}, None), ("GET", "/v1/inner/doors/%E9%97%A8/%41", {}, None), ("GET", "/v1/plain", {}, None),
    ("GET", "/v1/headed", {"if-match": "1"}, None),
    ("GET", "/v1/headed", {}, None), ("GET", "/v1/later", {}, None), ("GET", "/v1/broken", {}, None), ("GET", "/v1/none", FULL, None),
    ("DELETE", "/v1/things", FULL, None), ("HEAD", "/v1/things/newest", {}, None), ("OPTIONS", "/v1/things", {}, None),
    ("GET", "/v1/things/", FULL, None), ("GET", f"/v1/things/{ID}/", FULL, None), ("GET", "//v1/things", FULL, None), ("GET", "", {}, None)]


async def asked(direct: bool, method: str, path: str, headers: Headers, body: Any) -> tuple[int, Any, dict[str, str]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(direct)), base_url="http://x") as client:
        answer = await client.request(method, path, headers=headers, content=body)
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize(("method", "path", "headers", "body"), SAME)
async def test_the_answer_is_the_one_that_the_framework_gives(method: str, path: str, headers: Headers, body: Any):
    assert await asked(True, method, path, headers, body) == await asked(False, method, path, headers, body)


@pytest.mark.parametrize(("body", "at", "code"), [
    (b'{"name": "a", "tags": ["2"]}', ["body", "tags", 0], "int_type"), (b'{"name": "a", "tags": [true]}', ["body", "tags", 0], "int_type"),
    (b'{"name": "a", "since": 20261129}', ["body", "since"], "date_type"),
    (b"[1]", ["body"], "model_type"), (b"null", ["body"], "model_type"), (b"{", ["body"], "json_invalid"),
    (b'"\xff"', ["body"], "json_invalid"), (b'{"name": "\\ud800"}', ["body"], "json_invalid"),
    ('{"name": "é"}'.encode("utf-16"), ["body"], "json_invalid")])
async def test_a_body_is_taken_for_what_it_is_and_nothing_else(body: bytes, at: list[Any], code: str):
    """FastAPI takes `true` for 1, and answers a body that is no UTF-8 with a code of its own."""
    status, answer, _ = await asked(True, "POST", "/v1/things", FULL, body)
    told = msgspec.json.decode(answer)
    assert (status, told["code"], told["fields"]) == (422, "invalid", [{"at": at, "code": code}])


async def test_of_two_routes_that_fit_it_takes_the_one_that_says_more():
    """FastAPI takes the one that was declared first."""
    status, answer, _ = await asked(True, "GET", "/v1/things/newest", {}, None)
    assert (status, msgspec.json.decode(answer)) == (200, "newest")
    assert (await asked(False, "GET", "/v1/things/newest", {}, None))[0] == 401


@pytest.mark.parametrize("body", [b"{", b'"\xff"', b'{"name": 1}'])
async def test_who_may_not_is_told_nothing_of_what_they_sent(body: bytes):
    """FastAPI reads the body first, and would answer 422 to anybody."""
    assert (await asked(True, "POST", "/v1/things", JSON, body))[0] == 401


def test_what_it_does_not_know_it_leaves_to_the_framework():
    known = {route.path for route in iter_route_contexts(routes().routes) if _direct(route)}
    assert known == {
        "/v1/things/{thing_id}", "/v1/things/newest", "/v1/things", "/v1/inner/doors/{door_id}", "/v1/inner/doors/{door_id}/{side}",
        "/v1/headed", "/v1/broken"}


def _direct(route: Any) -> bool:
    from libs.eventkit.direct import _known

    return _known(route)
