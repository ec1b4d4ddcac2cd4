"""Who is told by webhook: a real server that answers as a test wants, and remembers what it was sent."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from msgspec import Struct, json

from tests.kit import turns

Answer = int | str
"""A status; or `hangs`, `drips` (a byte of the head now and then), `breaks` (closes)."""


class Got(Struct, frozen=True):
    headers: dict[str, str]
    body: bytes
    answer: Answer
    path: str = "/"

    @property
    def id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def event(self) -> dict[str, Any]:
        return json.decode(self.body, type=dict[str, Any])


class Receiver:
    def __init__(self, answer: Callable[["Got"], Answer] = lambda got: 204) -> None:
        self.answer, self.got, self.port = answer, list[Got](), 0
        self.connections, self.retry_after = 0, ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Receiver":
        await self.opens()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.closes()

    async def opens(self, context: ssl.SSLContext | None = None) -> None:
        """At the port that it had, if it had one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def closes(self) -> None:
        if self._server is not None:
            self._server.close()
            await self.hangs_up()
            await self._server.wait_closed()

    async def hangs_up(self) -> None:
        """On everybody; who calls again is answered."""
        for writer in self._open:
            writer.transport.abort()
        await turns(2)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    def taken(self) -> list[UUID]:
        """The ids that it has said 2xx to, in the order in which it did."""
        return [got.id for got in self.got if isinstance(got.answer, int) and 200 <= got.answer < 300]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await self._one(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        got = Got(headers, body, 0, first.split(" ")[1])
        answer = self.answer(got)
        self.got.append(Got(headers, body, answer, got.path))
        if isinstance(answer, int):
            length = b"" if answer == 204 else b"content-length: 0\r\n"  # a 204 has none (RFC 9110, 8.6)
            length += f"retry-after: {self.retry_after}\r\n".encode() if self.retry_after else b""
            writer.write(b"HTTP/1.1 %d X\r\n%blocation: http://127.0.0.1:%d/elsewhere\r\n\r\n" % (answer, length, self.port))
            await writer.drain()
            return
        if answer == "drips":
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while await self._still(reader):
                writer.write(b"x: y\r\n")
                await writer.drain()
        if answer == "hangs":
            await reader.read()
        raise ConnectionAbortedError

    async def _still(self, reader: asyncio.StreamReader) -> bool:
        """Whether the other side is there, after a while."""
        try:
            return bool(await asyncio.wait_for(reader.read(1), 0.05))
        except TimeoutError:
            return True
