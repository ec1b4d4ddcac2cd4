"""Notices to providers that fail, hang and come back, and a sender that dies in between: each taken under one key, none held up."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, json
from msgspec.structs import replace
from sqlalchemy import select

from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.recorded import Meta, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.subscriptions import follow
from libs.eventkit.timers import Due
from libs.eventkit.views import follow_views
from services.access.domain.deliveries import DELIVERIES, PATIENCE, QueueNotice, RecordFailed, Waiting, delivery_id_of
from services.access.domain.pass_history import VisitorArrived
from services.access.main import SERVICE
from services.access.notices import NAME, Notice, queueing
from services.access.sending import AT_ONCE, name_of, sending
from services.access.views.deliveries import VIEW
from tests.integration.mortal_sender import POINTS, Agreeing
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
PASS, HOST = uuid4(), uuid4()


class Provider:
    """Takes everything but what is `refused` (by the pass that it is about) or `hangs`."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.asked: list[tuple[UUID, str]] = []
        self.taken: dict[str, Notice] = {}
        self.refused: set[UUID] = set()
        self.hangs: set[UUID] = set()

    async def send(self, notice: Notice, key: str) -> None:
        self.asked.append((notice.pass_id, key))
        if notice.pass_id in self.hangs:
            await asyncio.Event().wait()
        if notice.pass_id in self.refused:
            raise ConnectionRefusedError("call 13800000001")
        self.taken[key] = notice

    def keys(self, pass_id: UUID) -> list[str]:
        return [key for about, key in self.asked if about == pass_id]


class Office(Struct):
    app: App
    community: UUID
    push: Provider
    sms: Provider

    async def arrives(self, pass_id: UUID) -> UUID:
        """The notice's id: that of the event."""
        event = VisitorArrived(pass_id, HOST, "family", datetime.now(UTC), "door", "visitor_pass", "first_entry")
        event_id = uuid4()
        await self.app.log.append(Append(
            self.community, f"visitor-pass:{pass_id}", 0,
            [NewEvent(event_id, tag_of(event), 1, json.encode(event), Meta())]))
        return event_id

    def works(self, *senders: Provider) -> None:
        app = self.app
        app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, [VIEW]))
        for s in app.subscriptions:
            if s.name in (NAME, *(name_of(sender.channel) for sender in senders)):
                app.supervisor.start(s.name, lambda s=s: follow(app.log, app.wake, s))

    async def state(self, notice: UUID, channel: str) -> Any:
        return (await self.app.commands.state(DELIVERIES, delivery_id_of(notice, channel), self.community))[0]

    async def said(self, kind: str) -> int:
        return len([r for r in await everything(await self.app.database.pool()) if r.type == kind])


@pytest.fixture
def providers() -> tuple[Provider, Provider]:
    return Provider("push"), Provider("sms")


@pytest.fixture
def service(providers: tuple[Provider, Provider]) -> Service:
    return replace(
        SERVICE, reactions=lambda app: (queueing(providers, Agreeing()),),
        timers=lambda app: (sending(app, each, Agreeing()) for each in providers))


@pytest.fixture
async def office(app_of: AppOf, service: Service, providers: tuple[Provider, Provider], community: UUID) -> AsyncIterator[Office]:
    yield Office(await app_of(service), community, *providers)


async def test_each_notice_is_taken_once_by_each_channel_and_one_that_is_refused_holds_up_no_other(office: Office):
    bad, passes = uuid4(), [uuid4() for _ in range(30)]
    office.push.refused.add(bad)
    office.works(office.push, office.sms)
    refused = await office.arrives(bad)
    for pass_id in passes:
        await office.arrives(pass_id)
    await until(lambda: len(office.push.taken) == 30 and len(office.sms.taken) == 31)

    async def failed_again() -> bool:
        state = await office.state(refused, "push")
        return isinstance(state, Waiting) and state.attempts >= 2

    await until(failed_again)
    office.push.refused.clear()
    await until(lambda: len(office.push.taken) == 31)
    keys = set(office.push.keys(bad))
    assert keys == {str(delivery_id_of(refused, "push"))} and len(office.push.keys(bad)) >= 3
    assert all(len(office.push.keys(p)) == len(office.sms.keys(p)) == 1 for p in passes)
    assert not office.push.taken.keys() & office.sms.taken.keys()

    async def settled() -> bool:
        return await office.said("notice_sent") == 62 and not await (await office.app.database.pool()).fetchval(
            f"select count(*) from {VIEW.name}")

    await until(settled)


async def test_a_provider_that_does_not_answer_holds_up_nobody(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.access.sending.ANSWER", 0.2)
    stuck = [uuid4() for _ in range(AT_ONCE + 5)]
    office.push.hangs.update(stuck)
    office.works(office.push, office.sms)
    for pass_id in stuck:
        await office.arrives(pass_id)
    await until(lambda: set(stuck) <= {about for about, _ in office.push.asked})
    await office.arrives(PASS)
    await until(lambda: office.push.keys(PASS) and len(office.sms.taken) == len(stuck) + 1)
    assert len(office.push.taken) == 1


async def test_a_sender_that_dies_before_it_has_recorded_anything_sends_again_under_the_same_key(
    office: Office, app_of: AppOf, service: Service, monkeypatch: pytest.MonkeyPatch,
):
    office.works()
    notice = await office.arrives(PASS)

    async def queued() -> bool:
        return isinstance(await office.state(notice, "push"), Waiting)

    await until(queued)
    key = delivery_id_of(notice, "push")

    class Died(BaseException):
        pass

    async def dies(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(office.app.commands, "handle", dies)
        state = await office.state(notice, "push")
        await sending(office.app, office.push, Agreeing()).fire(Due(office.community, key, state, state.again_at, notice))
    assert office.push.keys(PASS) == [str(key)] and await office.said("notice_sent") == 0
    second = replace(office, app=await app_of(service, office.app))
    second.works(office.push)
    await until(lambda: len(office.push.asked) == 2)
    assert office.push.keys(PASS) == [str(key)] * 2

    async def recorded_once() -> bool:
        return await second.said("notice_sent") == 1

    await until(recorded_once)
    pool = await second.app.database.pool()
    await pool.execute(
        "insert into timers values ($1, $2, $3, 1, now(), $4) on conflict (name, stream) do update set due_at = now()",
        name_of("push"), f"notice:{key}", office.community, notice)
    await second.arrives(other := uuid4())
    await until(lambda: office.push.keys(other))

    async def nothing_due() -> bool:
        return not await pool.fetchval("select true from timers limit 1")

    await until(nothing_due)
    assert len(office.push.keys(PASS)) == 2, "what was taken is sent no more, whatever the table still shows"


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_every_channel_gets_the_notice_under_its_key(office: Office, point: str, tmp_path: Path):
    notice, path = await office.arrives(PASS), tmp_path / "taken"
    settings = office.app.settings
    environment = {
        **os.environ, "DATABASE_URL_ACCESS": settings.database_url, "LIFANG_SECRETS": str(settings.secrets),
        "LIFANG_KAFKA_USER": settings.kafka_user,
        "LIFANG_TOPIC_PREFIX": settings.topic_prefix}

    async def runs(point: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.mortal_sender", point, str(path), env=environment,
            cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)

    assert await asyncio.wait_for((await runs(point)).wait(), 60) == -signal.SIGKILL
    second = await runs("lives")
    try:
        async def both() -> bool:
            return await office.said("notice_sent") == 2

        await until(both, timeout=60)
    finally:
        second.kill()
        await second.wait()
    taken = [line.split() for line in path.read_text().splitlines()]
    assert {(channel, key) for channel, key in taken} == {(c, str(delivery_id_of(notice, c))) for c in ("push", "sms")}
    assert await office.said("notice_queued") == 2


async def test_a_notice_that_nobody_took_for_a_day_is_given_up_counted_and_named_by_its_error_alone(office: Office):
    office.push.refused.add(PASS)
    notice, now = uuid4(), datetime.now(UTC)
    command = QueueNotice(
        delivery_id=delivery_id_of(notice, "push"), channel="push", notice_id=notice, person_id=HOST, kind="visitor_arrived",
        pass_id=PASS, detail="door", at=now - PATIENCE, queued_at=now - PATIENCE)
    failed = RecordFailed(command.delivery_id, "push", 1, "ConnectionRefusedError", now - PATIENCE)
    for one in (command, failed):
        await office.app.commands.handle(command.delivery_id, one, Context(community_id=office.community, now=now))
    waits = await office.arrives(PASS)
    office.works(office.push, office.sms)

    async def shown() -> Any:
        rows = await office.app.database.fetch([office.community], select(VIEW.table))
        found = {(r["notice_id"], r["channel"], r["state"], r["reason"]) for r in rows}
        return found == {(notice, "push", "given_up", "ConnectionRefusedError"), (waits, "push", "waiting", "ConnectionRefusedError")}

    await until(shown)
    counts = await _answer(office, "/v1/notice-deliveries/counts")
    assert [(c["channel"], c["state"], c["count"]) for c in counts] == [("push", "given_up", 1), ("push", "waiting", 1)]
    listed = await _answer(office, "/v1/notice-deliveries?state=given_up")
    assert [(i["id"], i["attempts"]) for i in listed] == [(str(command.delivery_id), 1)]
    assert str(command.delivery_id) not in office.push.keys(PASS), "nobody is sent what is a day old"
    assert str(HOST) not in str(listed) and str(PASS) not in str(listed)
    everywhere = [r.data for r in await everything(await office.app.database.pool())]
    assert not any("13800000001" in data for data in everywhere)
    assert await _answer(office, "/v1/notice-deliveries", community=uuid4()) == []


async def _answer(office: Office, path: str, community: UUID | None = None) -> list[dict[str, Any]]:
    principal = Principal(uuid4(), "operator", frozenset({community or office.community}), permissions_of("operator"))
    office.app.verifier.verify = lambda token, now: principal  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web(office.app)), base_url="http://access") as client:
        answer = await client.get(path, headers={"authorization": "Bearer x"})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])
