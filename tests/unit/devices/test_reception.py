"""Frames of one panel on their way into the log: what is stopped before it began keeps nothing of the panel from being heard."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest

from services.devices import reception as module
from services.devices.adapters import dc09
from services.devices.adapters.dc09_frames import Splitter
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.registry import Description
from services.devices.reception import Reception
from simulator.dc09_frames import frame
from tests.kit import turns

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
PANEL = KnownDevice(UUID(int=1), UUID(int=2), Description("dc09-panel", "panel", "", account="4A21"))


@pytest.fixture
def stored(monkeypatch):
    taken = []

    class Intake:
        def __init__(self, *about, clock):
            pass

        async def take(self, body, content_type, reports):
            await turns()
            taken.append(body)

    monkeypatch.setattr(module, "Intake", Intake)
    return taken


def alarm(number):
    [piece] = Splitter().feed(frame("ADM-CID", number, "4A21", "1110 01 001", NOW, None))
    return dc09.read(piece)


async def test_a_panel_is_heard_again_though_its_work_was_ended_before_it_began(stored):
    reception = Reception(SimpleNamespace(), DeviceBook(), SimpleNamespace())
    first = asyncio.create_task(reception._stored(PANEL, alarm(1)))
    await turns()
    await reception.stop()
    first.cancel()
    await asyncio.wait([first])
    await asyncio.wait_for(reception._stored(PANEL, alarm(2)), 1.0)
    assert stored and not reception._working and not reception._waiting
