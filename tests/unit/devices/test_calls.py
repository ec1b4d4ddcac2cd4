"""A panel's call ends when the listener ends it, also in the moment in which the panel speaks."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from services.devices.adapters import dc09
from services.devices.adapters.dc09_frames import Piece
from services.devices.listener import Call, Limits, Listener
from simulator.dc09_frames import frame
from tests.kit import turns

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LINK_TEST = frame("NULL", 0, "4A21", "", NOW, None)


class Line:
    def __init__(self):
        self.transport, self.sent = SimpleNamespace(abort=lambda: None), []

    def write(self, data):
        self.sent.append(data)

    async def drain(self):
        await turns()


class Listening:
    """Stores at once."""

    def __init__(self):
        self.limits = Limits()

    async def take(self, piece):
        async def reply():
            return b"ACK"

        return dc09.read(piece), asyncio.create_task(reply())


@pytest.mark.parametrize("steps", range(8))
async def test_a_call_that_is_ended_just_as_its_panel_speaks_ends(steps):
    """Else a listener that has lost its lease waits for it for ever, and nobody hears the panels."""
    reader, line = asyncio.StreamReader(), Line()
    call = asyncio.create_task(Call(Listening(), reader, line).run())
    await turns(2)
    reader.feed_data(LINK_TEST)
    await turns(steps)
    call.cancel()
    done, _ = await asyncio.wait([call], timeout=1.0)
    try:
        assert done, "it goes on"
    finally:
        call.cancel()


async def test_what_is_said_is_answered_and_a_line_that_is_closed_is_over():
    reader, line = asyncio.StreamReader(), Line()
    for part in (LINK_TEST[:9], LINK_TEST[9:], LINK_TEST):
        reader.feed_data(part)
    reader.feed_eof()
    await asyncio.wait_for(Call(Listening(), reader, line).run(), 5)
    assert line.sent == [b"ACK", b"ACK"]


async def test_a_panel_that_says_nothing_is_not_waited_for():
    listener = Listening()
    listener.limits = Limits(unproven=0.02)
    await asyncio.wait_for(Call(listener, asyncio.StreamReader(), Line()).run(), 5)


async def test_a_frame_that_cannot_be_read_leaves_its_place_to_the_next():
    """Else a stranger takes one place after the other, and every panel waits for ever."""
    def unreadable(piece):
        raise ValueError

    class App:
        """Of which nothing is asked."""

    listener = Listener(App(), "127.0.0.1:0", Limits(at_once=1))
    listener.reception.read = unreadable
    with pytest.raises(ValueError):
        await listener.take(Piece(b""))
    assert not listener.busy
