"""The tables of what is passed on: each row goes to its owner, to whom it may, and nothing in a path leads elsewhere."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.routing import RouteContext

from libs.contracts.permissions import PERMISSIONS
from libs.contracts.topics import TOPICS
from libs.eventkit.auth import Principal
from libs.eventkit.direct import _known
from libs.eventkit.http import guards_of, iter_route_contexts
from libs.eventkit.settings import Settings
from services.gateway.api.passing import PASSED_ON, router
from services.gateway.api.routes import PASSED_ON as TABLES
from services.gateway.forwarding import Upstream
from tests.unit.gateway.test_edges import SETTINGS, request

SOME = UUID(int=5)


class App:
    settings: Settings = SETTINGS


class Everybody:
    """Lets in whoever comes, as somebody who may do everything."""

    def verify(self, token: str, now: datetime) -> Principal:
        return Principal(SOME, "staff", frozenset({SOME}), frozenset().union(*PERMISSIONS.values()))


@pytest.fixture
def web() -> FastAPI:
    found = FastAPI()
    for table in TABLES:
        found.include_router(router(App(), table))  # type: ignore[arg-type]
    return found


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    async def forward(self: Upstream, asked: Any, service: str, path: str) -> Response:
        found.append((service, path))
        return Response()

    monkeypatch.setattr(Upstream, "forward", forward)
    return found


def routes(web: FastAPI) -> Iterator[RouteContext]:
    return (route for route in iter_route_contexts(web.routes) if str(route.path).startswith("/v1/"))


def test_every_row_stands_in_the_table_of_its_owner_and_its_body_is_known() -> None:
    rows = [row for table in TABLES for row in table]
    assert all(len({row.service for row in table}) == 1 for table in TABLES)
    assert {row.service for row in rows} < TOPICS.keys()
    assert len({row.operation for row in rows}) == len({(row.method, row.path) for row in rows}) == len(rows)
    assert [row.operation for row in rows if row.operation not in PASSED_ON] == [], "run python -m cli.streams"


async def test_each_request_goes_to_its_owner_on_its_path(web: FastAPI, passed: list[tuple[str, str]]) -> None:
    by_operation = {row.operation: row for table in TABLES for row in table}
    for route in routes(web):
        names, row = dict.fromkeys(route.original_route.param_convertors, SOME), by_operation[route.name or ""]  # type: ignore[union-attr]
        await route.endpoint(request(), **names)  # type: ignore[misc]
        assert passed.pop() == (row.service, (row.behind or str(route.path)).format(**names))


def test_where_the_path_behind_is_another_one_it_names_the_same_things() -> None:
    others = {row.operation: row.behind for table in TABLES for row in table if row.behind}
    assert others["ask_payment"] == "/v1/parking/sessions/{session_id}/payments"
    assert others["ask_renewal"] == "/v1/parking/plate-rights/{right_id}/renewals"


def test_who_may_pass_which_request_on(web: FastAPI) -> None:
    found: dict[str, set[str]] = {}
    for route in routes(web):
        (method,) = route.methods or {""}
        found[f"{method} {route.path}"] = {r for r, may in PERMISSIONS.items() if may & set(guards_of(route))}
    assert found["POST /v1/sos"] == {"resident"}
    assert found["POST /v1/incidents/{incident_id}/verifications"] == {"staff", "guard"}
    assert found["POST /v1/sensors"] == {"staff"} and found["GET /v1/sensors"] == {"staff", "guard"}
    assert found["POST /v1/fire-releases/{release_id}/endings"] == {"staff", "guard"}
    assert found["POST /v1/notices"] == {"staff"} and found["POST /v1/notices/{notice_id}/receipts"] == {"resident"}
    assert found["POST /v1/residents/{resident_id}/population-declarations"] == {"staff", "grid", "police"}


@pytest.mark.parametrize(("method", "path", "status", "goes_to"), [
    ("PUT", f"/v1/sensors/{SOME}", 200, f"/v1/sensors/{SOME}"),
    ("PUT", "/v1/sensors/another", 422, None),
    ("PUT", "/v1/ladders/high", 200, "/v1/ladders/high"),
    ("PUT", "/v1/ladders/highest", 422, None),
    ("POST", "/v1/sign-ins/s-1/tokens", 200, "/v1/sign-ins/s-1/tokens"),
    ("POST", "/v1/sign-ins/s%3F1/tokens", 422, None),
    ("PUT", "/v1/me/consents/face", 200, "/v1/me/consents/face"),
    ("PUT", "/v1/me/consents/%2e%2e", 200, "/v1/me/consents/unknown"),
])
async def test_a_part_of_a_path_is_what_it_has_to_be(
        web: FastAPI, passed: list[tuple[str, str]], method: str, path: str, status: int, goes_to: str | None) -> None:
    web.state.verifier = Everybody()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://gateway.test") as client:
        answer = await client.request(method, path, headers={"authorization": "Bearer x"})
    assert (answer.status_code, [to for _, to in passed]) == (status, [goes_to] if goes_to else [])


def test_every_row_takes_the_short_way_to_its_route(web: FastAPI) -> None:
    assert [route.path for route in routes(web) if not _known(route)] == []
