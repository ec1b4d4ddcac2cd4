"""The simulated plate camera as a process, seen through the adapter and the client that meet real ones."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.devices.adapters.isapi_client import Outcome, Terminal, lift_barrier
from services.devices.adapters.report import Report
from services.devices.adapters.vzenith import answer, read
from tests.devices.test_hikvision_terminal import free_ports


class Site:
    """One camera and the listener it pushes to, which admits whoever is in `admitted`."""

    def __init__(self) -> None:
        self.status, self.delay = 200, 0.0
        self.admitted: set[str] = set()
        self.pushed: asyncio.Queue[Report] = asyncio.Queue()
        self.listen, self.control, self.push = (f"127.0.0.1:{port}" for port in free_ports(3))
        self.client = httpx.AsyncClient(trust_env=False, timeout=20, base_url=f"http://{self.control}")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().lower():
                headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                (report,) = read(body, headers["content-type"])
                self.pushed.put_nowait(report)
                await asyncio.sleep(self.delay)
                admitted = report.plate in self.admitted if report.awaits_decision else None
                plate_id = report.detail.get("plateid")
                told = answer(admitted, plate_id if isinstance(plate_id, int) else None, report.history)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (self.status, len(told)) + told)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def next_report(self) -> Report:
        return await asyncio.wait_for(self.pushed.get(), 10)

    async def vehicle(self, license: str = "粤B12345", **more: Any) -> Any:
        return (await self.client.post("/vehicle", json={"license": license, **more})).json()

    async def opened(self) -> int:
        return int((await self.client.get("/state")).json()["opened"])

    async def lift(self, channel: int = 1, password: str = "made-up") -> Outcome:
        return await lift_barrier(self.client, Terminal(f"http://{self.listen}", "admin", password), channel)


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder, site = tmp_path_factory.mktemp("camera"), Site()
    (folder / "password").write_text("made-up\n")
    camera: dict[str, Any] = {"device_id": "gate-1", "name": "North gate", "listen": site.listen, "control": site.control}
    camera |= {"password_file": str(folder / "password"), "push": {"url": f"http://{site.push}/push"}, "answer_seconds": 0.5}
    (folder / "config").write_text(json.dumps({"cameras": [camera]}))
    command = (sys.executable, "-m", "simulator.vzenith_camera", "--config", str(folder / "config"))
    listener = await asyncio.start_server(site.answer, *site.push.split(":"))
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE)
    assert process.stdout and b"ready" in await asyncio.wait_for(process.stdout.readline(), 20)
    yield site
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
    await site.client.aclose()
    listener.close()


async def test_who_is_admitted_finds_the_barrier_open(site: Site) -> None:
    before, site.admitted = await site.opened(), {"粤B12345"}
    told = await site.vehicle(colour=2, pictures=True)
    report = await site.next_report()
    assert (report.plate, report.plate_colour, report.pictures, report.awaits_decision) == ("粤B12345", "yellow", 2, True)
    assert told["opened"] and json.loads(told["body"])["Response_AlarmInfoPlate"]["info"] == "ok"
    assert await site.opened() == before + 1


async def test_who_is_not_admitted_finds_it_closed(site: Site) -> None:
    before, site.admitted = await site.opened(), {"粤B12345"}
    told = await site.vehicle("粤B99999")
    assert (await site.next_report()).plate == "粤B99999"
    assert not told["opened"] and json.loads(told["body"])["Response_AlarmInfoPlate"]["info"] == "no"
    assert await site.opened() == before


async def test_an_unlicensed_vehicle_is_told(site: Site) -> None:
    await site.vehicle("_无_", kind=31, colour=0)
    report = await site.next_report()
    assert (report.plate, report.findings) == (None, ("no_plate",))


async def test_an_answer_that_comes_late_opens_nothing_and_the_push_comes_again_as_history(site: Site) -> None:
    before, site.admitted, site.delay = await site.opened(), {"粤B12345"}, 1.0
    try:
        told = await site.vehicle()
    finally:
        site.delay = 0.0
    first = await site.next_report()
    assert (told["status"], told["opened"]) == (0, False)
    await site.vehicle("粤B99999")
    assert (await site.next_report()).plate == "粤B99999"
    again = await site.next_report()
    assert (again.history, again.awaits_decision, again.plate) == (True, False, "粤B12345")
    assert (again.device_time, again.detail) == (first.device_time, first.detail)
    assert await site.opened() == before, "history opens nothing"


async def test_a_server_that_fails_is_told_everything_later(site: Site) -> None:
    site.status = 503
    for _ in range(3):
        await site.vehicle("粤B00001")
        assert not (await site.next_report()).history
    site.status = 200
    await site.vehicle("粤B00002")
    reports = [await site.next_report() for _ in range(4)]
    assert [report.history for report in reports] == [False, True, True, True]


async def test_a_heartbeat_opens_nothing(site: Site) -> None:
    before = await site.opened()
    told = (await site.client.post("/heartbeat")).json()
    assert (await site.next_report()).kind == "heartbeat"
    assert (told["status"], told["opened"], await site.opened()) == (200, False, before)


async def test_a_barrier_is_lifted_by_order(site: Site) -> None:
    before = await site.opened()
    assert (await site.lift()).result == "carried_out"
    assert await site.opened() == before + 1
    state = (await site.client.get("/state")).json()
    assert state["openings"][-1]["by"] == "order"


async def test_a_barrier_it_has_not_and_a_wrong_password_are_refused(site: Site) -> None:
    before = await site.opened()
    assert await site.lift(channel=2) == Outcome("refused", "4", "notSupport")
    assert await site.lift(password="wrong") == Outcome("refused", "4", "unauthorized")
    assert await site.opened() == before


async def test_what_is_asked_wrongly_is_refused(site: Site) -> None:
    assert (await site.client.post("/vehicle", json={"license": 5})).status_code == 422
