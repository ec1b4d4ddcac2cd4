"""The demo desk: who is let in, what is passed on and to whom, and how a story finds it from outside."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import outside
from cli.desk import __main__ as desk
from cli.desk.counter import KEY, Open, counter
from cli.desk.devices import configurations
from cli.outside import Desk, NotOpen, WithKey
from cli.stack.demo import SEEDED, Demo
from cli.stack.simulated import Panel, Push, Terminal

DEMO = Demo(
    "community", terminals=[Terminal("t1", "door", "LF1", Push("http://outside:8083/v1/x/t1"), "demo:8100")],
    cameras=[Terminal("c1", "gate", "CA1", Push("http://outside:8083/v1/x/c1"), "demo:8120")],
    panels=[Panel("p1", "panel", "4A21", True, "devices:8130")])
CONTROLS = {"t1": "http://127.0.0.1:8200"}


SERVICES = {"access": "http://access:8080", "parking": "http://away:8080", "identity": "http://identity:8080"}


class Asked:
    """The desk, and what it passes on: each is answered 201 with a position."""

    def __init__(self, demo: Demo | None = DEMO) -> None:
        self.calls: list[httpx.Request] = []
        inside = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        desk = counter(Open("the-key", SERVICES, demo, CONTROLS), inside)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(desk), base_url="http://desk")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        if request.url.host == "away":
            raise httpx.ConnectError("away")
        return httpx.Response(201, json={"path": request.url.path}, headers={"lifang-position": "7", "server": "inside"})

    async def __call__(self, method: str, path: str, key: str | None = "the-key", **how: Any) -> httpx.Response:
        headers = {**how.pop("headers", {}), **({KEY: key} if key else {})}
        return await self._client.request(method, path, headers=headers, **how)


PATHS = ("/v1/demo", "/v1/tokens", "/controls/t1/card", "/services/access/v1/notices")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [None, "", "another", "the-key "])
async def test_without_its_key_nobody_is_told_anything(path: str, key: str | None):
    ask = Asked()
    answer = await ask("POST" if path == "/v1/tokens" else "GET", path, key)
    assert answer.status_code == 403 and answer.json() == {"code": "demo_secret_wrong"}
    assert ask.calls == []


@pytest.mark.parametrize("path", PATHS)
async def test_before_the_community_is_there_nothing_is_given(path: str):
    ask = Asked(None)
    assert (await ask("POST" if path == "/v1/tokens" else "GET", path)).status_code == 503
    assert (await ask("GET", "/readyz", None)).status_code == 503
    assert ask.calls == []
    assert (await Asked()("GET", "/readyz", None)).status_code == 200


async def test_what_is_passed_on_is_the_callers_own_and_never_the_desks_key():
    headers = {"authorization": "Bearer somebody", "idempotency-key": "k", "x-other": "no"}
    answer = await (ask := Asked())("POST", "/services/access/v1/notices?limit=2", headers=headers, content=b"{}")
    (seen,) = ask.calls
    assert (str(seen.url), seen.method, seen.content) == ("http://access:8080/v1/notices?limit=2", "POST", b"{}")
    assert seen.headers["authorization"] == "Bearer somebody" and seen.headers["idempotency-key"] == "k"
    assert KEY not in seen.headers and "x-other" not in seen.headers
    assert answer.status_code == 201 and answer.headers["lifang-position"] == "7" and "server" not in answer.headers


async def test_a_device_is_reached_by_its_id_and_nobody_else():
    ask = Asked()
    assert (await ask("POST", "/controls/t1/card", json={"live": True})).status_code == 201
    assert str(ask.calls[0].url) == "http://127.0.0.1:8200/card"
    assert (await ask("GET", "/controls/t2/card")).status_code == 404
    assert (await ask("GET", "/services/gateway/v1/me")).status_code == 404
    assert (await ask("GET", "/services/parking/v1/x")).status_code == 502
    assert len(ask.calls) == 2


async def test_tokens_are_identitys_own():
    await (ask := Asked())("POST", "/v1/tokens", json={"role": "guard"})
    (seen,) = ask.calls
    assert str(seen.url) == "http://identity:8080/v1/demo-tokens" and seen.headers["authorization"] == "Bearer the-key"


def test_devices_listen_everywhere_and_are_told_what_to_do_on_loopback(tmp_path: Path):
    found = configurations(DEMO, tmp_path / "secrets", tmp_path)
    assert found.controls == {"t1": "http://127.0.0.1:8200", "c1": "http://127.0.0.1:8220", "p1": "http://127.0.0.1:8230"}
    assert set(found.files) == {"hikvision_terminal", "vzenith_camera", "dc09_panel"}
    told = "".join(path.read_text() for path in found.files.values())
    assert '"listen":"0.0.0.0:8100"' in told and '"listen":"0.0.0.0:8120"' in told, "whatever the name is that devices are known by"
    assert '"listen":"devices:8130"' in told, "a panel calls"


def test_simulated_devices_report_inside_whatever_others_are_told():
    assert desk.from_inside("http://outside:8083/v1/x/t1", "http://devices:8080") == "http://devices:8080/v1/x/t1"


def test_the_desk_is_told_by_its_environment_and_says_what_is_missing(tmp_path: Path):
    environment = {f"LIFANG_URL_{name.upper()}": f"http://{name}:8080" for name in SEEDED} | {
        "LIFANG_DESK": "demo", "LIFANG_PANELS": "devices:8130", "LIFANG_PORT": "8090", "LIFANG_SECRETS": str(tmp_path)}
    told = desk.Told.by(environment)
    assert told.site.terminals == ["demo:8100", "demo:8101"] and told.site.gates == ["demo:8120", "demo:8121"]
    del environment["LIFANG_URL_PARKING"]
    with pytest.raises(KeyError, match="LIFANG_URL_PARKING"):
        desk.Told.by(environment)


def test_from_outside_the_desk_is_beside_the_gateway_and_its_key_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (key := tmp_path / "key").write_text("the-key\n")
    assert Desk.beside("https://community.example:8080", None, key) == Desk("http://community.example:8090", "the-key")
    assert Desk.beside("http://x", "http://y:1/", key).url == "http://y:1"
    monkeypatch.delenv(outside.VARIABLE, raising=False)
    for missing in (None, tmp_path / "none"):
        with pytest.raises(NotOpen, match=outside.VARIABLE):
            Desk.beside("http://x", None, missing)
    monkeypatch.setenv(outside.VARIABLE, "by-environment")
    assert Desk.beside("http://x", None, None).key == "by-environment"


def test_a_desk_that_refuses_or_is_away_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outside, "call", lambda *_, **__: (403, {"code": "demo_secret_wrong"}))
    with pytest.raises(NotOpen, match="403"):
        _ = Desk("http://x", "k").open
    monkeypatch.undo()
    with pytest.raises(NotOpen, match="does not answer"):
        _ = Desk("http://127.0.0.1:1", "k").open


async def test_the_key_is_shown_to_the_desk_and_to_nobody_else(monkeypatch: pytest.MonkeyPatch):
    seen: dict[int | None, str | None] = {}

    async def handle(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        seen[request.url.port] = request.headers.get(KEY)
        return httpx.Response(200)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    there = Desk("http://desk:8090", "the-key")
    async with httpx.AsyncClient(base_url="http://gateway:8080", trust_env=False, mounts={there.url: WithKey(there)}) as client:
        await client.get("/v1/me")
        await client.get("http://desk:8090/controls/t1/orders")
        await client.get("http://desk:8091/elsewhere")
    assert seen == {8080: None, 8090: "the-key", 8091: None}, "another port is another place"
