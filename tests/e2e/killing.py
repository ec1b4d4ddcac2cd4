"""Killing a part of the shared stack as a crash would, and waiting until all of it is there again, and whole."""

import os
import signal
from typing import Any

import pytest

from cli import status
from tests.e2e.conftest import Stack
from tests.faults.tally import Tally
from tests.faults.whole import check_all
from tests.kit import until


def killed(*parts: str) -> list[Any]:
    """Parameters of a story that is played while each of them is killed, marked for the row of the fault matrix that it is."""
    rows = {"postgres": "kill-postgresql", "kafka": "kill-kafka"}
    return [pytest.param(part, marks=pytest.mark.fault(row=rows.get(part, "kill-reader"), invariants="I3 I4 I5 I6 I7 I8 I12"))
            for part in parts]


def process_of(found: dict[str, Any], part: str) -> dict[str, Any]:
    """A service, `gateway`, `postgres` or `kafka` in what `status` says."""
    if part == "gateway":
        return dict(found["gateway_process"] or {})
    return dict(found["services"].get(part) or found.get(part) or {})


async def restarted(stack: Stack, part: str, tally: Tally) -> None:
    tally.rounds += 1
    pid = process_of(status.look(stack.place), part)["pid"]
    os.kill(pid, signal.SIGKILL)

    def again() -> bool:
        now = status.look(stack.place)
        return bool(now["ready"] and process_of(now, part).get("pid") not in (None, pid))

    await until(again, timeout=90)


async def nothing_is_broken(stack: Stack, tally: Tally) -> None:
    """Every invariant that can be read off logs, topics and views, on all services."""
    await check_all(stack.place, tally)
