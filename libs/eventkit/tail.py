"""The end of the log, read once for all readers of a process. Nobody has a queue: each reader has a position."""
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from libs.eventkit.db import Database, T, alive
from libs.eventkit.recorded import Recorded

BATCH, KEPT = 500, 2000  # rows; kept in memory: whoever is further behind reads the log itself
LOOKED = 1.0  # seconds for which nobody looks again after one has come to the end, unless woken
class Wake:
    """Tells every waiting reader of this process that the log has grown, whoever appended, and of one position once."""
    def __init__(self) -> None:
        self.next, self._told = asyncio.Event(), 0  # take `next` before reading: growth after that moment sets it
    def __call__(self, position: int = 0) -> None:
        """`position`: where the log ends now, if that is known."""
        if not 0 < position <= self._told:
            self._told = max(position, self._told)
            self.next.set()
            self.next = asyncio.Event()
    async def listen(self, database: Database) -> None:
        """Passes NOTIFYs of other processes on for as long as its connection lives."""
        async with database.direct() as connection:
            await within(connection.add_listener("log", lambda *told: self(int(told[-1] or 0))), 30)
            self()
            await alive(connection)
async def within(work: Awaitable[T], seconds: float) -> T:
    """What it answers. Raises TimeoutError. (`wait_for` would swallow a cancellation in the moment of the answer, before Python 3.12.)"""
    async with asyncio.timeout(seconds):
        return await work
async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Returns when it is set, or after so long."""
    with suppress(TimeoutError):
        await within(event.wait(), seconds)
class Tail:
    """Positions have no gaps, so what is kept is one run of them and a row is found by counting."""
    def __init__(self, read: Callable[[int, int], Awaitable[Sequence[Recorded]]]) -> None:
        self._read, self._reading = read, asyncio.Lock()
        self._kept, self._end, self._empty, self._looked, self._first = list[Recorded](), 0, asyncio.Event(), 0.0, 0.0
    async def after(self, position: int, grown: asyncio.Event) -> Sequence[Recorded]:
        """The next rows, at most BATCH; none at the log's end. `grown`: `wake.next`, as it was before asking."""
        async with self._reading:
            if position >= self._end:
                return await self._further(position, grown)
            begin = self._end - len(self._kept)
            if position >= begin:
                return self._kept[position - begin:position - begin + BATCH]
        return await self._read(position, BATCH)
    def pause(self, seconds: float) -> float:
        """Until all look together: multiples of so many seconds after the first look, in hundredths so that nobody wakes a moment early."""
        return (round(100 * (self._first - asyncio.get_running_loop().time())) % (each := round(100 * seconds)) or each) / 100
    async def _further(self, position: int, grown: asyncio.Event) -> Sequence[Recorded]:
        if position > self._end:
            self._kept.clear()
            self._end, self._looked = position, 0.0
        now = asyncio.get_running_loop().time()
        if self._empty is grown and now - self._looked < LOOKED:
            return ()
        found = await self._read(position, BATCH)
        self._empty, self._looked, self._first = grown, now if len(found) < BATCH else 0.0, self._first or now
        self._kept += found
        del self._kept[:-KEPT]
        self._end = position + len(found)
        return found
