"""Each process of two services is told to end and started anew, one after the other, while people go on asking. I4 I13."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.faults.checker import Broken, quiet
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.kit import until
from tests.toy.process import Toy

SceneOf = Callable[..., Awaitable[Scene]]
PARTS = ("api", "api", "worker", "relay", "echo")


class Balancer:
    """Asks the APIs in turn; the one that is about to end gets nothing more some time before, as in a cluster."""

    def __init__(self, apis: list[Toy]) -> None:
        self.apis, self.under_way, self._turn = apis, Counter[int](), count()

    async def post(self, path: str, **more: Any) -> httpx.Response:
        api = self.apis[next(self._turn) % len(self.apis)]
        self.under_way[api.port] += 1
        try:
            return await api.http.post(path, **more)
        finally:
            self.under_way[api.port] -= 1

    async def get(self, path: str) -> httpx.Response:
        return await self.apis[0].http.get(path)


class Fleet:
    def __init__(self, scene: Scene, toys: list[Toy]) -> None:
        self.scene, self.toys = scene, toys
        self.balancer = Balancer([toy for toy in toys if toy.part == "api"])

    async def renew(self, toy: Toy) -> None:
        """Raises Broken where it does not end well in its grace."""
        self.balancer.apis = [other for other in self.toys if other.part == "api" and other is not toy]
        await until(lambda: not self.balancer.under_way[toy.port])
        await toy.stop(signal.SIGTERM)
        if code := await toy.ended():
            settle([Finding("I13", f"{toy.part} ended with {code}")], self.scene.tally)
        await toy.start()
        self.balancer.apis = [other for other in self.toys if other.part == "api"]
        self.scene.tally.rounds += 1

    async def members(self) -> int:
        """Of the group that hears: more than there are processes are waited for in vain."""
        settings = self.scene.toy.settings
        admin = AIOKafkaAdminClient(**settings.broker)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups([f"{settings.topic_prefix}.echo.g1"])
            return len(answer.to_object()["groups"][0]["members"])
        finally:
            await admin.close()


@asynccontextmanager
async def fleet_of(scene: Scene) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        toys = []
        for n, part in enumerate(PARTS):
            directory = scene.toy.directory / f"{part}-{n}"
            directory.mkdir()
            toys.append(Toy(scene.toy.settings, scene.toy.echo, directory, scene.toy.twin, part))
            toys[-1].device = scene.toy.device
            stack.push_async_callback(toys[-1].close)
            await toys[-1].start()
        fleet = Fleet(scene, toys)
        scene.toy.http, own = fleet.balancer, scene.toy.http  # type: ignore[assignment]
        try:
            yield fleet
        finally:
            scene.toy.http = own


async def rolled(scene: Scene) -> None:
    scene.tally.rounds = 0
    async with fleet_of(scene) as fleet:
        for toy in fleet.toys:
            asking = asyncio.create_task(scene.load.run(callers=4, each=10))
            await scene.load.well_under_way()
            await fleet.renew(toy)
            await asking
            if toy.part == "echo":
                await heard_at_once(fleet)
        if scene.load.errors:
            settle([Finding("I13", f"requests failed: {scene.load.errors}")], scene.tally)
        await scene.load.last_words()
        await scene.check()


async def heard_at_once(fleet: Fleet) -> None:
    """Raises Broken (I4) where the one that was there before is still taken for one that hears."""
    await fleet.scene.load.last_words()
    caught_up = asyncio.create_task(quiet(fleet.scene.pool, fleet.scene.echo, 30))
    seen = list[int]()

    async def looked() -> bool:
        seen.append(await fleet.members())
        return caught_up.done() or seen[-1] > 1

    await until(looked, 40)
    if max(seen) > 1:
        caught_up.cancel()
        settle([Finding("I4", f"{max(seen)} are taken for one listener", stuck=max(seen) - 1)], fleet.scene.tally)
    await caught_up


@pytest.mark.fault(row="rolling-restart", invariants="I1 I2 I3 I4 I5 I6 I13")
async def test_everything_is_started_anew_under_load_and_nobody_notices(scene_of: SceneOf):
    await rolled(await scene_of())


@pytest.mark.twin(row="rolling-restart", caught_by="I4")
async def test_twin_with_another_name_in_its_group_each_time_is_caught(scene_of: SceneOf):
    with pytest.raises(Broken) as broken:
        await rolled(await scene_of("random_member"))
    assert broken.value.invariant == "I4"
