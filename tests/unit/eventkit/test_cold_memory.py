"""Memory that cannot be read is a database that is away: what rests on it waits, and is neither put aside nor dropped."""

import asyncio
from types import SimpleNamespace

import pytest
from msgspec import Struct

from libs.eventkit.db import is_away
from libs.eventkit.memory import Memory
from libs.eventkit.problems import Problem, translate
from libs.eventkit.reactions import Reaction, Reactor
from services.devices.performer import Effect, Performer
from tests.kit import recorded


class Said(Struct, frozen=True, tag="said"):
    pass


class Unread:
    """A log that does not answer, as of a database that has just gone."""

    database = None

    async def last(self):
        raise ConnectionRefusedError


COMMANDS = SimpleNamespace(log=Unread(), catalogue=SimpleNamespace(read=lambda row: Said()))
ROW = recorded(Said(), source="access")


def cold():
    memory = Memory("book", (Said,), lambda event, row: None)
    memory.bind(Unread(), None)
    return memory


async def asked(event, row):
    await cold().fresh(row.position)
    return []


async def test_a_reaction_that_cannot_read_its_memory_is_tried_until_it_can_and_never_parked():
    reactor = Reactor(COMMANDS, Reaction("doors", {Said: asked}))
    with pytest.raises(Exception) as raised:
        await reactor.tried(Said(), ROW)
    assert is_away(raised.value)


async def test_an_order_whose_device_cannot_be_looked_up_is_not_dropped():
    with pytest.raises(Exception) as raised:
        await Performer(COMMANDS, Effect("door_orders", {Said: asked}))._planned(ROW)
    assert is_away(raised.value)


async def test_a_caller_still_hears_that_it_is_not_ready():
    with pytest.raises(Problem) as raised:
        await cold().fresh()
    assert (raised.value.status, raised.value.code) == (503, "not_ready")
    answer = translate(raised.value)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "1" and b"urn:lifang:problem:not_ready" in answer.body


async def test_what_is_read_by_then_is_not_waited_for():
    memory = cold()
    memory._fresh_at, memory.position = asyncio.get_running_loop().time(), 9
    await memory.fresh(9)
