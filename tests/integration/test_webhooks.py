"""Webhooks on a real log and real receivers: each event at least once, in order, and nobody waits for anybody else."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from msgspec import json

from libs.eventkit.views import follow_views
from services.gateway.api.incident_events import told
from services.gateway.main import SERVICE
from services.gateway.publishing import SAID
from services.gateway.webhooks import signing
from services.gateway.webhooks.address import PRIVATE
from tests.faults.tally import Tally
from tests.integration.bureau import HOOKS, Bureau, bureau, has, in_order
from tests.integration.courier_twins import SharedQueue
from tests.integration.receiver import Got, Receiver
from tests.kit import everything, until

__all__ = ["bureau"]


async def test_each_event_is_told_in_order_signed_and_as_the_topic_has_it(bureau: Bureau, tally: Tally) -> None:
    before = await bureau.says()
    async with Receiver() as receiver, bureau.carried():
        hook = await bureau.hook(receiver)
        said = await bureau.says(30)
        await has(receiver, said)
        rows = {r.event_id: r for r in await everything(await bureau.app.database.pool()) if r.type in ("incident_opened", *_types())}
        assert receiver.taken() == said, "once each, since nothing was amiss; and nothing of before"
        in_order(receiver, said, tally)
        for got in receiver.got:
            assert got.event == json.decode(json.encode(told(bureau.app, rows[got.id]))) and got.path == "/hook?token=hidden"
            assert got.headers["content-type"] == "application/cloudevents+json" and got.headers["host"] == f"127.0.0.1:{receiver.port}"
            assert got.headers["webhook-signature"] == signing.signature(
                hook["secret"], str(got.id), int(got.headers["webhook-timestamp"]), got.body)
        found = await bureau.behind(hook, 0)
        assert (found["state"], found["delivered"]["event_id"]) == ("delivering", str(said[-1]))
        assert "hidden" not in str(found) and hook["secret"] not in str(found) and not set(before) & set(receiver.taken())


async def test_what_an_authority_has_written_is_read_with_the_position_that_it_was_given(bureau: Bureau) -> None:
    app, asked = bureau.app, {"authorization": "Bearer police"}
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, SERVICE.views))
    async with Receiver() as receiver:
        written = await bureau.client.post(HOOKS, json={"url": receiver.url}, headers=asked)
    position = written.headers["lifang-position"]
    read = await bureau.client.get("/v1/lanes", headers={"authorization": "Bearer guard", "lifang-min-position": position})
    assert (written.status_code, read.status_code, read.headers.get("lifang-stale")) == (201, 200, None), read.text


def _types() -> list[str]:
    return [str(kind.__struct_config__.tag) for kind in SAID]


@pytest.mark.fault(row="webhook", invariants="I3 I6")
async def test_whatever_a_receiver_does_it_has_each_event_in_order(bureau: Bureau, tally: Tally) -> None:
    bad = iter([500, "hangs", "drips", "breaks", 302, 429, 100 + 99, 503] * 2)
    turn = {"n": 0}

    def answer(got: Got) -> int | str:
        turn["n"] += 1
        return 200 if turn["n"] % 3 == 0 else next(bad, 200)

    async with Receiver(answer) as receiver, bureau.carried():
        hook = await bureau.hook(receiver)
        said = await bureau.says(6)
        await has(receiver, said)
        in_order(receiver, said, tally)
        assert all(got.path == "/hook?token=hidden" for got in receiver.got), "no redirect is followed"
        await bureau.stands(hook, "delivering")
    codes = {event.code for event in await bureau.said("webhook_failing")}
    assert {"http_500", "timeout", "broke_off", "http_302", "http_503"} <= codes
    tally.rounds += 16


@pytest.mark.fault(row="webhook", invariants="I3 I6")
@pytest.mark.parametrize("way", ["hangs", "drips", "breaks", 500, "away"])
async def test_a_dead_receiver_keeps_no_other_waiting_and_back_again_has_all_in_order(
    bureau: Bureau, tally: Tally, way: str | int,
) -> None:
    async with Receiver(lambda got: way) as dead, Receiver() as living, bureau.carried():
        if way == "away":
            await dead.closes()
        hook, _ = await bureau.hook(dead), await bureau.hook(living)
        said = await bureau.says(10)
        await has(living, said)
        in_order(living, said, tally)
        failing = await bureau.stands(hook, "failing")
        assert (failing["behind"], failing["before_event"], failing["delivered"]) == (20, str(said[0]), None)
        assert {got.id for got in dead.got} <= {said[0]}, "one is outstanding"
        if way == "away":
            await dead.opens()
        dead.answer = lambda got: 204
        await has(dead, said)
        in_order(dead, said, tally)
        await bureau.stands(hook, "delivering")
        tally.rounds += 1


@pytest.mark.twin(row="webhook", caught_by="I3")
async def test_a_shared_queue_is_caught(bureau: Bureau, tally: Tally) -> None:
    async with Receiver(lambda got: 500) as dead, Receiver() as living, bureau.carried(courier=SharedQueue):
        await bureau.hook(dead)
        said = await bureau.says(5)
        await until(lambda: len(dead.got) > 2)
        await bureau.hook(living, from_event=str(said[0]))
        n = len(dead.got)
        await until(lambda: len(dead.got) > n + 20)
        with pytest.raises(AssertionError, match="never told"):
            in_order(living, said, Tally())
    tally.rounds += 1


async def mortal(bureau: Bureau, *twin: str) -> asyncio.subprocess.Process:
    settings = bureau.app.settings
    environment = {**os.environ, "DATABASE_URL_GATEWAY": settings.database_url, "LIFANG_SECRETS": str(settings.secrets), PRIVATE: "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.courier_twins", *twin, env=environment, cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)


async def killed_once(bureau: Bureau, tally: Tally, *twin: str) -> None:
    """kill -9 while the third event has been sent and not been answered; then another process goes on."""
    processes = list[asyncio.subprocess.Process]()

    def answer(got: Got) -> int | str:
        if len(receiver.got) == 2 and len(processes) == 1:
            processes[0].send_signal(signal.SIGKILL)
            return "breaks"
        return 204

    async with Receiver(answer) as receiver:
        await bureau.hook(receiver)
        said = await bureau.says(4)
        processes.append(await mortal(bureau, *twin))
        assert await asyncio.wait_for(processes[0].wait(), 60) == -signal.SIGKILL
        processes.append(await mortal(bureau, *twin))
        try:
            await until(lambda: said[-1] in receiver.taken())
        finally:
            processes[1].kill()
            await processes[1].wait()
        in_order(receiver, said, tally)
        tally.rounds += 1


@pytest.mark.fault(row="webhook", invariants="I3 I6")
async def test_killed_between_the_delivery_and_the_position_nothing_is_lost(bureau: Bureau, tally: Tally) -> None:
    await killed_once(bureau, tally)


@pytest.mark.twin(row="webhook", caught_by="I3")
async def test_a_position_that_moves_first_is_caught(bureau: Bureau, tally: Tally) -> None:
    with pytest.raises(AssertionError, match="never told"):
        await killed_once(bureau, Tally(), "position", "first")
