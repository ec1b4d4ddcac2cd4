"""Care for who lives alone through the gateway: the story, who sees a check as it happens, and what a resident takes with them."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli import scenario
from cli.scenarios.care import Care
from tests.e2e.conftest import Stack
from tests.e2e.test_lists import over

RESIDENTS = {"alone": -1, "neighbour": 0, "other": 2}


@pytest.fixture
async def care(stack: Stack, http: httpx.AsyncClient) -> Care:
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    bearers = {name: stack.bearer("resident", stack.demo.residents[n]["id"]) for name, n in RESIDENTS.items()}
    bearers |= {role: stack.bearer(role) for role in ("guard", "staff")}
    return Care(context, stack.demo, **{name: bearer["authorization"].removeprefix("Bearer ") for name, bearer in bearers.items()})


async def test_the_story_of_care_holds_step_by_step_and_again(stack: Stack):
    for _ in range(2):
        steps = await scenario.play("care", stack.status, stack.place)
        assert [s for s in steps if not s.ok] == []
        assert len(steps) == 6


async def test_a_check_is_shown_live_to_who_is_asked_and_to_nobody_else_who_lives_there(care: Care):
    """A neighbour is not told who else is asked; others hear nothing; who is on duty sees it."""
    await care.arranged()
    seen: dict[str, list[dict[str, Any]]] = {}
    opened = asyncio.Semaphore(0)

    async def follow(name: str) -> None:
        seen[name] = []
        wanted = {"types": "alarm.wellness_check"}
        async with care.client.stream("GET", "/v1/live", headers=care.who[name], params=wanted, timeout=20) as answer:
            assert answer.status_code == 200
            opened.release()
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    seen[name].append(json.loads(line.removeprefix("data:"))["data"])
                    if len(seen[name]) == 2:
                        return

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        others = tasks.create_task(follow("other"))
        both = [tasks.create_task(follow(name)) for name in ("neighbour", "guard")]
        for _ in range(3):
            await opened.acquire()
        await care.asked()
        await care.post(f"/v1/care/{care.home}/answers", care.neighbour, {"check_id": care.check, "answer": "well"})
        await asyncio.wait(both)
        others.cancel()
    assert [told["state"] for told in seen["neighbour"]] == ["neighbours", "well"] == [told["state"] for told in seen["guard"]]
    assert seen["guard"][0]["asked"] == [care.helper] and seen["guard"][1]["by"] == care.helper
    assert not {"asked", "by"} & {*seen["neighbour"][0], *seen["neighbour"][1]} and seen["other"] == []


async def test_what_is_kept_of_care_is_in_the_file_that_a_resident_takes(care: Care):
    await care.arranged()
    mine = (await care.get("/v1/me/export", care.alone))["sections"]["alarm"]
    [home] = mine["homes"]
    assert (home["home_id"], home["helpers"]) == (care.home, 1)
    theirs = (await care.get("/v1/me/export", care.neighbour))["sections"]["alarm"]
    assert theirs == {"homes": [], "helping": [care.home]}


async def test_those_who_live_there_arrange_and_end_it_themselves(care: Care):
    await care.arranged()
    mine = f"/v1/me/care/{care.home}"
    await care.put(mine, care.alone, {"least_hours": 20, "helpers": []})
    found = await care.get(f"/v1/care/{care.home}", care.staff)
    assert (found["agreed"], found["helpers"], found["terms"]["least_hours"]) == ("self", [], 20)
    assert (await care.get("/v1/me/care", care.neighbour))["helping"] == []
    for who in (care.neighbour, care.who["other"]):
        answer = await care.client.request("DELETE", mine, headers={**who, "idempotency-key": str(uuid4())})
        assert (answer.status_code, answer.json()["code"]) == (404, "care_not_found")
    assert (await care.client.delete(mine, headers=care.alone)).status_code == 204
    answer = await care.client.get(f"/v1/care/{care.home}", headers=care.staff)
    assert (answer.status_code, answer.json()["code"]) == (404, "care_not_found")
    answer = await care.client.put(f"/v1/care/{care.home}", headers=care.staff, json={"agreed": "self"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), "that only they can say"


async def test_all_is_not_well_is_at_the_guards_at_once(care: Care):
    await care.arranged()
    await care.asked()
    await care.post(f"/v1/care/{care.home}/answers", care.neighbour, {"check_id": care.check, "answer": "not_well"})

    incident = await care.raised()
    assert (incident["id"], incident["severity"], incident["code"]) == (care.check, "critical", "care:not_well")
    refused = await care.client.post(
        f"/v1/care/{care.home}/answers", headers=care.neighbour, json={"check_id": care.check, "answer": "well"})
    assert (refused.status_code, refused.json()["code"]) == (409, "check_over")
    await over(care, care.check)
    await care.stands("watched")
