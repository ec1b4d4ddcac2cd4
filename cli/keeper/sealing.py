"""Seals a log as it grows, and takes the newest seal outside."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.keeper.heads import Head, Outside, head_of, keep, kept, tell, told
from libs.eventkit.db import Database
from libs.eventkit.failpoints import reach
from libs.eventkit.relay import discard
from libs.eventkit.subscriptions import POLL, holding
from libs.eventkit.tail import Wake, set_within

log = logging.getLogger(__name__)
PACE = 0.5
"""Seconds between two seals."""


class NotOurs(Exception):
    """What is known outside is not in this log: `lifang verify` says what happened; after a restore, `lifang restored` has to be said."""


class Anew(Exception):
    """The log has begun another generation: what is known outside has been written anew, and is read again."""


class Sealing:
    """Three works under one lease: neither a slow disk nor a broker that is away holds up the sealing itself."""

    def __init__(self, service: str, database: Database, wake: Wake, outside: Outside) -> None:
        self.service, self.database, self.wake, self.outside = service, database, wake, outside
        self._sealed, self._generation = Wake(), 0

    async def run(self) -> None:
        """Seals for ever. Raises NotOurs, Anew, and on any error of the database or the file."""
        self._generation = await (await self.database.pool()).fetchval("select generation from log_state")
        await holding(self.database, "seal", self._work, *((self._file,) if self.outside.directory else ()), self._topic)

    async def _work(self) -> None:
        """Looks outside first: what is sealed after a restore would stand beside what was lost."""
        await self._ours(kept(self.outside.directory, self.service))
        await self._seal()

    async def _seal(self) -> None:
        pool = await self.database.pool()
        while True:
            grown = self.wake.next
            if await pool.fetch("select n from seal_log()"):
                reach("seal.made")
                self._sealed()
                await asyncio.sleep(PACE)
            else:
                await set_within(grown, POLL)

    async def _ours(self, heads: Sequence[Head]) -> Head | None:
        """The newest of them. Raises NotOurs where it says of a seal what this log does not: it must not be written over."""
        query, last = "select encode(root, 'hex') from seals where n = $1", heads[-1] if heads else None
        if last and last.n and await (await self.database.pool()).fetchval(query, last.n) != last.root:
            log.error("seal %d of %s, known outside, is not in this log: lifang verify", last.n, last.service)
            raise NotOurs(f"seal {last.n} of {last.service}")
        return last

    async def _next(self, last: Head | None) -> Head:
        while True:
            made = self._sealed.next
            head = await head_of(self.database, self.service, last.losses if last else ())
            if head is not None and head.generation != self._generation:
                raise Anew(f"generation {head.generation} of {self.service}")
            if head is not None and (last is None or head.n > last.n):
                return head
            await set_within(made, POLL)

    async def _file(self) -> None:
        directory = self.outside.directory
        assert directory is not None
        last = await self._ours(kept(directory, self.service))
        while True:
            await asyncio.to_thread(keep, directory, last := await self._next(last))
            reach("seal.kept")

    async def _topic(self) -> None:
        while True:
            producer = AIOKafkaProducer(
                **self.outside.broker, acks="all", enable_idempotence=True, client_id=f"{self.service}-seal")
            try:
                last = await self._ours(await told(self.outside, self.service))
                await producer.start()
                while True:
                    await tell(self.outside, producer, last := await self._next(last))
            except (KafkaError, OSError) as error:  # TimeoutError is one
                log.warning("the head of %s's seals is not in its topic: %s", self.service, type(error).__name__)
            finally:
                await discard(producer)
            await asyncio.sleep(POLL)
