"""Which web pages may ask the gateway from a browser, and that they can read what it answers, refusals too."""

import os
import re
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from libs.eventkit.privacy import base64url
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from services.gateway import origins
from services.gateway.main import SERVICE
from services.gateway.origins import ORIGINS, READS, for_pages, origins_of

APP, OTHER = "https://app.example", "https://other.example"
ASKED = {"access-control-request-method": "PUT", "access-control-request-headers": "authorization,idempotency-key,if-match"}


async def asked(method: str, **headers: str) -> httpx.Response:
    """Of something that refuses."""
    refusing = PlainTextResponse("no", 409, {"lifang-position": "x"})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await refusing(scope, receive, send)

    transport = httpx.ASGITransport(for_pages(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://nobody.example") as client:
        return await client.request(method, "http://page.example/refused", headers=headers)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ORIGINS, f"{APP} http://localhost:5173")


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
async def test_a_page_that_is_named_asks_and_reads_what_it_is_refused(named: None, origin: str):
    may = await asked("OPTIONS", origin=origin, **ASKED)
    assert (may.status_code, may.headers["access-control-allow-origin"]) == (200, origin)
    answer = await asked("GET", origin=origin)
    assert (answer.status_code, answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (409, origin, "Origin")
    assert set(READS) == set(answer.headers["access-control-expose-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers, "no cookie is sent along"


@pytest.mark.parametrize("origin", [OTHER, "null", f"{APP}.evil.example", "http://app.example", f"{APP}:8443", APP.upper()])
async def test_no_other_page_does(named: None, origin: str):
    assert (await asked("OPTIONS", origin=origin, **ASKED)).status_code == 400
    for headers in ({"origin": origin}, {}):
        answer = await asked("GET", **headers)
        assert "access-control-allow-origin" not in answer.headers and answer.headers["vary"] == "Origin", "and no cache mixes them up"


async def test_by_default_there_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(ORIGINS, raising=False)
    assert "access-control-allow-origin" not in (await asked("GET", origin=APP)).headers


async def test_what_is_refused_before_any_route_can_be_read_too(named: None, tmp_path: Path):
    """Here that nothing is open yet; so also a body that is too large."""
    (tmp_path / "blind-index").write_text(base64url(os.urandom(32)))
    app = web(App(SERVICE, Settings(service="gateway", database_url="postgresql://nobody@127.0.0.1:1/none", secrets=tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://nobody.example") as client:
        answer = await client.get("/v1/me", headers={"origin": APP})
    assert (answer.status_code, answer.json()["code"], answer.headers["access-control-allow-origin"]) == (503, "not_ready", APP)


@pytest.mark.parametrize("text", [
    "*", "null", "app.example", "https://app.example/", "https://app.example/path", "http://app.example", "https://App.example",
    "https://", "https://-a.example", "https://a.example:port", "https://a.example,https://b.example", "https://*.example"])
def test_what_no_browser_would_say_ends_the_start(text: str):
    with pytest.raises(ValueError, match=ORIGINS):
        origins_of(f"{APP} {text}")


def test_what_is_named_twice_is_named_once():
    assert origins_of(f" {APP}\n{APP}  http://[::1]:3000 ") == (APP, "http://[::1]:3000") and origins_of(" ") == ()


def test_every_header_of_our_own_that_a_route_reads_may_be_sent():
    """A header that is not named is one that a page cannot send."""
    root = Path(__file__).parents[3]
    text = "".join(p.read_text() for f in ("services/gateway", "libs/eventkit") for p in (root / f).rglob("*.py"))
    read = set(re.findall(r"request\.headers(?:\.get\(|\[)\"([a-z-]+)\"", text)) - {"x-forwarded-for", "content-length", "host", "accept"}
    assert {"idempotency-key", "if-match"} <= read <= set(origins.ASKS)
