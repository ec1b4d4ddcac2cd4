"""Readers to whom nothing happens wake together, so that one of them asks the log for all."""

import asyncio
from types import SimpleNamespace

import pytest

from libs.eventkit import subscriptions, tail
from libs.eventkit.subscriptions import Subscription, hand_on
from tests.kit import until


class Quiet(tail.Tail):
    """A log that ends at its beginning. `looks`: how often a reader came; `asked`: how often it took a query."""

    def __init__(self) -> None:
        self.looks = self.asked = 0

        async def read(position: int, limit: int) -> list[object]:
            self.asked += 1
            return []

        super().__init__(read)  # type: ignore[arg-type]

    async def after(self, position: int, grown: asyncio.Event) -> list[object]:  # type: ignore[override]
        self.looks += 1
        return [*await super().after(position, grown)]


async def watched(log: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four readers, each begun a quarter of the pause after the one before, for a dozen looks of each."""
    monkeypatch.setattr(subscriptions, "POLL", 0.08)
    monkeypatch.setattr(tail, "LOOKED", 0.015)

    async def nothing(rows: object, position: int) -> None:
        raise AssertionError("there is nothing to take")

    readers, wake = [], tail.Wake()
    for n in range(4):
        reader = Subscription(f"reader {n}", nothing)
        readers.append(asyncio.create_task(hand_on(SimpleNamespace(tail=log), wake, reader, 0)))  # type: ignore[arg-type]
        await tail.set_within(asyncio.Event(), 0.02)
    log.looks = log.asked = 0
    await until(lambda: log.looks >= 48)
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def test_readers_that_began_at_different_moments_wake_together(monkeypatch: pytest.MonkeyPatch) -> None:
    await watched(log := Quiet(), monkeypatch)
    assert log.asked <= log.looks / 2


async def test_twin_whose_readers_count_from_their_own_last_look_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(Quiet):
        def pause(self, seconds: float) -> float:
            return seconds

    await watched(log := Own(), monkeypatch)
    assert log.asked > log.looks / 2


@pytest.mark.parametrize("after", [0, 1, -1, 4, -4])
def test_who_has_just_woken_waits_for_the_next_look_and_not_for_the_rest_of_a_moment(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of milliseconds in seconds: of two such numbers the difference is not what it says on the last places."""
    clock = SimpleNamespace(time=lambda: moment / 1000)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    for begun in range(75_000_001, 75_002_000, 7):
        log = Quiet()
        log._first = begun / 1000
        for n in (1, 2, 3, 99):
            moment = begun + 2500 * n + after
            assert log.pause(2.5) == 2.5
