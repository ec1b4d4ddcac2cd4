"""Kafka asked as one user or another, by requests whose answer says at once whether they are allowed, and that change nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from libs.eventkit.settings import scram
from tests.kit import until

NOT_YET = (3, 5, 6, 15)
ALLOWED, CORRUPT, TOPIC_DENIED, GROUP_DENIED = 0, 2, 29, 30


def corrupt() -> bytes:
    """A batch with a wrong checksum: whoever may write is told so, and nothing is stored."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1000)
    builder.append(0, timestamp=1, key=b"k", value=b"v", headers=[])
    batch = bytearray(builder.build())
    batch[-1] ^= 1
    return bytes(batch)


class Asked:
    """One user's connection."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def _ask(self, request: Any) -> Any:
        return await self._client.send(self._client.get_random_node(), request)

    async def may_read(self, topic: str) -> bool:
        async def code() -> int:
            return int((await self._ask(FetchRequest(0, 0, 1, 0, [(topic, [(0, 0, 1)])]))).topics[0][1][0][1])

        return await told(code, ALLOWED, TOPIC_DENIED)

    async def may_write(self, topic: str) -> bool:
        async def code() -> int:
            return int((await self._ask(ProduceRequest(None, -1, 1000, [(topic, [(0, corrupt())])]))).topics[0][1][0][1])

        return await told(code, CORRUPT, TOPIC_DENIED)

    async def may_group(self, group: str) -> bool:
        async def code() -> int:
            return int((await self._ask(FindCoordinatorRequest(group, 0))).error_code)

        return await told(code, ALLOWED, GROUP_DENIED)


async def told(ask: Callable[[], Awaitable[int]], yes: int, no: int) -> bool:
    """Asked again while the topic is so new that it has no leader, or the coordinator is not there yet."""
    codes: list[int] = []

    async def plainly() -> bool:
        codes.append(await ask())
        assert codes[-1] in (yes, no, *NOT_YET), f"neither allowed nor denied: error {codes[-1]}"
        return codes[-1] in (yes, no)

    await until(plainly)
    return codes[-1] == yes


@asynccontextmanager
async def asking(bootstrap: str, user: str, password: str) -> AsyncIterator[Asked]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **scram(user, password))
    await client.bootstrap()
    try:
        yield Asked(client)
    finally:
        await client.close()
