"""Cursors, commands that are passed on, and pages of incidents: what can go wrong at the edges."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from libs.contracts.permissions import PERMISSIONS
from libs.eventkit.http import guards_of, iter_route_contexts, page
from libs.eventkit.problems import Problem
from libs.eventkit.settings import Settings
from services.gateway.api import alarm_commands, fire_commands
from services.gateway.api.incident_events import cursor_at
from services.gateway.api.incidents import mine, queue_after, queued
from services.gateway.api.told import rank_after
from services.gateway.forwarding import Upstream
from tests.unit.gateway.heard import BUILDING, HOME, NOON
from tests.unit.gateway.test_edges import SETTINGS, request


@pytest.fixture(autouse=True)
def _access_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFANG_URL_ACCESS", "http://access.test")


def test_cursors_of_the_queue_and_of_notices_are_theirs_alone() -> None:
    text = page([{"queue": 5, "id": BUILDING}, {}], 1, "incidents open", "queue", "id")["next"]
    assert queue_after(text, "incidents open") == (5, BUILDING) and queue_after(None, "x") is None
    with pytest.raises(Problem, match="cursor_of_another_filter"):
        queue_after(text, "incidents closed")
    for queue in ("x", "-1", str(2**63)):
        with pytest.raises(Problem, match="cursor_malformed"):
            queue_after(page([{"queue": queue, "id": BUILDING}, {}], 1, "f", "queue", "id")["next"], "f")
    assert rank_after(page([{"rank": 1, "position": 7}, {}], 1, "f", "rank", "position")["next"], "f") == (1, 7)
    with pytest.raises(Problem, match="cursor_malformed"):
        rank_after(page([{"rank": 1, "position": -7}, {}], 1, "f", "rank", "position")["next"], "f")
    assert cursor_at(5, "a") != cursor_at(6, "a") != cursor_at(6, "b")


def incident(**more: Any) -> dict[str, Any]:
    names = (
        "id", "kind", "severity", "silent", "code", "live", "count", "last_at", "how", "verified_at", "building_id", "building", "unit",
        "floor", "home", "spot", "sensor_id", "sensor", "panel_id", "partition", "zone", "device_id", "owner_id", "last_event_id",
        "restored_at", "ended_at", "raised_by", "escalation", "position", "home_id")
    return {
        **dict.fromkeys(names), "state": "raised", "raised_at": NOON, "waiting_for": "acknowledgement", "deadline": NOON, "dispatches": [],
        "steps": [], **more}


def test_age_ends_with_the_incident_and_a_deadline_is_missed_after_its_moment() -> None:
    later = NOON + timedelta(hours=1)
    assert (queued(incident(), {}, later)["age_seconds"], queued(incident(), {}, later)["overdue"]) == (3600, True)
    assert not queued(incident(), {}, NOON)["overdue"]
    over = incident(ended_at=NOON + timedelta(minutes=1), deadline=None, waiting_for=None)
    assert (queued(over, {}, later)["age_seconds"], queued(over, {}, later)["overdue"]) == (60, False)


@pytest.mark.parametrize(("waiting_for", "shown"), [("acknowledgement", True), ("verification", False), (None, False)])
def test_an_escalation_is_shown_while_that_step_is_late(waiting_for: str | None, shown: bool) -> None:
    row = incident(escalation={"waiting_for": "acknowledgement", "level": 1}, waiting_for=waiting_for)
    assert (queued(row, {}, NOON)["escalation"] is not None) is shown


def test_where_it_is_not_their_home_a_resident_reads_of_no_home() -> None:
    row = incident(home_id=HOME, spot="kitchen", building="3")
    assert mine(row, {HOME: NOON}, UUID(int=1))["place"]["name"] == "kitchen"
    for since in ({}, {HOME: NOON + timedelta(seconds=1)}):
        other = mine(row, since, UUID(int=1))
        assert "name" not in other["place"] and "home_id" not in other["place"] and "kitchen" not in str(other)
        assert other["because"] == "building"


SERVICES = {"alarm": alarm_commands, "other": fire_commands}


@pytest.mark.parametrize("part", list(SERVICES))
async def test_each_command_goes_to_its_owner_on_the_same_path(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class App:
        settings: Settings = SETTINGS

    passed: list[tuple[str, str]] = []

    async def forward(self: Upstream, asked: Any, service: str, path: str) -> Any:
        passed.append((service, path))

    monkeypatch.setattr(Upstream, "forward", forward)
    web = FastAPI()
    web.include_router(SERVICES[part].router(App()))  # type: ignore[attr-defined]
    some = UUID(int=5)
    for route in (r.original_route for r in iter_route_contexts(web.routes) if r.path.startswith("/v1/")):
        names = route.param_convertors  # type: ignore[union-attr]
        await route.endpoint(request(), **dict.fromkeys(names, some))  # type: ignore[union-attr]
        service, path = passed.pop()
        assert path == route.path.format(**dict.fromkeys(names, some))  # type: ignore[union-attr]
        owner = "alarm" if part == "alarm" else "access" if "fire-release" in path else "identity" if "population" in path else "neighbors"
        assert service == owner, path


def test_who_may_pass_which_command_on() -> None:
    class App:
        settings: Settings = SETTINGS

    web = FastAPI()
    for part in SERVICES.values():
        web.include_router(part.router(App()))  # type: ignore[attr-defined]
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(web.routes):
        if route.path.startswith("/v1/"):
            (method,) = route.methods or {""}
            found[f"{method} {route.path}"] = {r for r, may in PERMISSIONS.items() if may & set(guards_of(route))}
    assert found["POST /v1/sos"] == {"resident"}
    assert found["POST /v1/incidents/{incident_id}/verifications"] == {"staff", "guard"}
    assert found["POST /v1/sensors"] == {"staff"} and found["GET /v1/sensors"] == {"staff", "guard"}
    assert found["POST /v1/fire-releases/{release_id}/endings"] == {"staff", "guard"}
    assert found["POST /v1/notices"] == {"staff"} and found["POST /v1/notices/{notice_id}/receipts"] == {"resident"}
    assert found["POST /v1/residents/{resident_id}/population-declarations"] == {"staff", "grid", "police"}


async def test_a_question_goes_on_with_its_query_and_a_command_without() -> None:
    asked: list[httpx.Request] = []

    async def handle(outgoing: httpx.Request) -> httpx.Response:
        asked.append(outgoing)
        return httpx.Response(200)

    upstream = Upstream(SETTINGS, httpx.MockTransport(handle))
    for method in ("GET", "POST"):
        one = request()
        one.scope |= {"method": method, "query_string": b"limit=5&cursor=a%2Fb"}
        await upstream.forward(one, "access", "/v1/x")
    assert [str(a.url) for a in asked] == ["http://access.test/v1/x?limit=5&cursor=a%2Fb", "http://access.test/v1/x"]
