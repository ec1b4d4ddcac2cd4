"""A TCP proxy that stands between a service and a server and does to the bytes what networks do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """`drop_reply`: an answer that it is true of is not delivered and its connection ends, `drops` times. `blackhole`: nothing
    goes either way while it is set, connections stay open. `slow`: one byte at a time. `refuse`: every connection ends.
    `forget`: connections that are open stay so and never say anything more, as behind a firewall that was restarted. `keeps_open`: that
    the server has ended one is not passed on, as when its network goes with it; `ended` counts them. `instead`: bytes of an answer that
    are others on the way."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.drop_reply: Callable[[bytes], bool] | None = None
        self.drops = 1
        self.dropped = asyncio.Event()
        self.refuse = self.slow = self.keeps_open = False
        self.ended = 0
        self.instead: tuple[bytes, bytes] | None = None
        self._epoch = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def ports(self) -> list[int]:
        """By which the server knows those who are connected."""
        return [writer.get_extra_info("sockname")[1] for writer in self._open if writer.get_extra_info("peername")[1] == self._target[1]]

    def blackhole(self, on: bool) -> None:
        (self._passing.clear if on else self._passing.set)()

    def forget(self) -> None:
        self._epoch += 1

    def cut(self) -> None:
        """Ends every connection now."""
        for writer in list(self._open):
            writer.transport.abort()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.blackhole(False)
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        there = await asyncio.open_connection(*self._target)
        ends = {writer, there[1]}
        self._open |= ends
        try:
            await asyncio.wait(
                [asyncio.create_task(self._pump(reader, there[1], answers=False)),
                 asyncio.create_task(self._pump(there[0], writer, answers=True))],
                return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        epoch = self._epoch
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                if epoch != self._epoch:
                    continue
                if answers and self.instead is not None:
                    data = data.replace(*self.instead)
                if answers and self.drop_reply is not None and self.drop_reply(data):
                    self.drops -= 1
                    self.drop_reply = self.drop_reply if self.drops else None
                    self.dropped.set()
                    return
                for chunk in (data[i:i + 1] for i in range(len(data))) if self.slow else (data,):
                    writer.write(chunk)
                    await writer.drain()
        if answers and self.keeps_open:
            self.ended += 1
            await asyncio.Event().wait()


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy, and the same URL through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    await proxy.start()
    try:
        login = parts.netloc.rpartition("@")[0]
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))
    finally:
        await proxy.stop()


@asynccontextmanager
async def proxy_to_kafka(address: str) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy, and the broker's address through it. The broker tells its own address: on the way that becomes the proxy's."""
    host, _, port = address.partition(":")
    proxy = Proxy(host, int(port))
    await proxy.start()
    proxy.instead = (host.encode() + int(port).to_bytes(4, "big"), host.encode() + proxy.port.to_bytes(4, "big"))
    try:
        yield proxy, f"{host}:{proxy.port}"
    finally:
        await proxy.stop()
