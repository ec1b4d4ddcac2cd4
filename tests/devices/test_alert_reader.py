"""The reader against simulated terminals, each a process; connections are cut, silenced and refused."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.devices.adapters.hikvision import Report, read
from services.devices.adapters.isapi_client import Terminal
from services.devices.alert_reader import AlertReader
from services.devices.patience import Patience
from tests.devices.test_hikvision_terminal import free_ports
from tests.kit import until

QUICK = Patience(connect=1, answer=5, silence=20, first_pause=0.02, longest_pause=0.1)


class Site:
    """One terminal that pushes to nobody, and what a reader heard and found."""

    def __init__(self, listen: str, control: str) -> None:
        self.listen = listen
        self.client = httpx.AsyncClient(trust_env=False, timeout=20, base_url=f"http://{control}")
        self.clear()

    def clear(self) -> None:
        self.heard: list[Report] = []
        self.found: list[Report] = []
        self.pages = 0
        self.fail_heard = self.fail_found = 0

    @property
    def serials(self) -> list[int]:
        """Of what was heard and found, each once."""
        return sorted({each.serial for each in (*self.heard, *self.found) if each.serial})

    async def take(self, body: bytes, content_type: str) -> None:
        reports = read(body, content_type)
        if self.fail_heard and reports[0].serial:
            self.fail_heard -= 1
            raise ConnectionError("the log is away")
        self.heard += reports

    async def take_found(self, reports: list[Report]) -> None:
        if self.fail_found:
            self.fail_found -= 1
            raise ConnectionError("the log is away")
        self.pages += 1
        self.found += reports

    async def card(self, count: int = 1) -> list[int]:
        told = [await self.client.post("/card", json={"card_number": "1"}) for _ in range(count)]
        return [each.json()["serial"] for each in told]

    async def cut(self) -> int:
        return int((await self.client.post("/cut")).json()["streams"])

    @contextlib.asynccontextmanager
    async def reading(
        self, last: Callable[[], int | None] = lambda: None, password: str = "made-up-word", patience: Patience = QUICK
    ) -> AsyncIterator[AlertReader]:
        terminal = Terminal(f"http://{self.listen}", "admin", password)
        reader = AlertReader(self.client, terminal, self.take, self.take_found, last, patience)
        task = asyncio.create_task(reader.run())
        yield reader
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    def last_serial(self) -> int | None:
        return max(self.serials, default=None)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("read")
    (folder / "password").write_text("made-up-word\n")
    listen, control, nobody = (f"127.0.0.1:{port}" for port in free_ports(3))
    terminal: dict[str, Any] = {"device_id": "door-2", "name": "x", "listen": listen, "control": control}
    terminal |= {"password_file": str(folder / "password"), "push": {"url": f"http://{nobody}/"}}
    (folder / "config").write_text(json.dumps({"terminals": [terminal]}))
    command = (sys.executable, "-m", "simulator.hikvision_terminal", "--config", str(folder / "config"))
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE)
    assert process.stdout and b"ready" in await asyncio.wait_for(process.stdout.readline(), 20)
    site = Site(listen, control)
    yield site
    await site.client.aclose()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.fixture
def site(running: Site) -> Site:
    running.clear()
    return running


async def test_events_are_heard_at_once_and_heartbeats_too(site: Site) -> None:
    async with site.reading() as reader:
        await asyncio.wait_for(reader.connected.wait(), 10)
        (serial,) = await site.card()
        await until(lambda: len(site.heard) == 2, timeout=5)
    assert [report.kind for report in site.heard] == ["heartbeat", "card_read"]
    assert site.heard[1].serial == serial and not site.heard[1].history and site.found == []


async def test_what_happened_during_a_break_is_found_as_history(site: Site) -> None:
    async with site.reading(site.last_serial, patience=Patience(first_pause=0.4, answer=5)) as reader:
        await asyncio.wait_for(reader.connected.wait(), 10)
        before = await site.card(2)
        await until(lambda: site.serials == before)
        assert await site.cut() == 1
        await until(lambda: not reader.connected.is_set())
        missed = await site.card(25)
        assert not reader.connected.is_set()
        await until(lambda: len(site.found) == 25)
        after = await site.card()
        await until(lambda: site.heard[-1].serial == after[0])
    assert [report.serial for report in site.found] == missed and site.pages == 3, "the terminal gives ten in a page"
    assert all(report.history and report.card_number == "1" for report in site.found)
    assert site.serials == before + missed + after


async def test_a_gap_that_was_told_is_filled_and_no_more_than_it(site: Site) -> None:
    serials = await site.card(6)
    async with site.reading() as reader:
        reader.fill(serials[0], serials[4])
        await until(lambda: len(site.found) == 3)
        reader.fill(serials[4], serials[5])
        reader.fill(serials[5], 2**30)
        reader.fill(serials[4])
        await until(lambda: len(site.found) == 4)
    assert [report.serial for report in site.found] == [*serials[1:4], serials[5]]


async def test_a_first_connection_fetches_no_history(site: Site) -> None:
    await site.card(3)
    async with site.reading() as reader:
        await asyncio.wait_for(reader.connected.wait(), 10)
        await until(lambda: site.heard)
    assert site.found == []


async def test_what_could_not_be_taken_is_found_again(site: Site) -> None:
    first = (await site.card())[0]
    site.fail_heard = site.fail_found = 1
    async with site.reading(lambda: max(first, site.last_serial() or 0)) as reader:
        await asyncio.wait_for(reader.connected.wait(), 10)
        (serial,) = await site.card()
        await until(lambda: serial in site.serials)
    assert (site.fail_heard, site.fail_found) == (0, 0)
    assert serial in [report.serial for report in site.found], "after the connection was given up"


async def test_silence_is_a_dead_device(site: Site) -> None:
    async with site.reading(patience=Patience(silence=0.3, first_pause=0.02, answer=5)):
        await until(lambda: len(site.heard) >= 3, timeout=10)
    assert {report.kind for report in site.heard} == {"heartbeat"}, "each connection begins with one"


async def test_a_wrong_password_is_tried_ever_more_seldom(site: Site) -> None:
    async with site.reading(password="wrong", patience=Patience(first_pause=0.05)) as reader:
        await asyncio.sleep(0.5)
        assert not reader.connected.is_set()
    assert site.heard == []


async def test_a_device_that_is_not_there_yet_is_found_when_it_comes() -> None:
    (port,) = free_ports(1)
    heard: list[bytes] = []

    async def take(body: bytes, _: str) -> None:
        heard.append(body)

    async def found(_: list[Report]) -> None:
        raise AssertionError

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        writer.write(head + b'--b\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n--b\r\n\r\n\xff\xd8\xff\r\n--b\r\n')
        writer.close()

    async with httpx.AsyncClient(trust_env=False) as client:
        reader = AlertReader(client, Terminal(f"http://127.0.0.1:{port}", "a", "b"), take, found, lambda: None, QUICK)
        task = asyncio.create_task(reader.run())
        await asyncio.sleep(0.2)
        server = await asyncio.start_server(answer, "127.0.0.1", port)
        await until(lambda: len(heard) >= 2)
        task.cancel()
        await asyncio.wait([task])
        server.close()
    assert set(heard) == {b'{"a":1}'}, "pictures are not handed on"


def test_pauses_double_up_to_their_limit_and_differ() -> None:
    patience = Patience()
    for failures, whole in ((0, 0.5), (1, 1), (2, 2), (5, 16), (6, 30), (1000, 30)):
        pauses = {patience.pause(failures) for _ in range(50)}
        assert len(pauses) > 1 and 0.75 * whole <= min(pauses) <= max(pauses) <= whole
