"""What ends by itself is started again, however it ended; what is stopped stays so."""

import asyncio

from libs.eventkit.supervise import Supervisor
from tests.kit import until


class Work:
    """Fails in one way after another, then goes on for ever."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures, self.begun = list(failures), 0

    async def run(self) -> None:
        self.begun += 1
        if self.failures:
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failure = self.failures.pop(0)
            failed.cancel() if isinstance(failure, asyncio.CancelledError) else failed.set_exception(failure)
            await failed
        await asyncio.Event().wait()


async def test_a_task_that_is_cancelled_from_within_is_started_again_as_one_that_fails() -> None:
    """aiokafka ends so where its broker goes away in the middle of joining a group: a service then heard nothing any more."""
    supervisor, work = Supervisor(), Work(asyncio.CancelledError(), ValueError("x"), asyncio.CancelledError())
    supervisor.start("hear", work.run)
    await until(lambda: work.begun == 4)
    assert supervisor.restarts == {"hear": 3} and "CancelledError" in supervisor.failing["hear"]
    await supervisor.stop()


async def test_what_is_stopped_is_not_started_again() -> None:
    supervisor, works = Supervisor(), [Work(), Work(ValueError("x"))]
    for n, work in enumerate(works):
        supervisor.start(str(n), work.run)
    await until(lambda: [work.begun for work in works] == [1, 2])
    await supervisor.stop()
    assert [work.begun for work in works] == [1, 2] and all(task.done() for task in supervisor._tasks)


async def test_what_failed_and_then_came_to_its_end_fails_no_longer() -> None:
    """Else a service that started before its migration would call itself unready for ever."""
    supervisor, failures = Supervisor(), [LookupError("migrate has not run")]

    async def opens() -> None:
        if failures:
            raise failures.pop()

    supervisor.start("open", opens)
    await until(lambda: supervisor.restarts == {"open": 1} and supervisor._tasks[0].done())
    await until(lambda: not supervisor.failing)
