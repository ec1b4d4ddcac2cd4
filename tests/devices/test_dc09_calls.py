"""Many alarm panels at once, and strange callers: a storm is taken, and nobody holds up anybody else."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

import pytest

from libs.eventkit.service import App
from services.devices.listener import LISTEN, Limits
from services.devices.listener import listening as task_of
from services.devices.main import SERVICE
from tests.devices.panels import Panel, alarm, link_test, listening, registered, signals
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
def before() -> Iterator[int]:
    yield resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_a_storm_over_several_lines_loses_nothing_and_tells_each_thing_once(
    app_of: AppOf, community: UUID, before: int, capsys: pytest.CaptureFixture[str],
) -> None:
    app, accounts, each = await app_of(SERVICE), [f"A{n:03d}" for n in range(8)], 125
    for account in accounts:
        await registered(app, community, account)
    async with listening(app) as listener:
        panels = [await Panel.call(listener) for _ in accounts]
        frames = {a: [alarm(n, zone=n, account=a) for n in range(1, each + 1)] for a in accounts}
        begun = time.monotonic()
        answers = await asyncio.gather(*(p.says(*frames[a]) for p, a in zip(panels, accounts, strict=True)))
        took = time.monotonic() - begun
    assert answers == [[f'"ACK"{n:04d}L0#{a}[]' for n in range(1, each + 1)] for a in accounts]
    by: dict[UUID, list[int | None]] = {}
    for event in await signals(app):
        assert event.told.signal
        by.setdefault(event.device_id, []).append(event.told.signal.zone)
    assert len(by) == len(accounts) and all(found == list(range(1, each + 1)) for found in by.values()), "each once, in order"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, f"{grown} KiB"
    with capsys.disabled():
        print(f" [{len(accounts) * each} alarms in {took:.2f} s]", end="")


async def test_junk_ends_a_call_and_never_the_listener(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app, Limits(unproven=1.0, frame=0.5, quiet=0.1, junk=5)) as listener:
        for junk in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 40, b"\n" * 5000, b"\nx\r" * 50, alarm(1)[:20], b""):
            stranger = await Panel.call(listener)
            stranger.writer.write(junk)
            await until(lambda: _over(stranger))  # noqa: B023
        await until(lambda: not listener._calls)
        panel = await Panel.call(listener)
        assert (await panel.says(b"\x00noise" + alarm(1)))[0].startswith('"ACK"0001')
        panel.writer.write(alarm(2)[:-1])
        assert (await panel.answer()).startswith('"ACK"0002'), "taken without its CR, once it is quiet"
    assert [event.findings for event in await signals(app)] == [("bytes_before_frame",), ("cr_missing",)]


async def _over(panel: Panel) -> bool:
    """Reads until the other side hangs up."""
    try:
        return not await asyncio.wait_for(panel.reader.read(4096), 5)
    except ConnectionError:
        return True


async def test_a_frame_that_dribbles_holds_its_place_for_a_while_only(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app, Limits(unproven=30.0, frame=0.5, quiet=0.1)) as listener:
        panel = await Panel.call(listener)
        begun = time.monotonic()

        async def dribble() -> None:
            for byte in alarm(1) * 20:
                panel.writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        task = asyncio.create_task(dribble())
        await until(lambda: _over(panel))
        assert time.monotonic() - begun < 5
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await signals(app) == []


async def test_there_is_room_for_so_many_and_from_one_address_for_fewer(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app, Limits(from_one_address=3)) as listener:
        panels = [await Panel.call(listener) for _ in range(3)]
        await until(lambda: len(listener._calls) == 3)
        assert await (await Panel.call(listener)).answer() == ""
        assert all([(await panel.says(alarm(n)))[0] for n, panel in enumerate(panels, 1)])
        panels[0].hang_up()
        await until(lambda: len(listener._calls) == 2)
        assert all(await (await Panel.call(listener)).says(alarm(9)))


async def test_who_takes_no_answers_holds_up_nobody_else(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app, Limits(unanswered=8, answer=0.3)) as listener:
        deaf, panel = await Panel.call(listener), await Panel.call(listener)
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            deaf.writer.write(link_test() * 500)
        assert (await panel.says(alarm(1)))[0].startswith('"ACK"0001')
        deaf.hang_up()
        await until(lambda: len(listener._calls) == 1)


async def test_without_an_address_nobody_listens(app_of: AppOf, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await app_of(SERVICE)
    monkeypatch.delenv(LISTEN, raising=False)
    assert task_of(app) == {}
    monkeypatch.setenv(LISTEN, "127.0.0.1:0")
    assert list(task_of(app)) == ["dc09"]
