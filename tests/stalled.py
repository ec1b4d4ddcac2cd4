"""A process that stands still in the middle of something: what it was told in the meantime, and each of its deadlines, it finds at once."""

import time
from collections.abc import Coroutine, Generator
from typing import Any

from msgspec import Struct


class Stalled(Struct):
    """Awaited, it is the coroutine; before that gives way for the `at`th time, the whole loop stands still for so many seconds."""

    work: Coroutine[Any, Any, Any]
    at: int
    seconds: float
    steps: int = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self.work.__await__()
        try:
            waited_for = inner.send(None)
            while True:
                self.steps += 1
                if self.steps == self.at:
                    _stand_still(self.seconds)
                try:
                    told = yield waited_for
                except BaseException as error:
                    waited_for = inner.throw(error)
                else:
                    waited_for = inner.send(told)
        except StopIteration as end:
            return end.value


def _stand_still(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
