"""kill -9 at every named failpoint: nothing acknowledged is lost, nothing happens twice, nothing is stuck. I1 to I7."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest

from libs.eventkit.failpoints import FAILPOINTS
from tests.faults.checker import Broken
from tests.faults.conftest import Scene

SceneOf = Callable[..., Awaitable[Scene]]
ROWS = {
    "append": ("kill-api", "I1 I2"), "relay": ("kill-relay", "I3 I4 I6"),
    "hear": ("kill-reader", "I4 I5"), "view": ("kill-reader", "I4 I5"),
    "reaction": ("kill-effect", "I4"), "timer": ("kill-effect", "I4"), "effect": ("kill-effect", "I4 I7")}
TWINS = {
    "append.before": ("answers_before_commit", "I1"),
    "append.after": ("key_forgotten", "I2"),
    "relay.sent": ("relay_checkpoint_first", "I3"),
    "hear.before": ("mark_first", "I4"),
    "hear.after": ("known_in_memory_only", "I4"),
    "view.written": ("view_rows_first", "I5"),
    "view.committed": ("view_checkpoint_first", "I5"),
    "reaction.done": ("reaction_without_key", "I4"),
    "timer.fired": ("fired_by_the_table_alone", "I4"),
    "effect.attempted": ("called_before_recorded", "I4"),
    "effect.called": ("attempted_again", "I4"),
}
LOADED = [name for name in FAILPOINTS if name in TWINS]
"""Those to which the load comes; for the others see `test_kill_erasing.py` and `test_kill_keeper.py`."""


KILLS = [pytest.param(f, marks=pytest.mark.fault(row=row, invariants=invariants))
         for f in LOADED for row, invariants in [ROWS[f.partition(".")[0]]]]
CAUGHT = [pytest.param(f, twin, invariant, marks=pytest.mark.twin(row=ROWS[f.partition(".")[0]][0], caught_by=invariant), id=f)
          for f, (twin, invariant) in TWINS.items()]


async def killed_at(failpoint: str, scene: Scene) -> None:
    """Under load, killed the first time that it comes there once it is well under way, and started again."""
    await scene.toy.start(failpoint)
    asking = asyncio.create_task(scene.load.run())
    try:
        await scene.load.well_under_way()
        scene.toy.armed.touch()
        assert await scene.toy.ended() == -signal.SIGKILL
        await scene.toy.start()
        await asking
        await scene.load.last_words()
    finally:
        asking.cancel()


@pytest.mark.parametrize("failpoint", KILLS)
async def test_killed_here_it_goes_on_as_if_nothing_had_been(scene_of: SceneOf, failpoint: str):
    scene = await scene_of()
    await killed_at(failpoint, scene)
    await scene.check()


@pytest.mark.parametrize(("failpoint", "twin", "invariant"), CAUGHT)
async def test_the_broken_twin_is_caught(scene_of: SceneOf, failpoint: str, twin: str, invariant: str):
    scene = await scene_of(twin)
    await killed_at(failpoint, scene)
    with pytest.raises(Broken) as broken:
        await scene.check()
    assert broken.value.invariant == invariant


async def test_the_environment_alone_arms_a_failpoint():
    """As an operator's or a test's shell would do it: nothing but variables, read when the module is imported."""
    import os
    import sys

    program = "from libs.eventkit.failpoints import reach; reach('relay.sent'); print('alive'); reach('append.before')"
    for name, ends in (("append.before", -signal.SIGKILL), ("no.such", 1)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, env={**os.environ, "LIFANG_FAILPOINT": name}, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL)
        answer, _ = await process.communicate()
        assert process.returncode == ends and (answer == b"alive\n") == (ends < 0)
