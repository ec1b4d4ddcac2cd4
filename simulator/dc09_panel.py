"""Simulated alarm panels, all in one process: `python -m simulator.dc09_panel --config FILE`.

The file: `{"panels": [{"device_id", "name", "account", "listen", "control", "every", "key_file"?}]}`. A panel calls `listen`,
reports what it is told to at `control`, again until it is acknowledged, and tests its line every `every` seconds. SIGTERM and
SIGINT end it with 0.
"""

import argparse
import asyncio
import json
import sys
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.dc09_frames import NO_ANSWER, Signal, frame, key_from, read_answer
from simulator.serving import UNREADABLE, ByAddress, answer, host_port, loopback, until_stopped

KEPT, LONGEST_ANSWER = 1000, 4096
ANSWERED = frozenset({"ACK", "DUH"})
"""A panel that is told that it was not understood does not say it again; to a NAK it does."""


class PanelConfig(Struct, frozen=True, kw_only=True):
    """Addresses are host:port. `every`: seconds between link tests; `answer_seconds`: how long it waits for an answer before it
    sends again; `give_up_seconds`: how long whoever orders a report waits for it."""

    device_id: str
    name: str
    account: str
    listen: str
    control: str
    every: float = 15.0
    key_file: str = ""
    answer_seconds: float = 3.0
    give_up_seconds: float = 30.0


class Config(Struct, frozen=True):
    panels: list[PanelConfig]


class Silence(Struct, frozen=True):
    silent: bool


class Exchange(Struct, frozen=True):
    """One frame and what became of it. `tries`: how often it was sent."""

    kind: str
    sequence: int
    data: str
    answer: str
    tries: int
    at: datetime


class AlarmPanel:
    def __init__(self, config: PanelConfig) -> None:
        self.config = config
        self.silent = False
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self.tests = self.acknowledged = self.refused = 0
        self._key = key_from(config.key_file) if config.key_file else None
        self._sequence = 0
        self._in_order = asyncio.Lock()
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def signal(self, signal: Signal) -> list[str]:
        """The receiver's answers, one for each report. Raises TimeoutError where one did not come within `give_up_seconds`."""
        kind, data = signal.data
        async with asyncio.timeout(self.config.give_up_seconds):
            return [await self._say(kind, data, signal.at) for _ in range(signal.times)]

    async def test_line(self) -> None:
        """For ever: a link test every so often, unless it is told to be silent. One try each: the next comes soon enough."""
        while True:
            if not self.silent:
                await self._say("NULL", "", tries=1)
                self.tests += 1
            await asyncio.sleep(self.config.every)

    async def _say(self, kind: str, data: str, at: datetime | None = None, tries: int = sys.maxsize) -> str:
        """Sends the same bytes until they are answered, or so often; a refused clock (NAK) gets a frame with the present time."""
        async with self._in_order:
            self._sequence = self._sequence % 9999 + 1
            number, sent_times, answer, sent = self._sequence, 0, NO_ANSWER, b""
            while answer not in ANSWERED and sent_times < tries:
                if not sent or answer == "NAK":
                    sent = frame(kind, number, self.config.account, data, at or datetime.now(UTC), self._key)
                await asyncio.sleep(min(0.2 * sent_times, 2.0))
                sent_times += 1
                answer = await self._exchange(sent, number)
                self.refused += answer not in ANSWERED
            self._noted(Exchange(kind, number, data, answer, sent_times, datetime.now(UTC)))
        return answer

    def _noted(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.acknowledged += exchange.answer == "ACK"
        if exchange.kind != "NULL":
            said = {"level": "info", "message": "answered", "panel": self.config.device_id, **msgspec.to_builtins(exchange)}
            print(json.dumps(said, ensure_ascii=False), flush=True)

    async def _exchange(self, sent: bytes, number: int) -> str:
        try:
            async with asyncio.timeout(self.config.answer_seconds):
                reader, writer = self._line = self._line or await asyncio.open_connection(*host_port(self.config.listen))
                writer.write(sent)
                await writer.drain()
                received = b""
                while (answer := read_answer(received, number)) == NO_ANSWER:
                    more = await reader.read(LONGEST_ANSWER)
                    if not more or len(received) > LONGEST_ANSWER:
                        raise ConnectionError
                    received += more
                return answer
        except (OSError, TimeoutError):
            self.hang_up()
            return NO_ANSWER

    def hang_up(self) -> None:
        if self._line is not None:
            self._line[1].transport.abort()
            self._line = None


def control(panel: AlarmPanel) -> Starlette:
    """How scripts and tests play with it: plain HTTP and JSON on a loopback port."""

    async def signal(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body() or b"{}", type=Signal)
        try:
            return answer({"answers": await panel.signal(asked)})
        except TimeoutError:
            return answer({"problem": "no answer"}, 504)

    async def silence(request: Request) -> Response:
        panel.silent = msgspec.json.decode(await request.body(), type=Silence).silent
        return answer({"silent": panel.silent})

    async def state(_: Request) -> Response:
        return answer({
            "device_id": panel.config.device_id, "account": panel.config.account, "encrypted": bool(panel.config.key_file),
            "silent": panel.silent, "tests": panel.tests, "acknowledged": panel.acknowledged, "refused": panel.refused,
            "exchanges": list(panel.exchanges)})

    routes = [
        Route("/signal", signal, methods=["POST"]),
        Route("/silence", silence, methods=["POST"]),
        Route("/", state, methods=["GET"]),
        Route("/state", state, methods=["GET"]),
        Route("/livez", state, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=UNREADABLE)


async def serve(config: Config) -> None:
    """All panels of the configuration, until SIGTERM or SIGINT."""
    panels = [AlarmPanel(each) for each in config.panels]
    addresses = ByAddress()
    for panel in panels:
        addresses.add(loopback(panel.config.control), control(panel))
    testing = [asyncio.create_task(panel.test_line()) for panel in panels]
    try:
        await until_stopped(addresses, "simulated alarm panels are ready", lambda: None)
    finally:
        for task in testing:
            task.cancel()
        await asyncio.gather(*testing, return_exceptions=True)
        for panel in panels:
            panel.hang_up()


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator.dc09_panel", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True)
    asyncio.run(serve(msgspec.json.decode(parser.parse_args().config.read_bytes(), type=Config)))


if __name__ == "__main__":
    main()
