"""One process that the supervisor keeps alive."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from cli.place import ROOT, Place
from cli.stack.account import Account
from cli.stack.nursery import Forked
from cli.stack.processes import MARK, Running, manner

FIRST, LONGEST, HEALTHY = 0.2, 5.0, 10.0
"""Seconds: the first and the longest wait before a restart, and after how long it counts as healthy again."""
LARGEST_LOG = 20_000_000


class Part(Struct, frozen=True):
    """How a process is started. `before` runs ahead of every start and may raise; then the start is tried again."""

    name: str
    command: list[str]
    environment: dict[str, str] = {}
    account: Account | None = None
    directory: str = str(ROOT)
    before: Callable[[], None] = lambda: None
    after: Callable[[int], None] = lambda code: None


def log_of(place: Place, name: str) -> str:
    """Where a part writes; what has grown too long begins anew."""
    path = place.log / f"{name}.log"
    with suppress(OSError):
        if path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
    return str(path)


class Keeper:
    """Starts a part again whenever it ends, until it is told to stop. `changed` hears of every start.

    `first`: the process, where it has been started already.
    """

    def __init__(self, place: Place, part: Part, changed: Callable[[], None], first: Forked | None = None) -> None:
        self.place = place
        self.part = part
        self.changed = changed
        self.running: Running | None = None
        self._first = first
        self._process: asyncio.subprocess.Process | Forked | None = None
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=part.name)

    async def _keep(self) -> None:
        delay, restarts = FIRST, 0
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                code = await self._once(restarts)
                self._note(f"{self.part.name} ended with {code}")
            except Exception as error:
                self._note(f"{self.part.name} could not be started: {error}")
            if self._stopping.is_set():
                return
            restarts += 1
            if time.monotonic() - begun > HEALTHY:
                delay = FIRST
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, LONGEST)

    async def _once(self, restarts: int) -> int:
        process: asyncio.subprocess.Process | Forked
        if self._first is not None:
            process, self._first = self._first, None
        else:
            await asyncio.to_thread(self.part.before)
            if self._stopping.is_set():
                return 0
            process = await self._spawn()
        self._process = process
        self.running = Running.of(process.pid, restarts)
        self.changed()
        if self._stopping.is_set():
            self._signal(manner(self.part.name).signal)
        code = await process.wait()
        self._process = None
        await asyncio.to_thread(self.part.after, code)
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        identity = self.part.account.identity() if self.part.account else {}
        with open(log_of(self.place, self.part.name), "ab", buffering=0) as log:
            return await asyncio.create_subprocess_exec(
                *self.part.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.part.directory,
                env=os.environ | self.part.environment | {MARK: str(self.place.state), "LIFANG_PART": self.part.name},
                start_new_session=True, **identity)

    def _note(self, text: str) -> None:
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}", flush=True)

    async def stop(self) -> None:
        """Returns when it has ended: asked first, by force after its time of grace."""
        self._stopping.set()
        how = manner(self.part.name)
        self._signal(how.signal)
        try:
            await asyncio.wait_for(asyncio.shield(self._task), how.grace)
        except TimeoutError:
            self._note(f"{self.part.name} did not end within {how.grace:.0f} s")
            self._signal(signal.SIGKILL)
            await self._task

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
