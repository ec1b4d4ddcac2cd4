"""A process that is stuck is ended; one that waits for a database or a broker, or that was stopped for a while, is not."""

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from libs.eventkit import watchdog
from tests.kit import until


class Ended(Exception):
    pass


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []

    def end(why: str) -> None:
        said.append(why)
        raise Ended

    monkeypatch.setattr(watchdog, "end", end)
    monkeypatch.setattr(watchdog, "LOOK", 0.001)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return said


# the loop


async def test_a_loop_that_stands_still_ends_the_process_and_says_where(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watchdog, "BEAT", 0.01)
    monkeypatch.setattr(watchdog, "BEATS", 5)
    watchdog.watch_loop(asyncio.get_running_loop())
    standing = threading.Event()
    await until(lambda: standing.wait(2.0) or ended)  # holds the loop
    assert "event loop stands still" in ended[0] and "threading.py" in ended[0]


async def test_a_loop_that_turns_is_left_alone_and_so_is_one_whose_whole_process_was_stopped(
    ended: list[str], monkeypatch: pytest.MonkeyPatch
):
    """The thread sees one turn, however long the stop was: as here, where it sleeps longer than the loop has beats to miss."""
    monkeypatch.setattr(watchdog, "BEAT", 0.005)
    monkeypatch.setattr(watchdog, "BEATS", 3)
    slept: list[float] = []
    real = watchdog.time.sleep
    monkeypatch.setattr(watchdog.time, "sleep", lambda seconds: (slept.append(seconds), real(0.2 if len(slept) == 2 else seconds)))
    watchdog.watch_loop(asyncio.get_running_loop())
    await until(lambda: len(slept) > 20)
    assert ended == []


# hearing


class Hearing:
    def __init__(self) -> None:
        self.counts = {"taken": 0}


class Commands:
    generation = 1


class App:
    """As much of one as the watchdog looks at."""

    opened = True

    def __init__(self) -> None:
        self.hearing, self.commands, self.supervisor = Hearing(), Commands(), type("S", (), {"restarts": {}})()


async def watched(app: App, monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], Any], looks: int) -> list[int]:
    """The watchdog's looks, until it ends the process or has looked so often."""
    looked: list[int] = []

    async def asked(_: Any, hears: bool) -> tuple[bool, bool]:
        looked.append(len(looked))
        if len(looked) > looks:
            raise asyncio.CancelledError
        answer = answers(looked[-1])
        if isinstance(answer, Exception):
            raise answer
        return bool(answer[0]), bool(answer[1])

    monkeypatch.setattr(watchdog, "asked", asked)
    with pytest.raises((Ended, asyncio.CancelledError)):
        await watchdog.watch(app, True)  # type: ignore[arg-type]
    return looked


async def test_hearing_that_does_not_move_though_its_topics_do_ends_the_process(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    looked = await watched(App(), monkeypatch, lambda n: (False, True), 50)
    assert len(looked) == watchdog.LOOKS + 1 and "topics have more" in ended[0]


async def test_hearing_that_is_behind_and_moves_is_left_alone(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    app = App()

    def moves(n: int) -> tuple[bool, bool]:
        app.hearing.counts["taken"] += n % watchdog.LOOKS == 0
        return False, True

    await watched(app, monkeypatch, moves, 40)
    assert ended == []


async def test_hearing_that_its_own_supervisor_starts_again_is_left_alone(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    app = App()

    def fails(n: int) -> tuple[bool, bool]:
        app.supervisor.restarts["hear"] = n
        return False, True

    await watched(app, monkeypatch, fails, 40)
    assert ended == []


async def a_broker_that_is_away_ends_nothing(ended: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long, and however far behind the listener was when it went away; each look begins to count anew."""
    await watched(App(), monkeypatch, lambda n: OSError("away") if n % watchdog.LOOKS else (False, True), 60)
    assert ended == []


@pytest.mark.fault(row="kafka-partition", invariants="I14")
async def test_a_broker_or_a_database_that_is_away_ends_nothing(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    await a_broker_that_is_away_ends_nothing(ended, monkeypatch)


async def test_twin_that_counts_an_absent_broker_is_caught(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    async def all_the_same(waiting: Any, timeout: float) -> Any:
        try:
            return await waiting
        except OSError:
            return False, True

    monkeypatch.setattr(watchdog.asyncio, "wait_for", all_the_same)
    with pytest.raises(AssertionError):
        await a_broker_that_is_away_ends_nothing(ended, monkeypatch)


async def test_a_log_that_has_begun_another_generation_ends_the_process_in_grace(ended: list[str], monkeypatch: pytest.MonkeyPatch):
    sent: list[int] = []
    monkeypatch.setattr(watchdog.os, "kill", lambda pid, number: sent.append(number))
    await watched(App(), monkeypatch, lambda n: (n == 1, False), 3)
    assert sent == [signal.SIGTERM] and ended == []
