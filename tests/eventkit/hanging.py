"""A call of a library that does not come back, once."""

import asyncio
from typing import Any

import pytest


def hang_once(monkeypatch: pytest.MonkeyPatch, kind: Any, name: str, done_first: bool) -> list[Any]:
    """The first call does not come back, be it that it has done its work; whose it was."""
    real, hung = getattr(kind, name), list[Any]()

    async def calling(self: Any, *what: Any, **how: Any) -> Any:
        if not hung:
            hung.append(self)
            if done_first:
                await (await real(self, *what, **how))
                return asyncio.get_running_loop().create_future()
            await asyncio.Event().wait()
        return await real(self, *what, **how)

    monkeypatch.setattr(kind, name, calling)
    return hung
