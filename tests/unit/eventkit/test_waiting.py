"""Waiting for an event or for so long, whatever comes first."""

import asyncio
import re
from pathlib import Path

import pytest

from libs.eventkit.tail import set_within
from tests.kit import turns


async def test_it_returns_when_it_is_set_and_after_so_long():
    event = asyncio.Event()
    await set_within(event, 0.0)
    await set_within(event, 0.01)
    event.set()
    await asyncio.wait_for(set_within(event, 3600.0), 5)


@pytest.mark.parametrize("steps", range(5))
async def test_who_is_ended_in_the_moment_in_which_it_is_set_ends(steps):
    """A reader whose lease is lost just as the log grows must not go on without it."""
    event = asyncio.Event()

    async def reader():
        while True:
            await set_within(event, 3600.0)
            event.clear()

    task = asyncio.create_task(reader())
    await turns()
    event.set()
    await turns(steps)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=1.0)
    try:
        assert done, "it goes on"
    finally:
        task.cancel()


async def test_patience_that_ends_as_the_log_grows_ends():
    """A read that waits for what its caller did would else wait for ever."""
    grown = asyncio.Event()

    async def read():
        async with asyncio.timeout(1.0) as patience:
            asyncio.get_running_loop().call_later(0.01, lambda: (grown.set(), patience.reschedule(0.0)))
            while True:
                await set_within(grown, 3600.0)
                grown.clear()

    task = asyncio.create_task(read())
    done, _ = await asyncio.wait([task], timeout=3.0)
    task.cancel()
    assert done and isinstance(task.exception(), TimeoutError)


def test_nobody_waits_for_an_event_in_another_way():
    root = Path(__file__).parents[3]
    sources = [path for folder in ("libs", "services") for path in (root / folder).rglob("*.py")]
    assert len(sources) > 100
    assert [str(path) for path in sources if re.search(r"wait_for\([^)\n]*\.wait\(\)", path.read_text())] == []
