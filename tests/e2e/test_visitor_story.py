"""The story of a visitor with a car on the real stack; and with a service killed before every part of it."""

from datetime import datetime

import httpx
import pytest

from cli import scenario, status, tokens
from cli.scenarios.visitor import Visit
from tests.e2e.conftest import Stack
from tests.e2e.killing import killed, nothing_is_broken, restarted
from tests.faults.tally import Tally


async def test_the_visitors_story_holds_step_by_step(stack: Stack):
    steps = await scenario.play("visitor", stack.status, stack.place)
    assert [s for s in steps if not s.ok] == []
    assert len(steps) == 8


class Patient(Visit):
    """A driver who drives up again: the first answer after a crash may be the camera's fallback."""

    async def drives(self, way: str, plate: str, at: datetime | None = None) -> bool:
        for _ in range(1 if at else 3):
            if await super().drives(way, plate, at):
                return True
        return False


@pytest.mark.faults
@pytest.mark.serial
@pytest.mark.parametrize("service", killed("identity", "access", "parking", "devices", "gateway"))
async def test_the_story_goes_on_whoever_was_killed_in_the_middle(stack: Stack, service: str, tally: Tally):
    tally.rounds = 0
    who = {role: tokens.token(stack.place, role, None) for role in ("resident", "guard", "staff")}
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=15, trust_env=False) as client:
        context = scenario.Context(status.look(stack.place), client, scenario.controls(stack.place), stack.place)
        story = Patient(context, stack.demo, **who)
        for name, part in (
            ("invited", story.invited), ("comes", story.comes), ("goes_up", story.goes_up), ("told", story.told),
            ("leaves", story.leaves), ("guest_pays", story.guest_pays), ("stranger_pays", story.stranger_pays)):
            await story.step(name, part)
            await restarted(stack, service, tally)
    assert [step.step for step in story.steps if not step.ok] == []
    await nothing_is_broken(stack, tally)
