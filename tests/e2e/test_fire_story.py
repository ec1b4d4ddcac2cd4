"""The story of a fire on the real stack; and with a service, PostgreSQL or Kafka killed in the middle: the alarm stays raised."""

import httpx
import pytest

from cli import scenario, status, tokens
from cli.scenarios.fire import ROLES, Fire
from tests.e2e.conftest import Stack
from tests.e2e.killing import killed, nothing_is_broken, restarted
from tests.faults.tally import Tally


async def test_the_story_of_a_fire_holds_step_by_step(stack: Stack):
    steps = await scenario.play("fire", stack.status, stack.place)
    assert [s for s in steps if not s.ok] == []
    assert len(steps) == 10


@pytest.mark.faults
@pytest.mark.serial
@pytest.mark.parametrize("part", killed("identity", "devices", "alarm", "access", "neighbors", "gateway", "postgres", "kafka"))
async def test_the_story_goes_on_whatever_was_killed_in_the_middle(stack: Stack, part: str, tally: Tally):
    tally.rounds = 0
    who = {role: tokens.token(stack.place, role, None) for role in ROLES}
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=15, trust_env=False) as client:
        context = scenario.Context(status.look(stack.place), client, scenario.controls(stack.place), stack.place)
        story = Fire(context, stack.demo, **who)
        await story.step("reported", story.reported)
        await restarted(stack, part, tally)
        raised = await story.incident_with(state="raised")
        assert raised["owner"] is None, "nobody has acknowledged it"
        for name, act in (
            ("folded", story.folded), ("verified", story.verified), ("released", story.released), ("told", story.told),
            ("government", story.government), ("dispatched", story.dispatched)):
            await story.step(name, act)
            await restarted(stack, part, tally)
            assert (await story.incident_with())["state"] not in ("resolved", "found_false"), "only a person ends it"
        await story.step("resolved", story.resolved)
        await story.step("set_back", story.set_back)
    assert [step.step for step in story.steps if not step.ok] == []
    await nothing_is_broken(stack, tally)
