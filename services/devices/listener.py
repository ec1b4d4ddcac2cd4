"""Where alarm panels call: SIA DC-09 over TCP and UDP, at one address, by one process at a time.

A thin transport, and bounded throughout: strangers may call, hold on, dribble or send junk, and take no more than a place for
a while. Nothing that is sent ends it.
"""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from math import inf
from typing import cast

from msgspec import Struct

from libs.eventkit.service import App
from libs.eventkit.subscriptions import holding
from libs.eventkit.tail import within
from services.devices.adapters.dc09 import Frame
from services.devices.adapters.dc09_frames import MAX_FRAME, Piece, Splitter
from services.devices.device_book import book_of
from services.devices.line_watch import LineWatch
from services.devices.reception import Reception

log = logging.getLogger(__name__)
LISTEN = "LIFANG_DC09_LISTEN"
"""The variable of the environment: host:port, or empty where nobody listens for panels."""
_CHUNK = 8192


class Limits(Struct, frozen=True):
    """Counts, and seconds. `unproven`: for a connection that has not sent a valid frame yet; `frame`: for one frame from its
    first byte to its last; `quiet`: after which a frame that lacks its CR alone is taken."""

    connections: int = 1000
    from_one_address: int = 200
    at_once: int = 4096
    unanswered: int = 128
    junk: int = 20
    idle: float = 900.0
    unproven: float = 30.0
    frame: float = 15.0
    quiet: float = 2.0
    answer: float = 10.0


def listening(app: App) -> dict[str, Callable[[], Awaitable[None]]]:
    """The task of the service, where the environment says at which address."""
    address = os.environ.get(LISTEN, "").strip()
    return {"dc09": Listener(app, address).run} if address else {}


class Listener:
    """`address`: host:port; with port 0 any free one, told by `ports` (TCP, UDP) once `ready`."""

    def __init__(self, app: App, address: str, limits: Limits | None = None, lines: LineWatch | None = None) -> None:
        self.app, self.limits = app, limits or Limits()
        host, _, port = address.rpartition(":")
        self._at = (host.strip("[]"), int(port))
        self.ready, self.ports = asyncio.Event(), (0, 0)
        self.lines = lines or LineWatch(app, book_of(app))
        self.reception = Reception(app, book_of(app), self.lines)
        self._slots = asyncio.Semaphore(self.limits.at_once)
        self._calls: dict[asyncio.Task[None], str] = {}
        self._taking: set[asyncio.Task[bytes | None]] = set()

    async def run(self) -> None:
        await holding(self.app.database, "dc09 listener", self._serve, self.lines.watch)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        await self.reception.book.memory.catch_up()
        server = await asyncio.start_server(self._called, *self._at, limit=_CHUNK, backlog=512)
        try:
            port = server.sockets[0].getsockname()[1]
            datagrams, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self), local_addr=(self._at[0], port))
            try:
                self.ports = (port, datagrams.get_extra_info("sockname")[1])
                self.ready.set()
                log.info("alarm panels are heard at %s:%d", self._at[0], port)
                await asyncio.Event().wait()
            finally:
                datagrams.close()
        finally:
            self.ready.clear()
            server.close()
            ending = [*self._calls, *self._taking]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            await self.reception.stop()

    def full(self, host: str) -> bool:
        return len(self._calls) > self.limits.connections or Counter(self._calls.values())[host] > self.limits.from_one_address

    async def take(self, piece: Piece) -> tuple[Frame, "asyncio.Task[bytes | None]"]:
        """Reads the piece and begins to store it; waits where too many are under way."""
        await self._slots.acquire()
        try:
            frame = self.reception.read(piece)
        except BaseException:
            self._slots.release()
            raise
        task = asyncio.create_task(self.reception.reply(piece, frame))
        self._taking.add(task)
        task.add_done_callback(self._taken)
        return frame, task

    def _taken(self, task: "asyncio.Task[bytes | None]") -> None:
        self._taking.discard(task)
        self._slots.release()

    @property
    def busy(self) -> bool:
        return self._slots.locked()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, peer = asyncio.current_task(), writer.get_extra_info("peername")
        assert task is not None
        self._calls[task] = host = peer[0] if peer else ""
        try:
            if not self.full(host):
                await Call(self, reader, writer).run()
        except (OSError, asyncio.CancelledError):  # the line is cut, by them or by us
            pass
        except Exception as error:
            log.error("a call ended: %s", type(error).__name__)
        finally:
            self._calls.pop(task, None)
            writer.transport.abort()


class Call:
    """One TCP connection: frames in, answers out in their order."""

    def __init__(self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._listener, self._reader, self._writer, self._limits = listener, reader, writer, listener.limits
        self._splitter, self._junk = Splitter(), 0
        self._answers: asyncio.Queue[asyncio.Task[bytes | None] | None] = asyncio.Queue(self._limits.unanswered)
        self._broken = False
        now = asyncio.get_running_loop().time()
        self._until, self._frame_until = now + self._limits.unproven, 0.0

    async def run(self) -> None:
        answering = asyncio.create_task(self._answer())
        try:
            while not self._broken and self._junk < self._limits.junk and await self._more():
                pass
            await self._answers.put(None)
            await answering
        finally:
            answering.cancel()

    async def _more(self) -> bool:
        """Takes what comes next; False where nothing will."""
        clock, begun = asyncio.get_running_loop().time, self._splitter.begun
        until = min(self._until, self._frame_until) if begun else self._until
        patience = max(0.0, min(until - clock(), self._limits.quiet if begun else inf))
        try:
            data = await within(self._reader.read(_CHUNK), patience)
        except TimeoutError:
            over = clock() >= until
            await self._take(self._splitter.end() if over else self._splitter.quiet())
            return not over
        pieces = self._splitter.feed(data) if data else self._splitter.end()
        if self._splitter.begun and (pieces or not begun):
            self._frame_until = clock() + self._limits.frame
        await self._take(pieces)
        return bool(data)

    async def _take(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            frame, answer = await self._listener.take(piece)
            if frame.verdict in ("accept", "accept_flag"):
                self._junk, self._until = 0, asyncio.get_running_loop().time() + self._limits.idle
            else:
                self._junk += 1
            await self._answers.put(answer)

    async def _answer(self) -> None:
        """Goes on to the end of the answers even where nobody takes them any more: they wait for their turn."""
        while (task := await self._answers.get()) is not None:
            await asyncio.wait([task])
            reply = task.result() if not task.cancelled() and task.exception() is None else None
            if reply is None or self._broken:
                continue
            try:
                self._writer.write(reply)
                await within(self._writer.drain(), self._limits.answer)
            except (OSError, TimeoutError):
                self._broken = True
                self._writer.transport.abort()


class Datagrams(asyncio.DatagramProtocol):
    """Each datagram by itself: one frame, or a few."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if len(data) > MAX_FRAME or self._listener.busy:  # the panel sends it again
            return
        task = asyncio.create_task(self._answer(data, peer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, data: bytes, peer: tuple[str, int]) -> None:
        splitter = Splitter()
        for piece in [*splitter.feed(data), *splitter.end()][: self._listener.limits.junk]:
            _, answer = await self._listener.take(piece)
            reply = await answer
            if reply is not None and not self._transport.is_closing():
                self._transport.sendto(reply, peer)
