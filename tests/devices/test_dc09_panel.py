"""Simulated alarm panels as a process, heard by the listener that hears real ones."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.eventkit.service import App
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.main import SERVICE
from tests.devices.panels import listening, registered, said, signals
from tests.devices.test_hikvision_terminal import free_ports
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]


@asynccontextmanager
async def simulated(folder: Path, *panels: dict[str, Any]) -> AsyncIterator[list[httpx.AsyncClient]]:
    controls = [f"127.0.0.1:{port}" for port in free_ports(len(panels))]
    config = {"panels": [{"device_id": f"panel-{n}", "name": "Panel", "control": control, "answer_seconds": 0.5, **panel}
                         for n, (control, panel) in enumerate(zip(controls, panels, strict=True))]}
    (folder / "config").write_text(json.dumps(config))
    command = (sys.executable, "-m", "simulator.dc09_panel", "--config", str(folder / "config"))
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE)
    clients = [httpx.AsyncClient(trust_env=False, timeout=40, base_url=f"http://{control}") for control in controls]
    try:
        assert process.stdout and b"ready" in await asyncio.wait_for(process.stdout.readline(), 30)
        yield clients
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
        for client in clients:
            await client.aclose()


async def test_panels_report_in_plain_and_encrypted_and_are_acknowledged(app_of: AppOf, community: UUID, tmp_path: Path) -> None:
    app = await app_of(SERVICE)
    await registered(app, community, "4A21", key_secret="dc09-key")
    await registered(app, community, "77F0")
    key_file = str(app.settings.secrets / "dc09-key")
    async with listening(app) as listener:
        listen = f"127.0.0.1:{listener.ports[0]}"
        keyed, plain = {"account": "4A21", "key_file": key_file}, {"account": "77F0"}
        async with simulated(tmp_path, keyed | {"listen": listen, "every": 0.2}, plain | {"listen": listen, "every": 0.2}) as panels:
            for panel in panels:
                answers = (await panel.post("/signal", json={"code": "1110", "partition": 1, "zone": 5, "times": 3})).json()
                assert answers == {"answers": ["ACK"] * 3}
                sia = {"code": "FA", "zone": 6, "protocol": "sia", "text": "三号楼"}
                assert (await panel.post("/signal", json=sia)).json() == {"answers": ["ACK"]}
                old = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
                assert (await panel.post("/signal", json={"code": "3110", "at": old})).json() == {"answers": ["ACK"]}
                await until(lambda: _tests(panel, 2))  # noqa: B023
                state = (await panel.get("/")).json()
                assert (state["account"] in ("4A21", "77F0"), state["silent"]) == (True, False)
            assert (await panels[0].post("/signal", json={"code": 1110})).status_code == 422
    events = await signals(app)
    told = [(e.told.code, e.told.signal and e.told.signal.zone, e.live) for e in events]
    assert told == [("1110", 5, True)] * 3 + [("FA", 6, True), ("3110", 1, False)] + [("1110", 5, True)] * 3 + [
        ("FA", 6, True), ("3110", 1, False)]
    assert all(e.findings == (() if e.live else ("replay_unmarked",)) for e in events)


async def _tests(panel: httpx.AsyncClient, least: int) -> bool:
    exchanges = (await panel.get("/state")).json()["exchanges"]
    return sum(e["kind"] == "NULL" and e["answer"] == "ACK" for e in exchanges) >= least


async def test_a_panel_sends_again_until_somebody_answers_and_it_is_one_event(app_of: AppOf, community: UUID, tmp_path: Path) -> None:
    app = await app_of(SERVICE)
    await registered(app, community, "77F0")
    (port,) = free_ports(1)
    async with simulated(tmp_path, {"account": "77F0", "listen": f"127.0.0.1:{port}", "every": 60}) as (panel,):
        asked = asyncio.create_task(panel.post("/signal", json={"code": "1110"}))
        await until(lambda: _refused(panel))
        assert not asked.done()
        async with listening(app, address=f"127.0.0.1:{port}"):
            assert (await asked).json() == {"answers": ["ACK"]}
            last = (await panel.get("/state")).json()["exchanges"][-1]
    assert last["tries"] > 1 and len(await signals(app)) == 1


async def _refused(panel: httpx.AsyncClient) -> bool:
    return bool((await panel.get("/state")).json()["refused"] >= 2)


async def test_nobody_answers_and_whoever_asked_is_told(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    silent = {"account": "77F0", "listen": f"127.0.0.1:{port}", "every": 60, "give_up_seconds": 0.3}
    async with simulated(tmp_path, silent) as (panel,):
        assert (await panel.post("/signal", json={"code": "1110"})).status_code == 504


async def test_a_panel_that_is_told_to_be_silent_is_missed(app_of: AppOf, community: UUID, tmp_path: Path) -> None:
    app = await app_of(SERVICE)
    device = await registered(app, community, "77F0", supervise=1)
    async with listening(app) as listener:
        panel_config = {"account": "77F0", "listen": f"127.0.0.1:{listener.ports[0]}", "every": 0.1}
        async with simulated(tmp_path, panel_config) as (panel,):
            lines = listener.lines
            await until(lambda: device in lines._heard and device not in lines._silent)
            before = len(await said(app, LineSilent)), len(await said(app, LineBack))
            assert (await panel.post("/silence", json={"silent": True})).json() == {"silent": True}

            async def told() -> tuple[bool, bool]:
                return len(await said(app, LineSilent)) > before[0], len(await said(app, LineBack)) > before[1]

            await until(lambda: device in lines._silent)
            assert await told() == (True, False)
            await panel.post("/silence", json={"silent": False})
            await until(lambda: device not in lines._silent)
            assert await told() == (True, True)
            (*_, last) = await said(app, LineSilent)
    assert last.limit == 1 and last.last_heard is not None
