"""Alarm panels call the real listener: nothing that is acknowledged is lost, nothing is told twice, and nobody else is believed."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.db import Unavailable
from libs.eventkit.recorded import NOWHERE
from libs.eventkit.service import App
from services.devices.adapters.dc09_crypto import key_of
from services.devices.adapters.dc09_frames import framed
from services.devices.device_book import book_of
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.reports import BodyReceived
from services.devices.domain.unplaced import PER_ACCOUNT, FrameUnplaced
from services.devices.intake import Intake
from services.devices.main import SERVICE
from tests.devices.panels import ACCOUNT, Panel, alarm, link_test, listening, registered, said, signals
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/dc09.json").read_text())["built"]


def zones(events: list[Any]) -> list[int | None]:
    return [event.told.signal.zone for event in events]


async def test_an_alarm_is_in_the_log_when_it_is_acknowledged(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    device = await registered(app, community)
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        assert await panel.says(alarm(7, zone=3)) == [f'"ACK"0007L0#{ACCOUNT}[]']
        (event,) = await signals(app)
    assert (event.device_id, event.told.kind, event.told.code, event.live, event.findings) == (device, "panel_signal", "1110", True, ())
    assert event.told.signal and (event.told.signal.protocol, event.told.signal.partition, event.told.signal.zone) == ("contact_id", 1, 3)
    (body,) = await said(app, BodyReceived)
    opened = await app.keyring.open(body.body)
    assert isinstance(opened, bytes) and opened.startswith(b"\n") and b"1110 01 003" in opened


async def test_over_udp_too(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app) as listener:
        answers: asyncio.Queue[bytes] = asyncio.Queue()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                answers.put_nowait(data)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Client, remote_addr=("127.0.0.1", listener.ports[1]))
        for datagram in (b"junk", b"", b"\n" + b"x" * 9000, alarm(1, zone=1), alarm(1, zone=1)[:-1], alarm(2, zone=2), link_test()):
            transport.sendto(datagram)
        found = [(await asyncio.wait_for(answers.get(), 15))[9:19] for _ in range(4)]
        transport.close()
    assert sorted(found) == [b'"ACK"0000L', b'"ACK"0001L', b'"ACK"0001L', b'"ACK"0002L']
    assert zones(await signals(app)) == [1, 2]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
async def test_the_vectors_over_the_line(app_of: AppOf, community: UUID, vector: dict[str, Any]) -> None:
    app = await app_of(SERVICE)
    for account in ("4A21", "77F0", "5B32", "123456"):
        await registered(app, community, account)
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        for segment in [vector["hex"]] if isinstance(vector["hex"], str) else vector["hex"]:
            panel.writer.write(bytes.fromhex(segment))
            await panel.writer.drain()
        for frame in vector["expected"]["frames"]:
            if frame["reply"] != "none":
                wanted = frame.get("reply_starts", f'"{frame["reply"]}"')
                assert (await panel.answer()).startswith(wanted)
        panel.writer.write_eof()
        assert await panel.answer() == ""
    kept = [*await signals(app), *await said(app, FrameUnplaced)]
    assert len(kept) == vector["expected"]["events"]


# acknowledged only when it is stored


async def acknowledges_early(app: App, community: UUID, broken: bool) -> bool:
    """Whether an answer comes while the log's lock is held by somebody else, so that nothing can be stored."""
    await registered(app, community)
    async with listening(app) as listener:
        if broken:
            stored = listener.reception._stored

            async def early(*args: Any) -> None:
                asyncio.ensure_future(stored(*args))  # noqa: RUF006

            listener.reception._stored = early  # type: ignore[method-assign]
        panel, pool = await Panel.call(listener), await app.database.pool()
        assert (await panel.says(alarm(1)))[0].startswith('"ACK"0001'), "keys and day are there"
        async with pool.acquire() as other, other.transaction():
            await other.execute("lock table events in access exclusive mode")
            panel.writer.write(alarm(2, zone=2))

            async def waits() -> bool:
                return bool(await other.fetchval("select count(*) from pg_locks where not granted and database = "
                                                 "(select oid from pg_database where datname = current_database())"))

            await until(waits)
            found = asyncio.create_task(panel.answer())
            await asyncio.wait([found], timeout=0.3)
            early_answer = found.done()
        assert (await found).startswith('"ACK"0002')
    assert broken or zones(await signals(app)) == [1, 2]
    return early_answer


@pytest.mark.fault(row="kill-panel-listener", invariants="I1 I8")
async def test_no_acknowledgement_goes_out_before_the_commit(app_of: AppOf, community: UUID) -> None:
    assert not await acknowledges_early(await app_of(SERVICE), community, broken=False)


@pytest.mark.twin(row="kill-panel-listener", caught_by="I1")
async def test_a_listener_that_acknowledges_first_would_be_found(app_of: AppOf, community: UUID) -> None:
    assert await acknowledges_early(await app_of(SERVICE), community, broken=True)


async def test_while_the_log_is_away_there_is_no_answer_and_later_the_same_frame_is_one_event(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app) as listener:
        panel, frame, tried = await Panel.call(listener), alarm(1), asyncio.Event()
        with monkeypatch.context() as patch:
            async def away(*_: Any) -> Any:
                tried.set()
                raise Unavailable("away")

            patch.setattr(app.log, "append", away)
            panel.writer.write(frame)
            await asyncio.wait_for(tried.wait(), 10)
            await until(lambda: not listener._taking)
        assert await signals(app) == []
        assert await panel.says(frame, alarm(2, zone=2)) == [f'"ACK"000{n}L0#{ACCOUNT}[]' for n in (1, 2)], "of the first try, nothing"
    assert zones(await signals(app)) == [1, 2]


async def test_the_same_bytes_again_are_one_event_and_acknowledged_each_time(app_of: AppOf, community: UUID) -> None:
    app, frame = await app_of(SERVICE), alarm(5)
    await registered(app, community)
    timeless = framed(b'"ADM-CID"0006L0#4A21[#4A21|1110 01 001]')
    async with listening(app) as listener:
        panel, other = await Panel.call(listener), await Panel.call(listener)
        assert len({*await panel.says(frame, frame), *await other.says(frame)}) == 1
        assert all(await panel.says(timeless, timeless))
        assert all(await panel.says(alarm(6, at=datetime(2030, 1, 1, tzinfo=UTC)))), "other bytes"
    assert len(await signals(app)) == 3


@pytest.mark.fault(row="kill-panel-listener", invariants="I4 I8")
async def test_a_process_that_dies_between_commit_and_answer_tells_nothing_twice(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, frame = await app_of(SERVICE), alarm(9)
    await registered(app, community)
    async with listening(app) as listener:
        panel, committed, never = await Panel.call(listener), asyncio.Event(), asyncio.Event()
        with monkeypatch.context() as patch:
            take = Intake.take

            async def then_hang(self: Intake, *args: Any) -> Any:
                await take(self, *args)
                committed.set()
                await never.wait()

            patch.setattr(Intake, "take", then_hang)
            panel.writer.write(frame)
            await asyncio.wait_for(committed.wait(), 10)
    assert await panel.answer() == "", "the line is cut, and it was not answered"
    again = await app_of(SERVICE, beside=app)
    async with listening(again) as listener:
        assert await (await Panel.call(listener)).says(frame) == [f'"ACK"0009L0#{ACCOUNT}[]']
    assert len(await signals(again)) == 1


async def test_one_process_listens_and_another_takes_over(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    other = await app_of(SERVICE, beside=app)
    await registered(app, community)
    async with listening(app) as first:
        assert all(await (await Panel.call(first)).says(alarm(1)))
        waiting = asyncio.create_task(_once(other))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
    assert (await asyncio.wait_for(waiting, 15)).startswith('"ACK"')


async def _once(app: App) -> str:
    async with listening(app) as listener:
        return (await (await Panel.call(listener)).says(alarm(2)))[0]


async def test_a_panel_that_lost_its_clock_says_so_in_its_link_test_and_its_alarm_is_live(app_of: AppOf, community: UUID) -> None:
    app, lost = await app_of(SERVICE), datetime(2000, 1, 1, tzinfo=UTC)
    await registered(app, community)
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        await panel.says(alarm(1), alarm(2, at=lost))
        await panel.says(link_test(at=lost), alarm(3, at=lost + timedelta(seconds=5)), alarm(4, at=lost - timedelta(hours=1)))
    assert [event.live for event in await signals(app)] == [True, False, True, False]


# whose word it is


async def test_a_panel_with_a_key_is_heard_encrypted_only(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    device = await registered(app, community, key_secret="dc09-key", supervise=3600)
    key = key_of(app.settings.secret("dc09-key"))
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        assert (await panel.says(alarm(1, key=key)))[0].startswith(f'"*ACK"0001L0#{ACCOUNT}[')
        assert (await panel.says(link_test(key=key)))[0].startswith('"*ACK"0000')
        listener.lines._heard.clear()
        assert await panel.says(alarm(2), link_test()) == [f'"DUH"0002L0#{ACCOUNT}[]', f'"DUH"0000L0#{ACCOUNT}[]']
        assert (await panel.says(alarm(3, key=bytes(16))))[0].startswith('"DUH"0003')
        old = datetime.now(UTC) - timedelta(minutes=5)
        assert (await panel.says(_sent_at(old, key)))[0].startswith('"NAK"0000R0L0A0[]_')
        assert not listener.lines._heard, "nobody keeps a line alive without its key"
    assert len(await signals(app)) == 1
    assert sorted((f.reason, f.device_id) for f in await said(app, FrameUnplaced)) == [
        ("encrypted_no_key", device), ("not_encrypted", device), ("not_encrypted", device), ("time_out_of_range", device)]


def _sent_at(at: datetime, key: bytes) -> bytes:
    from services.devices.adapters.dc09_crypto import encrypt

    return framed(b'"*ADM-CID"0004L0#4A21[' + encrypt(key, f"|#4A21|1110 01 004]_{at:%H:%M:%S,%m-%d-%Y}".encode()))


async def test_a_key_that_is_missing_lets_nobody_in(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community, key_secret="dc09-key-missing")
    async with listening(app) as listener:
        found = await (await Panel.call(listener)).says(alarm(1), alarm(2, key=bytes(16)))
    assert [answer[:5] for answer in found] == ['"DUH"', '"DUH"'] and await signals(app) == []


async def test_of_two_in_plain_the_first_registered_is_meant_and_a_key_tells_them_apart(app_of: AppOf, community: UUID) -> None:
    app, elsewhere = await app_of(SERVICE), UUID(int=community.int ^ 1)
    keyed = await registered(app, UUID(int=community.int ^ 2), key_secret="dc09-key")
    first = await registered(app, community)
    await registered(app, elsewhere)
    key = key_of(app.settings.secret("dc09-key"))
    async with listening(app) as listener:
        await (await Panel.call(listener)).says(alarm(1), alarm(1, key=key))
    assert {event.device_id for event in await signals(app)} == {first, keyed}


async def test_a_stranger_is_acknowledged_and_kept_a_few_times_for_operators(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    await registered(app, community)
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        answers = await panel.says(*(alarm(n, account="9999") for n in range(1, PER_ACCOUNT + 6)))
        assert answers[0] == '"ACK"0001L0#9999[]' and all(answer.startswith('"ACK"') for answer in answers)
    kept = await said(app, FrameUnplaced)
    assert len(kept) == PER_ACCOUNT and {(f.account, f.reason, f.device_id) for f in kept} == {("9999", "account_unknown", None)}
    assert await signals(app) == []
    pool = await app.database.pool()
    assert await pool.fetchval("select bool_and(community_id = $1) from events where type = 'frame_unplaced'", NOWHERE)
    opened = await app.keyring.open(kept[0].body)
    assert isinstance(opened, bytes) and b"#9999|1110" in opened


async def test_a_panel_registered_elsewhere_a_moment_ago_is_known(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    other = await app_of(SERVICE, beside=app)
    async with listening(app) as listener:
        await registered(other, community)
        await (await Panel.call(listener)).says(alarm(1))
    assert len(await signals(app)) == 1


# lines


async def test_a_line_that_falls_silent_is_told_once_and_again_when_it_is_back(app_of: AppOf, community: UUID) -> None:
    app = await app_of(SERVICE)
    device = await registered(app, community, supervise=1)
    free = await registered(app, community, "77F0")
    book = book_of(app)
    app.start_api()
    async with listening(app) as listener:
        panel = await Panel.call(listener)
        begun = time.monotonic()
        await until(lambda: device in book.silent)
        assert 1.0 <= time.monotonic() - begun < 10
        assert (await panel.says(link_test()))[0].startswith('"ACK"')
        await until(lambda: device not in book.silent)
        await until(lambda: device in book.silent)
    async with listening(app):
        assert device in book.silent, "still, after a start"
    async with listening(app) as listener:
        await (await Panel.call(listener)).says(alarm(1))
        await until(lambda: device not in book.silent)
    silent, back = await said(app, LineSilent), await said(app, LineBack)
    assert [(e.device_id, e.limit, e.last_heard is None) for e in silent] == [(device, 1, True), (device, 1, False)]
    assert [e.device_id for e in back] == [device, device] and free not in book.silent
