"""Between a service and its broker nothing goes either way: commands are taken all the while, and soon after all is told and heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.conftest import Servers
from tests.faults.checker import Broken, quiet
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.faults.proxy import Proxy, proxy_to_kafka
from tests.kit import until

SceneOf = Callable[..., Awaitable[Scene]]
MINUTE = pytest.param(60.0, marks=pytest.mark.faults)
DRAINED = 10.0


@asynccontextmanager
async def away(proxy: Proxy, seconds: float) -> AsyncIterator[None]:
    """Black for at least so long, and for as long as the block takes."""
    loop = asyncio.get_running_loop()
    proxy.blackhole(True)
    begun = loop.time()
    try:
        yield
        await until(lambda: loop.time() - begun > seconds, seconds + 5)
    finally:
        proxy.blackhole(False)


async def parted(scene: Scene, proxy: Proxy, seconds: float) -> None:
    """Raises Broken (I9) where commands are not taken meanwhile, or what they said is not drained in time."""
    await scene.toy.start()
    asking = asyncio.create_task(scene.load.run())
    await scene.load.well_under_way()
    await asking
    await quiet(scene.pool, scene.echo)
    async with away(proxy, seconds):
        asking = asyncio.create_task(scene.load.run())
        await until(lambda: asking.done() or scene.load.errors)
        if scene.load.errors:
            asking.cancel()
            settle([Finding("I9", f"commands were not taken: {scene.load.errors}")], scene.tally)
    try:
        await quiet(scene.pool, scene.echo, DRAINED)
    except Broken as error:
        settle([Finding("I9", f"not drained within {DRAINED} s: {error}", stuck=1)], scene.tally)
    await scene.load.last_words()
    await scene.check()


@pytest.mark.fault(row="kafka-partition", invariants="I3 I9")
@pytest.mark.parametrize("seconds", [3.0, MINUTE])
async def test_commands_are_taken_while_the_broker_cannot_be_reached(scene_of: SceneOf, servers: Servers, seconds: float):
    async with proxy_to_kafka(servers.kafka) as (proxy, address):
        await parted(await scene_of(kafka=address), proxy, seconds)


@pytest.mark.twin(row="kafka-partition", caught_by="I9")
async def test_twin_that_publishes_inside_the_request_is_caught(scene_of: SceneOf, servers: Servers):
    async with proxy_to_kafka(servers.kafka) as (proxy, address):
        with pytest.raises(Broken) as broken:
            await parted(await scene_of("publishes_inside_the_request", kafka=address), proxy, 3.0)
    assert broken.value.invariant == "I9"


async def leaderless(scene: Scene) -> None:
    """A producer that has just been made is given its first batches, and nobody leads a partition for longer than it waits."""
    file = scene.toy.device.with_name("device.leaderless")
    await scene.toy.start()
    await scene.load.last_words()
    await quiet(scene.pool, scene.echo)
    await scene.toy.stop()
    file.touch()
    await scene.toy.start()
    begun = asyncio.get_running_loop().time()
    await scene.load.run()
    await until(lambda: asyncio.get_running_loop().time() - begun > 2.0)
    file.unlink()
    await scene.load.last_words()


@pytest.mark.fault(row="kill-kafka", invariants="I3 I6")
async def test_what_a_new_producer_could_not_send_in_time_comes_all_the_same(scene_of: SceneOf):
    scene = await scene_of("impatient_producer+no_leader")
    await leaderless(scene)
    await scene.check()


@pytest.mark.twin(row="kill-kafka", caught_by="I3")
async def test_twin_that_sends_on_before_the_first_is_acknowledged_is_caught(scene_of: SceneOf):
    scene = await scene_of("impatient_producer+no_leader+acknowledgement_not_awaited")
    await leaderless(scene)
    with pytest.raises(Broken) as broken:
        await scene.check()
    assert broken.value.invariant == "I3"
