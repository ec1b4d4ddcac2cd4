"""What becomes of a webhook: switched off and taken up again, told anew, given another secret, filtered, refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.eventkit.service import App
from services.gateway.main import SERVICE
from services.gateway.webhooks import signing
from services.gateway.webhooks.address import PRIVATE
from services.gateway.webhooks.delivering import NAME, Courier
from services.gateway.webhooks.sending import Bounds
from tests.faults.tally import Tally
from tests.integration.bureau import HOOKS, Bureau, bureau, has, in_order
from tests.integration.receiver import Receiver
from tests.kit import everything, until

__all__ = ["bureau"]


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


class Late(Courier):
    """Does not hear of a change until it is let."""

    def __init__(self, app: App, bounds: Bounds) -> None:
        super().__init__(app, bounds)
        self.let = asyncio.Event()

    async def _settle(self) -> None:
        if self._running:
            await self.let.wait()
        await super()._settle()

    def waits(self) -> bool:
        return all(task.done() for _, _, task in self._running.values())


async def test_what_is_said_after_a_change_is_never_told_as_it_was_before(bureau: Bureau) -> None:
    couriers = list[Late]()

    def late(app: App, bounds: Bounds) -> Late:
        couriers.append(Late(app, bounds))
        return couriers[0]

    async with Receiver() as receiver, bureau.carried(courier=late):
        hook = await bureau.hook(receiver)
        first = await bureau.says()
        await has(receiver, first)
        new = await bureau.ask("POST", f"{HOOKS}/{hook['id']}/secret-rotations", status=201)
        said = await bureau.says()
        await until(lambda: couriers[0].waits() or len(receiver.got) > len(first))
        couriers[0].let.set()
        await has(receiver, [*first, *said])
        for got in receiver.got[len(first):]:
            expected = signing.signature(new["secret"], str(got.id), int(got.headers["webhook-timestamp"]), got.body)
            assert got.headers["webhook-signature"].split(" ")[0] == expected


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
