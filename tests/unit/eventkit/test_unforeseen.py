"""What nobody foresaw is answered like any other problem, on both ways to a route, and tells nothing of itself."""

import base64
import logging
import os
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Response
from fastapi.routing import iter_route_contexts
from msgspec import Struct

from libs.eventkit.direct import _known
from libs.eventkit.http import open_to_all
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.settings import Settings

TEXT = "the plate of Zhang San"


class Learnt(Struct, frozen=True, tag="learnt"):
    pass


def routes(app: App) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[open_to_all])

    @router.get("/short")
    async def short() -> Response:
        raise LookupError(TEXT)

    @router.get("/long")
    async def long() -> dict[str, str]:
        raise LookupError(TEXT)

    return router


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "blind-index").write_text(base64.urlsafe_b64encode(os.urandom(32)).decode())
    settings = Settings(service="thrown", database_url="postgresql://nobody@127.0.0.1:1/none", secrets=tmp_path)
    service = Service(name="thrown", events=(Learnt,), permissions_of=lambda role: frozenset(), signing_key=Learnt, routes=routes)
    found = App(service, settings)
    found.opened = True
    return found


@pytest.mark.parametrize(("path", "direct"), [("/v1/short", True), ("/v1/long", False)])
async def test_it_is_a_problem_without_a_word_of_what_it_was(app: App, caplog: pytest.LogCaptureFixture, path: str, direct: bool):
    asgi = web(app)
    assert [_known(r) for r in iter_route_contexts(asgi.routes) if r.path == path] == [direct]
    with caplog.at_level(logging.ERROR):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://x") as client:
            answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "internal" and TEXT not in answer.text
    assert [record.getMessage() for record in caplog.records] == ["nobody foresaw this"]
