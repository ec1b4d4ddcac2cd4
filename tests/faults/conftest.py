"""A toy process under load, and what is left of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
from msgspec import Struct

from tests.conftest import Databases
from tests.eventkit.topics import Topic, topic_of
from tests.faults.checker import check, gather
from tests.faults.load import Load
from tests.faults.tally import Tally
from tests.toy.main import ECHO, TOY
from tests.toy.process import Toy


class Scene(Struct):
    toy: Toy
    load: Load
    topic: Topic
    pool: asyncpg.Pool
    echo: asyncpg.Pool
    tally: Tally

    async def check(self) -> None:
        """Waits until it is quiet, then looks at everything. Raises Broken."""
        check(await gather(self.pool, self.echo, self.topic, self.toy, self.load), self.tally)


@pytest.fixture
async def scene_of(databases: Databases, tmp_path: Path, tally: Tally) -> AsyncIterator[Callable[..., Awaitable[Scene]]]:
    """A process not yet started, on a fresh database and a fresh topic; `twin` names how it is broken, `kafka` the way to the broker."""
    async with AsyncExitStack() as stack:

        async def scene(twin: str = "", kafka: str = "") -> Scene:
            settings = [await databases.make(service) for service in (TOY, ECHO)]
            told = settings[0].model_copy(update={"kafka": kafka}) if kafka else settings[0]
            settings[1] = settings[1].model_copy(update={"topic_prefix": settings[0].topic_prefix})
            pools = []
            for each in settings:
                stack.push_async_callback(databases.drop, each)
                pools.append(await asyncpg.create_pool(each.role_url("log"), min_size=1, max_size=3))
                stack.callback(pools[-1].terminate)
            toy = Toy(told, settings[1], tmp_path, twin)
            stack.push_async_callback(toy.close)
            topic = await stack.enter_async_context(topic_of(settings[0]))
            return Scene(toy, Load(toy), topic, pools[0], pools[1], tally)

        yield scene
