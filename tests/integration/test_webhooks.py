"""Webhooks on a real log and real receivers: each event at least once, in order, and nobody waits for anybody else."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, json

from libs.eventkit.commands import Context
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from services.gateway.api.incident_events import told
from services.gateway.domain.government import OpenIncident, ProgressIncident
from services.gateway.main import SERVICE
from services.gateway.publishing import SAID
from services.gateway.webhooks import signing
from services.gateway.webhooks.address import PRIVATE
from services.gateway.webhooks.delivering import NAME, Courier
from services.gateway.webhooks.sending import Bounds
from tests.faults.findings import Finding, settle
from tests.faults.tally import Tally
from tests.integration.courier_twins import FAST, SharedQueue
from tests.integration.office import verifying
from tests.integration.receiver import Got, Receiver
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
NOW = datetime.now(UTC).replace(microsecond=0)
HOOKS = "/v1/government/webhooks"


class Bureau(Struct):
    """A gateway's log, whoever asks it, and who carries its webhooks."""

    app: App
    community: UUID
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str = HOOKS, body: Any = None, status: int = 200, who: str = "police", **headers: str) -> Any:
        answer = await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {who}", **headers})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def hook(self, receiver: Receiver, **more: Any) -> Any:
        return await self.ask("POST", body={"url": receiver.url, **more}, status=201)

    async def says(self, incidents: int = 1) -> list[UUID]:
        """Of each that it was raised and acknowledged."""
        ids = []
        for _ in range(incidents):
            incident, asked = uuid4(), Context(community_id=self.community, now=datetime.now(UTC))
            for command in (
                    OpenIncident(incident, "310101", "fire", "critical", False, None, "contact_id:1110", NOW, NOW + timedelta(minutes=2)),
                    ProgressIncident("acknowledged", NOW, "guard", None)):
                ids += (await self.app.commands.handle(incident, command, asked)).outcome.events
        return ids

    @asynccontextmanager
    async def carried(self, bounds: Bounds = FAST, courier: Callable[[App, Bounds], Courier] = Courier) -> AsyncIterator[None]:
        task = asyncio.create_task(follow(self.app.log, self.app.wake, courier(self.app, bounds).subscription()))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def state(self, hook: Any) -> Any:
        return await self.ask("GET", f"{HOOKS}/{hook['id']}")

    async def stands(self, hook: Any, state: str) -> Any:
        async def there() -> Any:
            found = await self.state(hook)
            return found if found["state"] == state else None

        return await until(there)

    async def behind(self, hook: Any, count: int) -> Any:
        """The receiver knows that it has said 2xx a moment before the position does."""
        async def there() -> Any:
            found = await self.state(hook)
            return found if found["behind"] == count else None

        return await until(there)

    async def said(self, type_: str) -> list[Any]:
        rows = await everything(await self.app.database.pool())
        return [self.app.catalogue.read(row) for row in rows if row.type == type_]


@pytest.fixture
async def bureau(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bureau]:
    monkeypatch.setenv(PRIVATE, "1")
    app = await app_of(SERVICE)
    monkeypatch.setattr(app.verifier, "verify", verifying(community))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web(app)), base_url="http://gateway", timeout=40) as client:
        yield Bureau(app, community, client)


def in_order(receiver: Receiver, said: list[UUID], tally: Tally) -> None:
    """Each at least once, and none before all that came before it had been taken. Raises Broken."""
    taken, first = receiver.taken(), list(dict.fromkeys(receiver.taken()))
    missing = [i for i in said if i not in taken]
    sent_early = [g.id for n, g in enumerate(receiver.got) if set(said[:said.index(g.id)]) - {
        before.id for before in receiver.got[:n] if isinstance(before.answer, int) and before.answer < 300}]
    tally.events += len(said)
    tally.doubled += len(taken) - len(first)
    settle([
        *([Finding("I3", f"never told: {missing}", lost=len(missing))] if missing else []),
        *([Finding("I6", "told before what came before it")] if first != [i for i in said if i in first] or sent_early else [])], tally)


async def has(receiver: Receiver, said: list[UUID]) -> None:
    await until(lambda: set(said) <= set(receiver.taken()))


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


async def test_who_is_gone_is_switched_off_and_resumed_goes_on_where_it_stood(bureau: Bureau, tally: Tally) -> None:
    async with Receiver(lambda got: 410) as receiver, bureau.carried():
        hook = await bureau.hook(receiver)
        said = await bureau.says(2)
        off = await bureau.stands(hook, "switched_off")
        assert (off["because"], off["error"], off["before_event"], off["behind"]) == ("gone", "http_410", str(said[0]), 4)
        assert len(receiver.got) == 1
        receiver.answer = lambda got: 200
        await bureau.ask("POST", f"{HOOKS}/{hook['id']}/resumptions", status=201)
        await has(receiver, said)
        in_order(receiver, said, tally)


async def test_what_fails_for_too_long_is_switched_off(bureau: Bureau) -> None:
    bounds = Bounds(connect=0.5, whole=0.5, first=0.02, longest=0.1, give_up=0.1)
    async with Receiver(lambda got: 500) as receiver, bureau.carried(bounds):
        hook = await bureau.hook(receiver)
        await bureau.says()
        off = await bureau.stands(hook, "switched_off")
        assert (off["because"], off["error"]) == ("failing", "http_500") and len(receiver.got) >= 2
        assert off["since"] < off["switched_off_at"]


async def test_a_resend_begins_at_an_event_and_in_a_running_task(bureau: Bureau) -> None:
    async with Receiver() as receiver, bureau.carried():
        hook = await bureau.hook(receiver)
        said = await bureau.says(3)
        await has(receiver, said)
        await bureau.ask("POST", f"{HOOKS}/{hook['id']}/resends", {"from_event": str(said[2])}, 201)
        await until(lambda: len(receiver.taken()) == 10)
        assert receiver.taken() == [*said, *said[2:]]
        new = await bureau.says()
        await has(receiver, new)
        assert receiver.taken() == [*said, *said[2:], *new]
        await bureau.ask("POST", f"{HOOKS}/{hook['id']}/resends", {"from_position": receiver.got[5].event["lifangposition"]}, 201)
        await until(lambda: receiver.taken()[12:] == [said[5], *new])
        names = await (await bureau.app.database.pool()).fetch("select name from checkpoints where name like 'webhook:%'")
        assert [row["name"] for row in names] == [f"webhook:{hook['id']}:3"]


async def test_after_a_rotation_both_secrets_sign_for_a_day(bureau: Bureau) -> None:
    async with Receiver() as receiver, bureau.carried():
        hook = await bureau.hook(receiver)
        new = await bureau.ask("POST", f"{HOOKS}/{hook['id']}/secret-rotations", status=201)
        await has(receiver, await bureau.says())
        got = receiver.got[0]
        expected = [signing.signature(s, str(got.id), int(got.headers["webhook-timestamp"]), got.body)
                    for s in (new["secret"], hook["secret"])]
        assert got.headers["webhook-signature"].split(" ") == expected and new["secret"] != hook["secret"]
        assert datetime.fromisoformat(new["old_signs_until"]) > datetime.now(UTC) + timedelta(hours=23)


async def test_filters_and_a_late_joiner_from_the_beginning(bureau: Bureau) -> None:
    said = await bureau.says(2)
    async with Receiver() as all_, Receiver() as opened, Receiver() as elsewhere, bureau.carried():
        await bureau.hook(all_, from_position="0.0.0", division_code="31")
        await bureau.hook(opened, from_event=str(said[0]), types="gov.incident_o*")
        hook = await bureau.hook(elsewhere, from_position="0.0.0", division_code="11")
        await has(all_, said)
        await until(lambda: opened.taken() == said[::2])
        assert elsewhere.got == [] and (await bureau.state(hook))["behind"] == 0


async def test_the_secret_is_shown_once_and_to_a_repetition_with_its_key(bureau: Bureau) -> None:
    async with Receiver() as receiver:
        body = {"url": receiver.url}
        first = await bureau.ask("POST", body=body, status=201, **{"idempotency-key": "a"})
        again = await bureau.ask("POST", body=body, status=201, **{"idempotency-key": "a"})
        assert first == again and first["secret"].startswith("whsec_")
        await bureau.ask("POST", f"{HOOKS}/{first['id']}/secret-rotations", status=201)
        assert (await bureau.ask("POST", body=body, status=201, **{"idempotency-key": "a"}))["secret"] is None
        log = str(await everything(await bureau.app.database.pool()))
        assert first["secret"] not in log and "hidden" not in log
        items = (await bureau.ask("GET"))["items"]
        assert [i["id"] for i in items] == [first["id"]] and items[0]["origin"] == f"http://127.0.0.1:{receiver.port}"
        assert [i["id"] for i in (await bureau.ask("GET", who="staff"))["items"]] == [first["id"]]
        assert (await bureau.ask("GET", who="grid"))["items"] == []
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/secret-rotations"), ("POST", "/resumptions")):
            assert (await bureau.ask(method, f"{HOOKS}/{first['id']}{path}", status=404, who="grid"))["code"] == "webhook_not_found"
        await bureau.ask("DELETE", f"{HOOKS}/{first['id']}", status=204)
        await bureau.ask("DELETE", f"{HOOKS}/{first['id']}", status=204)
        assert (await bureau.ask("GET"))["items"] == []
        assert await (await bureau.app.database.pool()).fetchval("select bool_and(wrapped is null) from keys"), "its secret is gone"


async def test_what_is_refused_says_why(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as receiver:
        ten = [(await bureau.hook(receiver))["id"] for _ in range(10)]
        assert (await bureau.ask("POST", body={"url": receiver.url}, status=409))["code"] == "too_many_webhooks"
        pages = list[str]()
        page = await bureau.ask("GET", f"{HOOKS}?limit=4")
        while True:
            pages += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            page = await bureau.ask("GET", f"{HOOKS}?limit=4&cursor={page['next']}")
        assert pages == sorted(ten)
        await bureau.ask("POST", body={"url": receiver.url}, status=201, who="grid")
    for more, code in (({"from_position": "1.99999.0"}, "position_in_the_future"), ({"types": "gov.nothing"}, "types_unknown")):
        assert (await bureau.ask("POST", body={"url": "http://127.0.0.1/", **more}, status=409, who="grid"))["code"] == code
    assert (await bureau.ask("POST", f"{HOOKS}/{ten[0]}/resends", {}, 409))["code"] == "position_missing"
    assert (await bureau.ask("POST", f"{HOOKS}/{ten[0]}/resends", {"from_event": str(uuid4())}, 404))["code"] == "event_not_found"
    monkeypatch.delenv(PRIVATE)
    for url, because in (
            ("http://example.com/", "not_https"), ("https://127.0.0.1/", "address_refused"), ("https://[::1]:8443/", "address_refused"),
            ("https://169.254.169.254/", "address_refused"), ("https://user:pass@example.com/", "credentials"),
            ("https://localhost/", "address_refused"), ("https://93.184.216.34:22/", "port")):
        refused = await bureau.ask("POST", body={"url": url}, status=409, who="grid")
        assert (refused["code"], refused["because"]) == ("webhook_url_refused", because), url


async def test_an_address_that_has_become_private_is_not_connected_to(bureau: Bureau) -> None:
    async with Receiver() as receiver:
        hook = await bureau.hook(receiver)
        async with bureau.carried(courier=lambda app, bounds: Courier(app, bounds, private=False)):
            await bureau.says()
            assert (await bureau.stands(hook, "failing"))["error"] == "not_https"
        assert receiver.got == []


def test_the_courier_is_wired(databases: Any) -> None:
    assert NAME in [s.name for s in App(SERVICE, databases._settings("gateway", "postgres")).subscriptions]
