"""One simulated Hikvision terminal: its doors, its event memory, and what it pushes to whom."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct, structs

from simulator.hikvision_bodies import AccessEvent, Format, Origin, body

REMOTE_OPENED, LOCK_OPENED, DOOR_CLOSED = (3, 0x400), (5, 0x15), (5, 0x1A)
REMOTE_CLOSED, REMOTE_ALWAYS_OPEN = (3, 0x401), (3, 0x402)
STATES = {"alwaysOpen": "held_open", "visitorCallLadder": "recalled", "close": "normal", "resume": "normal"}
"""What a relay stays in after a command."""
KEPT_EVENTS, KEPT_ORDERS = 10_000, 10_000
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)
ANSWER_SECONDS = 3.0
"""For which the terminal waits to be told whether to let somebody in; then it refuses."""


class Push(Struct, frozen=True):
    url: str
    headers: dict[str, str] = {}


class TerminalConfig(Struct, frozen=True, kw_only=True):
    """`serial` as text is the hardware's serial number; as a number, the first event's. Addresses are host:port."""

    device_id: str
    name: str
    listen: str
    control: str
    password_file: str
    push: Push
    serial: str | int = 1
    doors: int = 1
    user: str = "admin"
    open_seconds: float = 3.0


class Order(Struct):
    door_no: int
    command: str
    received_at: datetime
    answered: bool = False
    opened: bool = False


class Faults(Struct, frozen=True):
    """drop: orders get no answer; open: they are carried out all the same; refuse: they are answered with no; silent: alert streams
    say nothing more."""

    drop: bool = False
    refuse: bool = False
    open: bool = False
    silent: bool = False


class Pushed(Struct, frozen=True):
    """The answer to a push; status 0 where there was none."""

    status: int
    body: str
    serial: int = 0

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500


class Terminal:
    def __init__(self, config: TerminalConfig, client: httpx.AsyncClient, memory: Path | None = None) -> None:
        self.config, self.push_to = config, config.push
        self.stopping = asyncio.Event()
        self.orders: deque[Order] = deque(maxlen=KEPT_ORDERS)
        self.relays = dict.fromkeys(range(1, config.doors + 1), "normal")
        self.faults = Faults()
        self.listeners: set[asyncio.Queue[tuple[bytes, str] | None]] = set()
        self.memory: deque[AccessEvent] = deque(maxlen=KEPT_EVENTS)
        self.http_hosts = b""
        self.searches = 0
        self.forgotten: list[str] = []
        self.asked: dict[int, asyncio.Future[bool]] = {}
        self._client, self._memory = client, memory
        self._serial = _remembered(memory, config.serial - 1 if isinstance(config.serial, int) else 0)
        self._kept: deque[AccessEvent] = deque(maxlen=KEPT_EVENTS)
        self._closing: dict[int, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resending = False
        self._in_order = asyncio.Lock()

    @property
    def origin(self) -> Origin:
        host, _, port = self.config.listen.rpartition(":")
        return Origin(ip=host, port=int(port), mac=_mac(self.config.device_id), name=self.config.name)

    def event(self, code: tuple[int, int], door_no: int, at: datetime | None = None, **fields: Any) -> AccessEvent:
        """A new event with the next serial number, now unless said otherwise."""
        self._serial += 1
        if self._memory:
            _remember(self._memory, self._serial)
        moment = (at or datetime.now(UTC)).astimezone()
        event = AccessEvent(major=code[0], minor=code[1], serial=self._serial, at=moment, door_no=door_no, **fields)
        self.memory.append(event)
        return event

    async def report(self, event: AccessEvent, form: Format = "json") -> Pushed:
        """Push an event and tell the alert streams; what nobody took is kept and sent later as history."""
        content, content_type = body(event, self.origin, form)
        for listener in self.listeners:
            listener.put_nowait((content, content_type))
        pushed = await self.post(content, content_type)
        if pushed.failed:
            self._kept.append(structs.replace(event, live=False, remote_check=False))
            self._resend_later()
        return structs.replace(pushed, serial=event.serial)

    async def ask(self, event: AccessEvent, form: Format = "json") -> tuple[Pushed, bool | None]:
        """Push an event that asks and wait to be told (PUT remoteCheck); None when nobody did in time. Opens when admitted."""
        answer = self.asked[event.serial] = asyncio.get_running_loop().create_future()
        try:
            pushed = await self.report(event, form)
            admitted = await asyncio.wait_for(answer, ANSWER_SECONDS)
        except TimeoutError:
            admitted = None
        finally:
            del self.asked[event.serial]
        if admitted:
            self.open_door(event.door_no, by_order=False)
        return pushed, admitted

    async def post(self, content: bytes, content_type: str) -> Pushed:
        """Any bytes to the push address, as they are."""
        headers = {**self.push_to.headers, "content-type": content_type}
        try:
            response = await self._client.post(self.push_to.url, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return Pushed(0, type(problem).__name__)
        return Pushed(response.status_code, response.text)

    def cut(self) -> int:
        """End the alert streams in the middle, as a bad network would; how many there were."""
        for listener in self.listeners:
            listener.put_nowait(None)
        return len(self.listeners)

    def open_door(self, door_no: int, by_order: bool) -> None:
        """Unlock now, report it, and report the door closed after `open_seconds`. Needs a running loop."""
        codes = (REMOTE_OPENED, LOCK_OPENED) if by_order else (LOCK_OPENED,)
        self._tell([self.event(code, door_no) for code in codes])
        if earlier := self._closing.pop(door_no, None):
            earlier.cancel()
        later = asyncio.get_running_loop().call_later
        self._closing[door_no] = later(self.config.open_seconds, self._close_door, door_no)

    def hold(self, door_no: int, command: str) -> None:
        """Keep the relay in the state of that command, and report a door that changes its mode."""
        before, self.relays[door_no] = self.relays[door_no], STATES[command]
        if self.relays[door_no] != before and command != "visitorCallLadder":
            self._tell([self.event(REMOTE_ALWAYS_OPEN if command == "alwaysOpen" else REMOTE_CLOSED, door_no)])

    def _close_door(self, door_no: int) -> None:
        self._closing.pop(door_no, None)
        self._tell([self.event(DOOR_CLOSED, door_no)])

    def _tell(self, events: list[AccessEvent]) -> None:
        """What the doors do is pushed one event at a time, in the order in which it happened."""

        async def tell() -> None:
            async with self._in_order:
                for event in events:
                    await self.report(event)

        self._start(tell())

    def _resend_later(self) -> None:
        if not self._resending:
            self._resending = True
            self._start(self._resend())

    async def _resend(self) -> None:
        try:
            tries = 0
            while self._kept:
                await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries = 0 if await self._send_kept() else tries + 1
        finally:
            self._resending = False

    async def _send_kept(self) -> bool:
        while self._kept:
            if (await self.post(*body(self._kept[0], self.origin, "json"))).failed:
                return False
            self._kept.popleft()
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """End everything under way; nothing more is reported."""
        self.stopping.set()
        for timer in self._closing.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()


def _mac(device_id: str) -> str:
    """A stable address of the range for documentation (RFC 7042)."""
    number = sum(device_id.encode()) % 256
    return f"00:00:5e:00:53:{number:02x}"


def _remembered(memory: Path | None, otherwise: int) -> int:
    try:
        return max(int(memory.read_text()), otherwise) if memory else otherwise
    except (OSError, ValueError):
        return otherwise


def _remember(memory: Path, serial: int) -> None:
    beside = memory.with_suffix(".new")
    beside.write_text(str(serial))
    beside.replace(memory)
