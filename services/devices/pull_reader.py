"""Pulls the events of one ONVIF camera for as long as it runs: a subscription of its own, and one long poll after the other.

No database: what is pulled goes to a callback. A camera forgets what it has handed over, so nothing more is pulled before that was
taken. What an answer that is cut in the middle held is lost: the interface has no acknowledgement.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import anyio
import httpx
from lxml import etree
from msgspec import Struct

from services.devices.adapters import onvif_pull
from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.onvif_pull import Call, Endpoint, Fault, SignIn
from services.devices.adapters.report import MAX_BODY, Unreadable
from services.devices.patience import Patience

log = logging.getLogger(__name__)

POLL = 20.0
"""Seconds for which the camera may keep a poll waiting."""
LIMIT = 100
"""Notifications an answer."""
LASTS, LONGER = 60.0, 600.0
"""Seconds for which a subscription is asked: cameras have few, and one that nobody ends is in the way for so long. `LONGER` of a camera
that cannot renew, since each new subscription begins with the state of everything."""
LEAST = 1.0
"""Seconds: what is granted for less counts as granted for so long."""
GOODBYE = 2.0
MOST_LEFT = 10
"""Answers that a subscription which is given up may still hold."""

Take = Callable[[bytes, str], Awaitable[None]]


class Subscription(Struct):
    """`lasts`: seconds, as it was granted; `ends`: on the loop's clock."""

    endpoint: Endpoint
    lasts: float
    ends: float


class PullReader:
    """`take` gets the body of each answer and its type, also where nothing had happened. Where it raises, it gets the same body again."""

    def __init__(self, client: httpx.AsyncClient, terminal: Terminal, take: Take, patience: Patience | None = None) -> None:
        self.subscribed = asyncio.Event()
        self._client, self._terminal, self._take, self._patience = client, terminal, take, patience or Patience()
        self._device = Endpoint(onvif_pull.there(terminal.base_url, onvif_pull.DEVICE_SERVICE))
        self._service = self._device
        self._subscription: Subscription | None = None
        self._untaken: tuple[bytes, str] | None = None
        self._auth = httpx.DigestAuth(terminal.user, terminal.password)
        self._clock, self._tokens = timedelta(), True
        self._asks, self._longest, self._limit = LASTS, POLL, LIMIT

    async def run(self) -> None:
        """Until it is cancelled. Then the camera is told; what it was cancelled in taking is for `settle`."""
        failures = 0
        while True:
            begun = self._now()
            try:
                await self.settle()
                await self._listen()
            except Exception as problem:
                if isinstance(problem, Fault) and problem.not_authorised:
                    self._tokens = not self._tokens  # ONVIF Core: not both ways at once, and some devices hold to that
                log.warning("events of %s: %s", self._terminal.base_url, problem if isinstance(problem, Fault) else type(problem).__name__)
            finally:
                held, self._subscription = self._subscription, None
                self.subscribed.clear()
                await self._leave(held)
            lasted = self._now() - begun >= self._patience.longest_pause
            failures = 0 if lasted else failures + 1
            await asyncio.sleep(self._patience.pause(failures))

    async def settle(self) -> None:
        """Gives `take` what was pulled and not taken, until it is taken; the subscription is kept alive meanwhile."""
        failures = 0
        while self._untaken is not None:
            try:
                await self._take(*self._untaken)
                self._untaken = None
            except Exception as problem:
                log.warning("events of %s wait to be taken: %s", self._terminal.base_url, type(problem).__name__)
                pause, held = self._patience.pause(failures), self._subscription
                await asyncio.sleep(min(pause, held.lasts / 4) if held is not None else pause)
                failures += 1
                if held is not None and self._is_due(held):
                    with suppress(Exception):
                        await self._renew(held)

    async def _listen(self) -> None:
        """One subscription after the other, until something fails."""
        self._auth = httpx.DigestAuth(self._terminal.user, self._terminal.password)
        self._clock = await self._difference()
        self._service = await self._event_service()
        self._subscription = held = await self._subscribe()
        self.subscribed.set()
        while True:
            if self._is_due(held):
                self._subscription = held = await self._prolonged(held)
            await self._pull(held, min(self._longest, held.lasts / 3))

    async def _difference(self) -> timedelta:
        """The device's clock minus ours; none for a device that does not tell."""
        try:
            told = onvif_pull.read_time(await self._answer(onvif_pull.TIME, self._device, signed=False))
        except (Fault, Unreadable):
            told = None
        return told - datetime.now(UTC) if told is not None else timedelta()

    async def _event_service(self) -> Endpoint:
        """Asked in the old way, and where that is none any more, in the new one."""
        try:
            return onvif_pull.event_service(await self._answer(onvif_pull.CAPABILITIES, self._device), self._terminal.base_url)
        except (Fault, Unreadable) as problem:
            if isinstance(problem, Fault) and problem.not_authorised:
                raise
            return onvif_pull.event_service(await self._answer(onvif_pull.SERVICES, self._device), self._terminal.base_url)

    async def _subscribe(self) -> Subscription:
        told = onvif_pull.subscribed(await self._answer(onvif_pull.subscribe(self._asks), self._service), self._terminal.base_url)
        lasts = max(LEAST, told.seconds or self._asks)
        return Subscription(told.endpoint, lasts, self._now() + lasts)

    def _is_due(self, held: Subscription) -> bool:
        """Half of its time is over; a poll takes a third."""
        return held.ends - self._now() <= held.lasts / 2

    async def _prolonged(self, held: Subscription) -> Subscription:
        """The same, renewed, or another, subscribed before the old one is emptied and ended, so that nothing falls between them."""
        try:
            await self._renew(held)
            return held
        except (Fault, Unreadable, httpx.HTTPError, TimeoutError):
            self._subscription = await self._subscribe()
        try:
            for _ in range(MOST_LEFT):
                if not await self._pull(held, min(1.0, held.lasts / 10)):
                    break
            self._asks = LONGER
        except Fault as fault:
            log.info("events of %s: the subscription was over: %s", self._terminal.base_url, fault)
        finally:
            await self._leave(held)
        return self._subscription

    async def _renew(self, held: Subscription) -> None:
        told = onvif_pull.read_seconds(await self._answer(onvif_pull.renew(self._asks), held.endpoint))
        held.lasts = max(LEAST, told or self._asks)
        held.ends = self._now() + held.lasts

    async def _leave(self, held: Subscription | None) -> None:
        """Ends a subscription, as far as that is possible within a moment."""
        if held is not None:
            with suppress(Exception), anyio.move_on_after(GOODBYE):
                await self._answer(onvif_pull.UNSUBSCRIBE, held.endpoint)

    async def _pull(self, held: Subscription, seconds: float) -> int:
        """Waits for so many seconds at most; how many notifications came and were taken."""
        begun, told = self._now(), None
        try:
            body, content_type = await self._ask(onvif_pull.pull(seconds, self._limit), held.endpoint, seconds)
            told = onvif_pull.pulled(onvif_pull.read(body, content_type))
        except Fault as fault:
            if self._heeds(fault, seconds):
                return 0
            raise
        except Unreadable:
            pass
        if told is not None and told.seconds is not None:
            held.ends = self._now() + told.seconds
        self._untaken = body, content_type
        await self.settle()
        if told is None:
            raise Unreadable("not_an_event", "kept, and begun anew")
        if not told.messages and self._now() - begun < seconds / 2:  # a camera that keeps no poll waiting is not asked without end
            await asyncio.sleep(self._patience.first_pause)
        return told.messages

    def _heeds(self, fault: Fault, seconds: float) -> bool:
        """Whether the camera wants to be asked for less, and is from now on."""
        shorter, fewer = fault.most_seconds, fault.most_messages
        heeded = False
        if shorter is not None and 0 < shorter < seconds:
            self._longest, heeded = shorter, True
        if fewer is not None and 0 < fewer < self._limit:
            self._limit, heeded = fewer, True
        return heeded

    async def _answer(self, call: Call, endpoint: Endpoint, signed: bool = True) -> etree._Element:
        """Raises Fault, Unreadable, httpx.HTTPError, TimeoutError."""
        return onvif_pull.read(*await self._ask(call, endpoint, signed=signed))

    async def _ask(self, call: Call, endpoint: Endpoint, wait: float = 0.0, signed: bool = True) -> tuple[bytes, str]:
        """The body of an answer, cut where it is too long, and its type. Raises Fault, httpx.HTTPError, TimeoutError."""
        terminal, within = self._terminal, self._patience.answer + wait
        token = SignIn(terminal.user, terminal.password, datetime.now(UTC) + self._clock, secrets.token_bytes(16))
        request = self._client.build_request(
            "POST",
            endpoint.url,
            content=onvif_pull.envelope(call, endpoint, uuid4(), token if signed and self._tokens else None),
            headers={"content-type": call.content_type, "accept-encoding": "identity"},
            timeout=httpx.Timeout(within, connect=self._patience.connect),
        )
        with anyio.fail_after(within):
            response = await self._client.send(request, auth=self._auth, stream=True, follow_redirects=False)
            try:
                body, content_type = await _bounded(response), response.headers.get("content-type", "")
            finally:
                await response.aclose()
        if not response.is_success:
            raise onvif_pull.refused(body, content_type, response.status_code)
        return body, content_type

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _bounded(response: httpx.Response) -> bytes:
    """As it was sent: what is packed small could be huge."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body[:MAX_BODY + 1])
