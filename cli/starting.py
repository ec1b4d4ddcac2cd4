"""The row `start` of the bench: how long until a community answers, from nothing and with all its data."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from cli import screen
from cli.place import Place
from cli.stack import start
from cli.stack.processes import is_running

ROUNDS = 3
GOAL_WARM_S, GOAL_COLD_S = 8, 90


def measure(place: Place, ready: Callable[[], object]) -> dict[str, Any]:
    """`ready` returns when everything answers. Everything that is downloaded once is there already."""

    def timed() -> float:
        begun = time.monotonic()
        begins = start.start(place, screen.progress)
        while start.supervisor(place) is None and is_running(begins):  # it has not yet said who it is
            time.sleep(0.02)
        ready()
        took = time.monotonic() - begun
        start.stop(place, screen.progress)
        return round(took, 1)

    cold = timed()
    warm = [timed() for _ in range(ROUNDS)]
    ours = median(warm)
    return {
        "row": "start", "unit": "s until a community answers, with its data", "ours": ours,
        "limit": {"of": f"from nothing, downloads apart (goal {GOAL_COLD_S})", "value": cold}, "peer": {"of": "none", "value": None},
        "goal": f"≤ {GOAL_WARM_S} s", "met": ours <= GOAL_WARM_S and cold <= GOAL_COLD_S, "of_limit": 0.0, "of_peer": None,
        "rounds": ROUNDS, "spread": {"ours": {"value": ours, "min": min(warm), "max": max(warm)}}}
