"""The simulated terminal as a process, seen through the client and the adapter that meet real ones."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.devices.adapters.hikvision import Report, read
from services.devices.adapters.isapi_client import Outcome, Terminal, answer_check, hold_relay, open_door

TAKEN = b"<ResponseStatus><statusCode>1</statusCode></ResponseStatus>"


class Site:
    """One terminal and the listener it pushes to."""

    def __init__(self) -> None:
        self.status = 200
        self.pushed: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()
        self.listen, self.control, self.push = (f"127.0.0.1:{port}" for port in free_ports(3))
        self.client = httpx.AsyncClient(trust_env=False, timeout=20, base_url=f"http://{self.control}")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().lower():
                headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                assert headers["x-device"] == "door-1"
                self.pushed.put_nowait((body, headers["content-type"]))
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (self.status, len(TAKEN)) + TAKEN)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def next_report(self) -> Report:
        (report,) = read(*await asyncio.wait_for(self.pushed.get(), 10))
        return report

    async def do(self, path: str, **asked: Any) -> Any:
        return (await self.client.post(path, json=asked)).json()

    async def open(self, door_no: int, password: str = "made-up-word", timeout: float = 5) -> Outcome:
        return await open_door(self.client, Terminal(f"http://{self.listen}", "admin", password, timeout), door_no)

    async def hold(self, door_no: int, state: str, timeout: float = 5) -> Outcome:
        return await hold_relay(self.client, Terminal(f"http://{self.listen}", "admin", "made-up-word", timeout), door_no, state)

    async def relays(self) -> Any:
        return (await self.client.get("/relays")).json()

    async def check(self, serial: int, admitted: bool) -> Outcome:
        return await answer_check(self.client, Terminal(f"http://{self.listen}", "admin", "made-up-word"), serial, admitted)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder, site = tmp_path_factory.mktemp("terminal"), Site()
    (folder / "password").write_text("made-up-word\n")
    terminal: dict[str, Any] = {"device_id": "door-1", "name": "North <gate>", "listen": site.listen}
    terminal |= {"control": site.control, "serial": "LF1", "doors": 2, "password_file": str(folder / "password")}
    terminal |= {"open_seconds": 0.05, "push": {"url": f"http://{site.push}/push", "headers": {"x-device": "door-1"}}}
    (folder / "config").write_text(json.dumps({"terminals": [terminal], "state_dir": str(folder / "state")}))
    command = (sys.executable, "-m", "simulator.hikvision_terminal", "--config", str(folder / "config"))
    root = Path(__file__).parents[2]
    listener = await asyncio.start_server(site.answer, *site.push.split(":"))
    process = await asyncio.create_subprocess_exec(*command, cwd=root, stdout=asyncio.subprocess.PIPE)
    assert process.stdout and b"ready" in await asyncio.wait_for(process.stdout.readline(), 20)
    yield site
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
    await site.client.aclose()
    listener.close()


async def test_an_order_opens_the_door_and_is_reported(site: Site) -> None:
    assert (await site.open(2)).result == "carried_out"
    reports = [await site.next_report() for _ in range(3)]
    assert [report.kind for report in reports] == ["remote_opened", "lock_opened", "door_closed"]
    assert {report.door_no for report in reports} == {2}
    assert all(report.serial == (report.front_serial or 0) + 1 and not report.history for report in reports)


async def test_a_door_it_has_not_and_a_wrong_password_are_refused(site: Site) -> None:
    assert await site.open(3) == Outcome("refused", "4", "notSupport")
    assert await site.open(1, password="wrong") == Outcome("refused", "4", "unauthorized")


async def test_an_order_that_is_dropped_ends_unknown_and_is_kept(site: Site) -> None:
    await site.do("/fault", drop=True)
    assert (await site.open(1, timeout=0.3)).result == "unknown"
    await site.do("/fault", drop=False)
    last = (await site.client.get("/orders")).json()[-1]
    assert (last["door_no"], last["command"], last["answered"], last["opened"]) == (1, "open", False, False)


@pytest.mark.parametrize(("form", "pictures"), [("json", 0), ("xml", 0), ("multipart", 1)])
async def test_a_card_is_told_in_every_format(site: Site, form: str, pictures: int) -> None:
    told = await site.do("/card", card_number="77001", person_name="林 & Co", door_no=1, format=form, code="5/38")
    report = await site.next_report()
    assert (told["status"], told["body"], told["serial"]) == (200, TAKEN.decode(), report.serial)
    assert (report.kind, report.card_number, report.person_name) == ("card_read", "77001", "林 & Co")
    assert (report.pictures, report.findings) == (pictures, ())


async def test_who_is_admitted_is_let_in_by_the_terminal_that_asked(site: Site) -> None:
    asking = asyncio.create_task(site.do("/card", card_number="1", remote_check=True))
    asked = await site.next_report()
    assert asked.awaits_decision and asked.serial is not None
    assert (await site.check(asked.serial, True)).result == "carried_out"
    assert (await asking)["opened"]
    assert [(await site.next_report()).kind for _ in range(2)] == ["lock_opened", "door_closed"]
    assert await site.check(asked.serial, True) == Outcome("refused", "4", "eventNotSupport"), "nobody waits any more"


async def test_who_is_refused_stays_outside(site: Site) -> None:
    asking = asyncio.create_task(site.do("/card", card_number="1", remote_check=True))
    asked = await site.next_report()
    assert asked.serial is not None and (await site.check(asked.serial, False)).result == "carried_out"
    told = await asking
    assert (told["admitted"], told["opened"]) == (False, False)


async def test_history_is_marked_and_opens_nothing(site: Site) -> None:
    told = await site.do("/card", card_number="1", remote_check=True, live=False)
    report = await site.next_report()
    assert (report.history, report.awaits_decision, told["admitted"], told["opened"]) == (True, False, None, False)


async def test_a_replay_sends_its_history_in_order(site: Site) -> None:
    assert (await site.do("/replay", count=50))["statuses"] == {"200": 50}
    reports = [await site.next_report() for _ in range(50)]
    serials = [report.serial for report in reports]
    assert all(report.history for report in reports) and serials == sorted(set(serials), key=serials.index)


async def test_what_nobody_took_comes_later_as_history(site: Site) -> None:
    site.status = 503
    assert (await site.do("/card", card_number="6"))["status"] == 503
    first = await site.next_report()
    site.status = 200
    again = await site.next_report()
    assert (first.history, again.history) == (False, True)
    assert (again.serial, again.card_number, again.device_time) == (first.serial, "6", first.device_time)


async def test_raw_bytes_go_as_they_are(site: Site) -> None:
    await site.client.post("/raw", content=b"\x00\xff", headers={"content-type": "text/odd"})
    assert await asyncio.wait_for(site.pushed.get(), 10) == (b"\x00\xff", "text/odd")


async def test_what_is_asked_wrongly_is_refused(site: Site) -> None:
    assert (await site.client.post("/card", json={"code": "five"})).status_code == 422
    assert (await site.client.post("/replay", content=b"{")).status_code == 422


async def test_the_alert_stream_begins_with_a_heartbeat_and_carries_events(site: Site) -> None:
    auth, address = httpx.DigestAuth("admin", "made-up-word"), f"http://{site.listen}/ISAPI/Event/notification/alertStream"
    async with site.client.stream("GET", address, auth=auth) as stream:
        chunks = stream.aiter_bytes()
        first = read(await anext(chunks) + b"--MIME_boundary--", stream.headers["content-type"])
        await site.do("/card", card_number="5")
        second = read(await anext(chunks) + b"--MIME_boundary--", stream.headers["content-type"])
    assert [report.kind for report in (*first, *second)] == ["heartbeat", "card_read"]
    await site.next_report()


async def test_a_relay_stays_in_the_state_that_it_was_told_and_a_door_reports_it(site: Site) -> None:
    while not site.pushed.empty():
        site.pushed.get_nowait()
    for state, kind in (("held_open", "door_mode_changed"), ("normal", "remote_closed")):
        assert [(await site.hold(1, state)).result for _ in range(2)] == ["carried_out"] * 2
        assert await site.relays() == {"1": state, "2": "normal"}
        assert (await site.next_report()).kind == kind
    assert (await site.hold(2, "recalled")).result == "carried_out" and await site.relays() == {"1": "normal", "2": "recalled"}
    assert (await site.hold(2, "normal")).result == "carried_out"
    assert (await site.hold(3, "held_open")).result == "refused"


async def test_a_terminal_that_refuses_or_is_dead_leaves_its_relays_as_they_are(site: Site) -> None:
    for fault, result in (({"refuse": True}, "refused"), ({"drop": True}, "unknown")):
        await site.do("/fault", **fault)
        assert (await site.hold(1, "held_open", 0.2)).result == result
        assert (await site.relays())["1"] == "normal"
    await site.do("/fault", drop=True, open=True)
    assert (await site.hold(1, "held_open", 0.2)).result == "unknown" and (await site.relays())["1"] == "held_open"
    await site.do("/fault")
    assert (await site.hold(1, "normal")).result == "carried_out"
