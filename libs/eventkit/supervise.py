"""Keeps the tasks of a process alive: what fails is started again with back-off and named in `status`."""
import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
FIRST, LONGEST, HEALTHY = 0.05, 5.0, 10.0
class Supervisor:
    """`failing` maps a task's name to its latest error, while it has not run for a second since."""
    def __init__(self) -> None:
        self.failing, self.restarts = dict[str, str](), dict[str, int]()
        self._tasks, self._stopping = list[asyncio.Task[None]](), False
    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._keep(name, work), name=name))
    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        delay, loop = FIRST, asyncio.get_running_loop()
        while True:
            begun, well = loop.time(), loop.call_later(1.0, self.failing.pop, name, None)
            try:
                return await work()
            except (Exception, asyncio.CancelledError) as error:  # a library that gives up its own work cancels whoever awaits it
                well.cancel()
                if self._stopping:
                    return
                self.failing[name] = f"{type(error).__name__}: {error}"[:200]
                self.restarts[name] = self.restarts.get(name, 0) + 1
                delay = FIRST if loop.time() - begun > HEALTHY else delay
                log.warning("%s failed and is started again in %.2f s", name, delay, exc_info=delay == FIRST)
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))
            delay = min(delay * 2, LONGEST)
    async def stop(self) -> None:
        """Cancels until everything has ended: a client that times out while it is being stopped swallows a cancellation."""
        self._stopping = True
        for _ in range(8):
            if pending := [task for task in self._tasks if not task.done()]:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=1.0)
        self._stopping = False
