"""The story of a visitor with a car on the real stack; and with a service killed before every part of it."""

import asyncio
import os
import signal

import httpx
import pytest

from cli import scenario, status, tokens
from cli.scenarios.visitor import Visit, some_plate
from tests.e2e.conftest import Stack
from tests.e2e.gate import MINE, Gate
from tests.e2e.killing import killed, nothing_is_broken, process_of, restarted
from tests.faults.tally import Tally
from tests.kit import until


async def test_the_visitors_story_holds_step_by_step(stack: Stack):
    steps = await scenario.play("visitor", stack.status, stack.place)
    assert [s for s in steps if not s.ok] == []
    assert len(steps) == 8


@pytest.mark.serial
async def test_a_vehicle_whose_decision_came_too_late_is_read_again_and_the_late_one_lifts_nothing(stack: Stack, gate: Gate):
    plate, opened, answers = some_plate(), await gate.openings(), len(await gate.answers("in"))
    pass_id = await gate.invites(plate)
    parking = process_of(status.look(stack.place), "parking")["pid"]
    os.kill(parking, signal.SIGSTOP)
    try:
        passing = asyncio.create_task(gate.passes("in", plate))
        told = (await until(lambda: gate.answers("in", answers)))[0]
    finally:
        os.kill(parking, signal.SIGCONT)
    assert (told["status"], told["opened"]) == (200, False)
    assert "read the plate" in await passing
    stay = await gate.events(MINE, gate.resident, pass_id=pass_id, state="inside")
    await gate.passes("out", plate)
    await gate.one_stay(stay["id"], state="ended")
    assert await gate.openings() == opened + 2


@pytest.mark.faults
@pytest.mark.serial
@pytest.mark.parametrize("service", killed("identity", "access", "parking", "devices", "gateway"))
async def test_the_story_goes_on_whoever_was_killed_in_the_middle(stack: Stack, service: str, tally: Tally):
    tally.rounds = 0
    who = {role: tokens.token(stack.place, role, None) for role in ("resident", "guard", "staff")}
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=15, trust_env=False) as client:
        context = scenario.Context(status.look(stack.place), client, scenario.controls(stack.place), stack.place)
        story = Visit(context, stack.demo, **who)
        for name, part in (
            ("invited", story.invited), ("comes", story.comes), ("goes_up", story.goes_up), ("told", story.told),
            ("leaves", story.leaves), ("guest_pays", story.guest_pays), ("stranger_pays", story.stranger_pays)):
            await story.step(name, part)
            await restarted(stack, service, tally)
    assert [step.step for step in story.steps if not step.ok] == []
    await nothing_is_broken(stack, tally)
