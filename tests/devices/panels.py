"""A listener for alarm panels on a real log, and panels that call it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from libs.eventkit.commands import Context
from libs.eventkit.service import App
from services.devices.device_book import book_of
from services.devices.domain.registry import Description, RegisterDevice
from services.devices.domain.reports import DeviceReported
from services.devices.line_watch import LineWatch
from services.devices.listener import Limits, Listener
from simulator.dc09_frames import frame

E = TypeVar("E")
ACCOUNT = "4A21"


def alarm(number: int = 1, zone: int = 1, account: str = ACCOUNT, key: bytes | None = None, at: datetime | None = None) -> bytes:
    return frame("ADM-CID", number, account, f"1110 01 {zone:03d}", at or datetime.now(UTC), key)


def link_test(account: str = ACCOUNT, key: bytes | None = None, at: datetime | None = None) -> bytes:
    return frame("NULL", 0, account, "", at or datetime.now(UTC), key)


async def registered(app: App, community: UUID, account: str = ACCOUNT, key_secret: str = "", supervise: int = 0) -> UUID:
    device, now = uuid4(), datetime.now(UTC)
    about = Description("dc09-panel", "panel", "", account=account, key_secret=key_secret, supervise=supervise)
    await app.commands.handle(
        device, RegisterDevice(device, about, "hash", now + timedelta(days=1)), Context(community_id=community, now=now))
    return device


@asynccontextmanager
async def listening(
    app: App, limits: Limits | None = None, look: float = 0.05, address: str = "127.0.0.1:0",
) -> AsyncIterator[Listener]:
    listener = Listener(app, address, limits, LineWatch(app, book_of(app), look))
    task = asyncio.create_task(listener.run())
    ready = asyncio.create_task(listener.ready.wait())
    try:
        await asyncio.wait([task, ready], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert ready.done(), task
        yield listener
    finally:
        for each in (task, ready):
            each.cancel()
        await asyncio.gather(task, ready, return_exceptions=True)


class Panel:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def call(cls, listener: Listener) -> "Panel":
        return cls(*await asyncio.open_connection("127.0.0.1", listener.ports[0]))

    async def answer(self, timeout: float = 15.0) -> str:
        """The body of the next answer, an ACK or DUH without our time; empty where the line was cut."""
        try:
            raw = await asyncio.wait_for(self.reader.readuntil(b"\r"), timeout)
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""
        return re.sub(r'("(?:ACK|DUH)".*\[\])_[0-9:,-]{19}', r"\1", raw[9:-1].decode())

    async def says(self, *frames: bytes) -> list[str]:
        self.writer.write(b"".join(frames))
        return [await self.answer() for _ in frames]

    def hang_up(self) -> None:
        self.writer.transport.abort()


async def said(app: App, kind: type[E]) -> list[E]:
    found, position = list[E](), 0
    while rows := await app.log.read(position, 1000):
        position = rows[-1].position
        found += [event for row in rows if isinstance(event := app.catalogue.read(row), kind)]
    return found


async def signals(app: App) -> list[DeviceReported]:
    return await said(app, DeviceReported)
