"""Waiting for an event, an answer, or for so long, whatever comes first."""

import asyncio
import sys
from pathlib import Path

import pytest

from libs.eventkit.tail import set_within, within
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


async def asks_on(ask, steps):
    """Whether somebody who asks again and again goes on when they are ended so many turns after an answer."""
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def asker():
        for answer in answers:
            await ask(answer, 3600.0)

    task = asyncio.create_task(asker())
    await turns()
    answers[0].set_result(None)
    await turns(steps)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=0.2)
    answers[1].cancel()
    return not done


@pytest.mark.parametrize("steps", range(5))
async def test_who_is_ended_in_the_moment_of_an_answer_ends(steps):
    """Whoever hears a topic, and looks whether it is behind, must not go on when it has to end."""
    assert not await asks_on(within, steps)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="mended there")
async def test_the_usual_way_is_caught():
    assert any([await asks_on(asyncio.wait_for, steps) for steps in range(5)])


async def test_no_answer_in_time_raises_and_ends_what_was_asked():
    answer = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await within(answer, 0.01)
    assert answer.cancelled()


def test_nobody_waits_in_another_way():
    root = Path(__file__).parents[3]
    sources = [path for folder in ("libs", "services") for path in (root / folder).rglob("*.py")]
    assert len(sources) > 100
    assert [str(path) for path in sources if "asyncio.wait_for" in path.read_text()] == []
