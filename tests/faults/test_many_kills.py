"""`LIFANG_KILL_ROUNDS` times (1,000 unless said otherwise) kill -9 under load: every other time at a named failpoint, else whenever it
comes. Several to a scene, which goes on with what the last one left; at its end everything is looked at."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.conftest import Scene
from tests.faults.test_kill import LOADED, ROWS
from tests.kit import until

SceneOf = Callable[..., Awaitable[Scene]]
ROUNDS, EACH = int(os.environ.get("LIFANG_KILL_ROUNDS", "1000")), 10
POINTS = {row: [f for f in LOADED if ROWS[f.partition(".")[0]][0] == row] for row, _ in ROWS.values()}
PATIENCE = 4.0
"""Seconds after which a failpoint that nobody comes by is not waited for any longer."""


def scenes() -> list[object]:
    """Each of one row of the matrix."""
    rows = sorted(set(ROWS.values()))
    marks = [pytest.mark.fault(row=row, invariants=invariants) for row, invariants in rows]
    return [pytest.param(n, rows[n % len(rows)][0], marks=marks[n % len(rows)]) for n in range(-(-ROUNDS // EACH))]


async def killed_once(scene: Scene, failpoint: str, moment: float) -> None:
    """At the failpoint, if there is one, else after so many seconds; then started again. Nobody who asks gives up."""
    loop = asyncio.get_running_loop()
    asking = asyncio.create_task(scene.load.run(each=5))
    try:
        begun = loop.time()
        if failpoint:
            scene.toy.armed.touch()
        await until(lambda: scene.toy.is_over() or loop.time() - begun > (PATIENCE if failpoint else moment), PATIENCE + 5)
        await scene.toy.stop()
        scene.toy.armed.unlink(missing_ok=True)
    finally:
        scene.tally.rounds += 1
    scene.load.asking.append(asking)


@pytest.mark.faults
@pytest.mark.parametrize(("n", "row"), scenes())
async def test_killed_again_and_again_it_goes_on_as_if_nothing_had_been(scene_of: SceneOf, n: int, row: str):
    scene, dice = await scene_of(), random.Random(n)
    scene.tally.rounds, scene.load.patience = 0, 180.0
    for k in range(min(EACH, ROUNDS - n * EACH)):
        failpoint = POINTS[row][(n + k // 2) % len(POINTS[row])] if k % 2 else ""
        await scene.toy.start(failpoint)
        await killed_once(scene, failpoint, dice.uniform(0.0, 0.6))
    await scene.toy.start()
    await scene.load.answers()
    await scene.load.last_words()
    await scene.check()
