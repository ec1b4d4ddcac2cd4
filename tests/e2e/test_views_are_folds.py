"""On the stack on which everything else has lived: every view of every service is the fold of its log, and stays so when it is rebuilt."""

import asyncio
import json
import os
from typing import Any

import pytest

from cli.place import PYTHON, ROOT
from cli.stack import services
from cli.stack.ports import Kept
from tests.e2e.conftest import Stack


async def operate(stack: Stack, service: str, *words: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        str(PYTHON), "-m", "cli.operate", service, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env=os.environ | services.environment(service, stack.place, Kept.read(stack.place).ports))
    answer, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(answer)


@pytest.mark.parametrize("service", services.names())
async def test_every_view_is_the_fold_of_its_log(stack: Stack, service: str) -> None:
    found = await operate(stack, service, "rebuild", "--check")
    assert found["same"], [(view["view"], view["first"]) for view in found["views"] if view["differences"]]
    assert all(view["position"] > 0 for view in found["views"])


async def test_every_view_of_the_gateway_is_the_same_when_it_is_rebuilt_under_it(stack: Stack) -> None:
    views = [view["view"] for view in (await operate(stack, "gateway", "rebuild", "--check"))["views"]]
    for view in views:
        done = (await operate(stack, "gateway", "rebuild", view))["rebuilt"]
        assert done["view"] == view and done["damaged"] == 0 and not done["resumed"]
    found = await operate(stack, "gateway", "rebuild", "--check")
    assert found["same"], [(view["view"], view["first"]) for view in found["views"] if view["differences"]]
    assert {view["view"]: view["rows"] for view in found["views"]}.keys() == set(views)


async def test_a_view_as_of_now_has_the_rows_that_it_has(stack: Stack) -> None:
    [checked] = (await operate(stack, "gateway", "rebuild", "--check", "gateway_doors"))["views"]
    then = await operate(stack, "gateway", "asof", "gateway_doors", "--at", str(checked["position"]))
    assert len(then["rows"]) == checked["rows"] > 0 and then["as_of"]["position"] == checked["position"]
    assert (await operate(stack, "gateway", "asof", "gateway_doors", "--at", "2020-01-01T00:00:00Z"))["rows"] == []
