"""Reads one Hikvision device's alertStream for as long as it runs, and fetches by search what it missed.

No database: what is heard and found goes to callbacks. Where `take` fails, the connection is given up and begun anew, and
what was not taken is searched for from `last_serial` on. Pictures are not handed on: an event does not wait for them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import uuid4

import anyio
import httpx

from services.devices.adapters.acs_search import PATH, Page, condition, read_page
from services.devices.adapters.alert_stream import AlertStream
from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.report import Report, Unreadable
from services.devices.patience import Patience

log = logging.getLogger(__name__)

STREAM = "/ISAPI/Event/notification/alertStream"
MAX_PAGES = 1000
TRIES = 5

Take = Callable[[bytes, str], Awaitable[None]]
Found = Callable[[list[Report]], Awaitable[None]]


class AlertReader:
    """`take` gets each document of the stream, `found` what a search brought, as history. `last_serial` tells the latest
    serial number that was taken, None before the first: then no history is fetched."""

    def __init__(
        self, client: httpx.AsyncClient, terminal: Terminal, take: Take, found: Found,
        last_serial: Callable[[], int | None], patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.connected = asyncio.Event()
        self._client, self._terminal, self._take, self._found = client, terminal, take, found
        self._last_serial, self._patience = last_serial, patience or Patience()
        self._gaps: asyncio.Queue[tuple[int, int | None]] = asyncio.Queue()

    async def run(self) -> None:
        """Until it is cancelled."""
        filling = asyncio.create_task(self._fill_gaps())
        failures = 0
        try:
            while True:
                heard = await self._listen()
                failures = 0 if heard else failures + 1
                await asyncio.sleep(self._patience.pause(failures))
        finally:
            filling.cancel()

    def fill(self, after: int, before: int | None = None) -> None:
        """Fetches the events between two serial numbers, both exclusive, as soon as the device is there."""
        self._gaps.put_nowait((after, before))

    async def _listen(self) -> bool:
        """One connection, from its beginning to its end; whether anything was heard."""
        heard = False
        try:
            with anyio.fail_after(self._patience.answer):
                response = await self._send("GET", STREAM, self._patience.silence)
            try:
                if response.status_code != 200:
                    log.warning("alert stream of %s: refused with %d", self._terminal.base_url, response.status_code)
                    return False
                self._arrived()
                stream = AlertStream(response.headers.get("content-type", ""))
                async for chunk in response.aiter_bytes():
                    for part in stream.feed(chunk):
                        heard = True
                        if part.is_document or part.content_type.startswith("multipart/"):
                            await self._take(part.content, part.content_type)
            finally:
                self.connected.clear()
                await response.aclose()
        except Exception as problem:
            log.warning("alert stream of %s: %s", self._terminal.base_url, type(problem).__name__)
        return heard

    def _arrived(self) -> None:
        self.connected.set()
        last = self._last_serial()
        if last is not None:
            self.fill(last)

    async def _fill_gaps(self) -> None:
        while True:
            after, before = await self._gaps.get()
            for failures in range(TRIES):
                await self.connected.wait()
                try:
                    await self._fill(after, before)
                    break
                except Exception as problem:
                    log.warning("search at %s after %d: %s", self._terminal.base_url, after, type(problem).__name__)
                    await asyncio.sleep(self._patience.pause(failures))
            else:
                log.error("search at %s after %d: given up", self._terminal.base_url, after)

    async def _fill(self, after: int, before: int | None) -> None:
        search_id, position = uuid4().hex, 0
        for _ in range(MAX_PAGES if before is None or before > after + 1 else 0):
            page = await self._page(condition(search_id, position, after, before))
            if page is None:
                return
            if page.reports:
                await self._found(page.reports)
            position += page.count
            if not page.more:
                return
            if not page.count:
                raise Unreadable("not_an_event", "more, but nothing in the page")

    async def _page(self, asked: bytes) -> Page | None:
        """None where the device has no search (a camera)."""
        with anyio.fail_after(self._patience.answer):
            response = await self._send("POST", PATH, self._patience.answer, asked)
            try:
                body = await response.aread()
            finally:
                await response.aclose()
        if response.status_code in (403, 404, 405):
            return None
        response.raise_for_status()
        return read_page(body, response.headers.get("content-type", ""))

    async def _send(self, method: str, path: str, silence: float, content: bytes | None = None) -> httpx.Response:
        """The response to a signed request, its body still to be read. Raises httpx.HTTPError."""
        terminal = self._terminal
        request = self._client.build_request(
            method,
            f"{terminal.base_url.rstrip('/')}{path}",
            content=content,
            headers={"content-type": "application/json"} if content else {},
            timeout=httpx.Timeout(self._patience.answer, connect=self._patience.connect, read=silence),
        )
        auth = httpx.DigestAuth(terminal.user, terminal.password)
        return await self._client.send(request, auth=auth, stream=True, follow_redirects=False)
