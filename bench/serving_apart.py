"""Servers in a process of their own, which end with whoever measures."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import perf_counter


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def served(stack: AsyncExitStack, answers: Callable[[], Awaitable[None]], *command: str) -> None:
    """Starts `python -m command` and returns once it `answers`. Raises what that raises after half a minute, or when it has ended."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *command)

    async def stop() -> None:
        process.terminate()
        await process.wait()

    stack.push_async_callback(stop)
    until = perf_counter() + 30
    while True:
        try:
            return await answers()
        except (OSError, RuntimeError):
            if perf_counter() > until or process.returncode is not None:
                raise
            await asyncio.sleep(0.1)
