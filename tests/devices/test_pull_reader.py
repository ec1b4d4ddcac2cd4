"""The reader against simulated ONVIF cameras, all of one process."""

import asyncio
import contextlib
import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.devices.adapters import onvif_pull
from services.devices.adapters.isapi_client import Terminal
from services.devices.adapters.onvif import read
from services.devices.adapters.onvif_pull import Endpoint, SignIn
from services.devices.adapters.report import Report
from services.devices.patience import Patience
from services.devices.pull_reader import LONGER, PullReader
from tests.devices.test_hikvision_terminal import free_ports
from tests.kit import until

PASSWORD = "made-up-word"
QUICK = Patience(connect=1, answer=5, first_pause=0.02, longest_pause=0.1)
INNER = "http://192.168.1.64"
CAMERAS: dict[str, dict[str, Any]] = {
    "digest": {"sign_in": "digest", "inner": INNER},
    "wsse": {"sign_in": "wsse", "clock_seconds": -7200, "old": False, "told_apart_by": "query"},
    "short": {"sign_in": "digest", "lasts": 2.0},
    "stubborn": {"sign_in": "wsse", "lasts": 2.0, "renews": False},
}


class Camera:
    """One simulated camera, and what a reader took from it. `fail`: how many times taking fails."""

    def __init__(self, listen: str, control: str) -> None:
        self.listen = listen
        self.client = httpx.AsyncClient(trust_env=False, timeout=20, base_url=f"http://{control}")
        self.clear()

    def clear(self) -> None:
        self.taken: list[Report] = []
        self.fail = 0
        self.failed: list[tuple[bytes, int]] = []

    @property
    def happened(self) -> list[Report]:
        """Without what only told how things stand."""
        return [report for report in self.taken if not report.history and report.kind != "heartbeat"]

    @property
    def numbers(self) -> list[str]:
        """Of what happened, in the order in which it was taken."""
        return [str(report.detail["objectId"]) for report in self.happened]

    async def take(self, body: bytes, content_type: str) -> None:
        if self.fail and any("objectId" in report.detail for report in read(body, content_type)):
            self.fail -= 1
            self.failed.append((body, (await self.done())["pulled"]))
            raise ConnectionError("the log is away")
        self.taken += read(body, content_type)

    async def sees(self, number: int, **more: Any) -> None:
        data = {"IsMotion": "true", "ObjectId": str(number)}
        assert (await self.client.post("/event", json={"data": data, **more})).status_code == 200

    async def state(self) -> Any:
        return (await self.client.get("/state")).json()

    async def done(self) -> Counter[str]:
        return Counter((await self.state())["done"])

    async def so_often(self, what: str, least: int, before: Counter[str]) -> bool:
        return (await self.done() - before)[what] >= least

    def reader(self, password: str = PASSWORD, patience: Patience = QUICK) -> PullReader:
        return PullReader(self.client, Terminal(f"http://{self.listen}", "admin", password), self.take, patience)

    @contextlib.asynccontextmanager
    async def reading(self, **more: Any) -> AsyncIterator[PullReader]:
        reader = self.reader(**more)
        async with running(reader):
            yield reader


@contextlib.asynccontextmanager
async def running(reader: PullReader) -> AsyncIterator[None]:
    task = asyncio.create_task(reader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


@pytest.fixture(scope="module")
async def cameras(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Camera]]:
    folder = tmp_path_factory.mktemp("pulled")
    (folder / "password").write_text(f"{PASSWORD}\n")
    ports = iter(free_ports(2 * len(CAMERAS)))
    told, found = [], {}
    for name, about in CAMERAS.items():
        listen, control = (f"127.0.0.1:{next(ports)}" for _ in range(2))
        found[name] = Camera(listen, control)
        told.append({"device_id": name, "name": name, "listen": listen, "control": control,
                     "password_file": str(folder / "password"), **about})
    (folder / "config").write_text(json.dumps({"cameras": told}))
    command = (sys.executable, "-m", "simulator.onvif_camera", "--config", str(folder / "config"))
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE)
    assert process.stdout and b"ready" in await asyncio.wait_for(process.stdout.readline(), 20)
    yield found
    for camera in found.values():
        await camera.client.aclose()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.fixture
def camera_of(cameras: dict[str, Camera]) -> Callable[[str], Camera]:
    def found(name: str) -> Camera:
        cameras[name].clear()
        return cameras[name]

    return found


CameraOf = Callable[[str], Camera]


@pytest.mark.parametrize("name", ["digest", "wsse"])
async def test_what_a_camera_sees_is_taken_after_how_things_stand(camera_of: CameraOf, name: str) -> None:
    camera = camera_of(name)
    async with camera.reading() as reader:
        await asyncio.wait_for(reader.subscribed.wait(), 10)
        await until(lambda: len(camera.taken) >= 2)
        await camera.sees(1)
        await camera.sees(2, topic="tns1:Device/Trigger/DigitalInput", source={"InputToken": "3"})
        await until(lambda: camera.numbers == ["1", "2"], timeout=5)
    assert {report.kind for report in camera.taken[:2] if report.history} == {"camera_alarm", "io_alarm"}
    assert [(report.kind, report.state, report.channel) for report in camera.happened] == [
        ("camera_alarm", "active", 1), ("io_alarm", "active", 3)]


async def test_a_camera_refuses_what_is_signed_by_our_clock_which_is_two_hours_off(camera_of: CameraOf) -> None:
    camera = camera_of("wsse")
    url = f"http://{camera.listen}{onvif_pull.DEVICE_SERVICE}"

    async def asked(created: datetime) -> int:
        sign_in = SignIn("admin", PASSWORD, created, uuid4().bytes)
        content = onvif_pull.envelope(onvif_pull.SERVICES, Endpoint(url), uuid4(), sign_in)
        return (await camera.client.post(url, content=content)).status_code

    assert [await asked(datetime.now(UTC)), await asked(datetime.now(UTC) - timedelta(hours=2))] == [400, 200]


async def test_a_subscription_is_renewed_in_time(camera_of: CameraOf) -> None:
    camera = camera_of("short")
    before = await camera.done()
    async with camera.reading():
        await until(lambda: camera.so_often("renewed", 2, before))
        await camera.sees(1)
        await until(lambda: camera.numbers == ["1"])
        now = await camera.done() - before
    assert now["subscribed"] == 1 and now["lapsed"] == 0


async def test_a_camera_that_cannot_renew_is_subscribed_to_again_and_nothing_falls_between(camera_of: CameraOf) -> None:
    camera = camera_of("stubborn")
    before, number = await camera.done(), 0
    async with camera.reading() as reader:
        await until(lambda: camera.taken)
        while not await camera.so_often("subscribed", 3, before):
            number += 1
            await camera.sees(number)
        await until(lambda: len(set(camera.numbers)) == number)
        now, state = await camera.done() - before, await camera.state()
    assert list(dict.fromkeys(camera.numbers)) == [str(n + 1) for n in range(number)]
    assert reader._asks == LONGER
    assert now["lapsed"] == 0 and now["subscribed"] - now["unsubscribed"] == state["subscriptions"] <= 2


async def test_a_camera_that_has_forgotten_everything_is_subscribed_to_again(camera_of: CameraOf) -> None:
    camera = camera_of("digest")
    before = await camera.done()
    async with camera.reading():
        await until(lambda: len(camera.taken) >= 2)
        assert (await camera.client.post("/restart")).json() == {"subscriptions": 1}
        await until(lambda: camera.so_often("subscribed", 2, before))
        await camera.sees(7)
        await until(lambda: camera.numbers == ["7"])
    assert await camera.done() - before == Counter(subscribed=2, forgotten=1, unsubscribed=1, pulled=3)


async def test_what_could_not_be_taken_is_taken_later_once_and_in_order_before_anything_more_is_pulled(camera_of: CameraOf) -> None:
    camera = camera_of("digest")
    async with camera.reading():
        await until(lambda: len(camera.taken) >= 2)
        camera.fail = 3
        await camera.sees(1)
        await until(lambda: camera.failed)
        await camera.sees(2)
        await until(lambda: camera.numbers == ["1", "2"])
    assert len(camera.failed) == 3 and len(set(camera.failed)) == 1, "the same body, and no other was pulled meanwhile"


async def test_what_is_still_to_be_taken_when_reading_ends_is_not_forgotten(camera_of: CameraOf) -> None:
    camera = camera_of("digest")
    async with camera.reading(patience=Patience(first_pause=60, longest_pause=60)) as reader:
        await until(lambda: len(camera.taken) >= 2)
        camera.fail = 1
        await camera.sees(1)
        await until(lambda: camera.failed)
    assert camera.numbers == []
    await reader.settle()
    await reader.settle()
    assert camera.numbers == ["1"]


async def test_a_subscription_outlives_a_log_that_is_away(camera_of: CameraOf) -> None:
    camera = camera_of("short")
    before = await camera.done()
    async with camera.reading(patience=Patience(connect=1, answer=5, first_pause=5, longest_pause=5)):
        await until(lambda: len(camera.taken) >= 2)
        camera.fail = 10_000
        await camera.sees(1)
        await until(lambda: camera.so_often("renewed", 2, before))
        await camera.sees(2)
        camera.fail = 0
        await until(lambda: camera.numbers == ["1", "2"])
        assert (await camera.done() - before)["subscribed"] == 1


async def test_whoever_stops_reading_unsubscribes(camera_of: CameraOf) -> None:
    camera = camera_of("wsse")
    async with camera.reading() as reader:
        await asyncio.wait_for(reader.subscribed.wait(), 10)
        assert (await camera.state())["subscriptions"] == 1
    assert (await camera.state())["subscriptions"] == 0 and not reader.subscribed.is_set()


async def test_a_wrong_password_is_tried_again_and_no_log_tells_it(camera_of: CameraOf, caplog: pytest.LogCaptureFixture) -> None:
    camera = camera_of("wsse")
    before = await camera.done()
    caplog.set_level(logging.DEBUG)
    async with camera.reading(password="wrong-word") as reader:
        await until(lambda: camera.so_often("not_authorised", 3, before))
        assert not reader.subscribed.is_set()
    assert camera.taken == [] and "NotAuthorized" in caplog.text and "wrong-word" not in caplog.text


async def test_no_log_tells_what_was_pulled(camera_of: CameraOf, caplog: pytest.LogCaptureFixture) -> None:
    camera = camera_of("digest")
    caplog.set_level(logging.DEBUG)
    async with camera.reading():
        await until(lambda: len(camera.taken) >= 2)
        camera.fail = 1
        await camera.sees(1, source={"Rule": "behind Zhang's house"})
        await until(lambda: camera.numbers == ["1"])
    assert "ConnectionError" in caplog.text
    assert "Zhang" not in caplog.text and "the log is away" not in caplog.text and PASSWORD not in caplog.text
