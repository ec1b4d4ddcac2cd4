"""All seven services put back to one backup, on a stack of their own and by the commands that an operator types: what the topics
still have of what was lost finds logs that know nothing of it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from cli.place import ROOT, Place
from tests.faults.findings import Broken
from tests.faults.tally import Tally
from tests.faults.whole import check_each
from tests.mutants.lists import LISTS
from tests.mutants.mutant import Mutant

pytestmark = pytest.mark.faults
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "docs", "node_modules")
STORIES = ("door", "visitor", "fire")
FORGETFUL = "an opening that a restore has lost, and that now came too late, keeps the lane waiting"


class Checkout(Struct, frozen=True):
    """A copy of this one, with a stack of its own."""

    root: Path

    @property
    def place(self) -> Place:
        return Place(self.root / ".lifang")

    async def __call__(self, *words: str) -> str:
        """Raises AssertionError, with what it said, where it does not end with 0."""
        process = await asyncio.create_subprocess_exec(
            self.root / "lifang", *words, cwd=self.root, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        said, wrong = await process.communicate()
        assert process.returncode == 0, f"lifang {' '.join(words)}: {said.decode()}{wrong.decode()}"
        return said.decode()

    async def told(self, *words: str) -> Any:
        return json.loads(await self(*words, "--json"))

    async def play(self) -> None:
        for story in STORIES:
            await self("scenario", story)


CheckoutOf = Callable[..., Awaitable[Checkout]]


@pytest.fixture
async def checkout_of(tmp_path: Path) -> AsyncIterator[CheckoutOf]:
    """With a running stack; broken by a mutant, if one is given."""
    async with AsyncExitStack() as stack:

        async def made(mutant: Mutant | None = None) -> Checkout:
            lifang = Checkout(shutil.copytree(ROOT, tmp_path / "checkout", ignore=LEFT_OUT, symlinks=True))
            (lifang.root / ".venv").symlink_to(ROOT / ".venv")
            if mutant:
                file = lifang.root / mutant.file
                file.write_text(file.read_text().replace(mutant.text, mutant.replacement))
            stack.push_async_callback(lifang, "down")
            await lifang("up", "--detach")
            return lifang

        yield made


async def barriers_lifted(lifang: Checkout) -> None:
    """By a guard, at every lane."""
    gateway = (await lifang.told("status"))["gateway"]
    guard = {"authorization": f"Bearer {(await lifang('token', 'guard')).strip()}"}
    async with httpx.AsyncClient(base_url=gateway, headers=guard, timeout=15, trust_env=False) as client:
        lanes = (await client.get("/v1/lanes")).json()["items"]
        assert lanes
        for lane in lanes:
            key = {"idempotency-key": f"by hand {lane['id']}"}
            answer = await client.post(f"/v1/lanes/{lane['id']}/openings", json={"reason": "a delivery"}, headers=key)
            assert answer.is_success, answer.text


async def all_put_back(lifang: Checkout, tally: Tally) -> None:
    backup = str(lifang.root / "backup")
    await lifang.play()
    services = (await lifang.told("backup", backup))["services"]
    await barriers_lifted(lifang)
    await lifang.play()
    await check_each(lifang.place, tally)
    await lifang("restore", backup)
    lost = {name: (await lifang.told("restored", name))["lost"] for name in services}
    assert all(lost[name] for name in ("access", "devices", "alarm", "parking")), lost
    await check_each(lifang.place, tally)


@pytest.mark.fault(row="all-restored", invariants="I4 I5 I10 I12")
async def test_all_services_put_back_at_once_go_on_and_nothing_waits(checkout_of: CheckoutOf, tally: Tally):
    lifang = await checkout_of()
    await all_put_back(lifang, tally)
    await barriers_lifted(lifang)
    await lifang.play()
    tally.events = 0  # it is the same logs that are looked at for the last time
    await check_each(lifang.place, tally)
    await lifang("rebuild", "--check")
    await lifang("verify")


@pytest.mark.twin(row="all-restored", caught_by="I12")
async def test_twin_that_waits_for_what_was_lost_is_caught(checkout_of: CheckoutOf, tally: Tally):
    lifang = await checkout_of(next(mutant for mutant in LISTS["parking"] if mutant.name == FORGETFUL))
    with pytest.raises(Broken) as broken:
        await all_put_back(lifang, tally)
    assert broken.value.invariant == "I12"
