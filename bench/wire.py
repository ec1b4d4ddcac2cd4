"""As little HTTP as a load needs, so that whoever measures takes little of the machine: kept connections and one feed."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urlsplit

LONGEST = 2**20
"""Bytes of one line."""


async def connected(url: str) -> tuple[StreamReader, StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=LONGEST)


def request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def head(reader: StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers. Raises ConnectionError at the end."""
    lines = []
    while line := (await reader.readline()).decode("latin-1").strip():
        lines.append(line)
    if not lines:
        raise ConnectionError("the connection has ended")
    pairs = (line.partition(":") for line in lines[1:])
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


class Line:
    """One caller's connection, kept; one request after the other."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url, self.headers = url, headers

    async def open(self) -> None:
        self._reader, self._writer = await connected(self.url)

    async def reopen(self) -> None:
        """Before a load after a pause: servers end connections that were idle."""
        self._writer.close()
        await self.open()

    async def ask(self, method: str, body: bytes = b"", **headers: str) -> bytes:
        """The answer's body. Raises RuntimeError for any status that is not a success."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self._writer.write(request(method, self.url, {**self.headers, **more}, body))
        status, told = await head(self._reader)
        answer = await self._reader.readexactly(int(told.get("content-length", "0")))
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {self.url} was answered {status}: {answer[:200]!r}")
        return answer

    async def close(self) -> None:
        self._writer.close()


async def feed(url: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """Server-sent events: first an empty one, once the feed is open; then the data of each, as soon as it is there."""
    reader, writer = await connected(url)
    try:
        writer.write(request("GET", url, headers, b""))
        status, _ = await head(reader)
        if status != 200:
            raise RuntimeError(f"GET {url} was answered {status}")
        while line := await reader.readline():
            if line.startswith(b": from"):
                yield b""
            elif line.startswith(b"data:"):
                yield line.removeprefix(b"data:")
    finally:
        writer.close()
