"""Cursors, commands that are passed on, and pages of incidents: what can go wrong at the edges."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.eventkit.http import page
from libs.eventkit.problems import Problem
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
    by, moment = ("rank", "position", "asked"), 1_772_366_400_000_001
    text = page([{"rank": 1, "position": 7, "asked": moment}, {}], 1, "f", *by)["next"]
    assert rank_after(text, "f") == (1, 7, NOON + timedelta(microseconds=1)) and rank_after(None, "f") is None
    for wrong in ({"position": -7}, {"asked": 10**16}, {"asked": "soon"}):
        with pytest.raises(Problem, match="cursor_malformed"):
            rank_after(page([{"rank": 1, "position": 7, "asked": moment, **wrong}, {}], 1, "f", *by)["next"], "f")
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
