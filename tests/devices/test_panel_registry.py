"""Panels in the registry, over HTTP: what is accepted, what is listed, and who sees whom nobody knows; the demo's panels."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, structs

from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Context
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import checkpoint
from libs.eventkit.views import take
from services.devices.device_book import book_of
from services.devices.domain.lines import FindSilent
from services.devices.main import SERVICE
from tests.devices.panels import Panel, alarm, listening

AppOf = Callable[..., Awaitable[App]]
NEW = {"kind": "dc09-panel", "name": "1号楼报警主机", "account": "4a21", "key_secret": "dc09-key", "supervise": 60}


class Office(Struct):
    app: App
    client: httpx.AsyncClient

    async def register(self, status: int = 201, **changed: Any) -> Any:
        headers = {"authorization": "Bearer staff", "idempotency-key": str(uuid4())}
        body = {name: value for name, value in (NEW | changed).items() if value is not None}
        answer = await self.client.post("/v1/devices", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def ask(self, method: str, path: str, body: Any = None, who: str = "staff", **headers: str) -> httpx.Response:
        return await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {who}", **headers})

    async def get(self, path: str, who: str = "staff", status: int = 200) -> Any:
        for view in SERVICE.views:
            position = await checkpoint(self.app.database, view.name)
            if rows := await self.app.log.read(position):
                await take(self.app.database, self.app.catalogue, [view], rows, position)
        answer = await self.client.get(path, headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def office(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("LIFANG_DEMO", "1")
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        return Principal(UUID(int=7), token, frozenset({community}), permissions_of(token))

    monkeypatch.setattr(app.verifier, "verify", verify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://devices") as client:
        yield Office(app, client)


async def test_a_panel_is_registered_under_its_account_in_capitals(office: Office) -> None:
    device = UUID((await office.register())["id"])
    known = await book_of(office.app).find(device)
    assert known and structs.asdict(known.description)["account"] == "4A21"
    assert (known.description.key_secret, known.description.supervise, known.description.kind) == ("dc09-key", 60, "dc09-panel")
    assert (await office.register(409))["code"] == "account_already_registered"


async def test_the_list_shows_account_and_line(office: Office, community: UUID) -> None:
    device = UUID((await office.register())["id"])
    await office.register(kind="vzenith-camera", account=None, key_secret=None, supervise=None, name="camera")
    shown = {one["name"]: (one["account"], one["line"], one["online"]) for one in (await office.get("/v1/devices"))["items"]}
    assert shown == {"1号楼报警主机": ("4A21", "speaking", True), "camera": ("", None, False)}
    now = datetime.now(UTC)
    await office.app.commands.handle(device, FindSilent(device, 60, 61.0), Context(community_id=community, now=now))
    (panel,) = [one for one in (await office.get("/v1/devices"))["items"] if one["account"]]
    assert (panel["line"], panel["online"]) == ("silent", False) and panel["silent_since"]


async def test_operators_see_who_is_not_registered_and_staff_see_who_speaks_for_their_panel(office: Office) -> None:
    device = (await office.register())["id"]
    async with listening(office.app) as listener:
        await (await Panel.call(listener)).says(alarm(1, account="9999"), alarm(2, account="9999"), alarm(3))
    (found,) = (await office.get("/v1/devices/unplaced-findings", "operator"))["items"]
    assert (found["finding"], found["mark"], found["times"]) == ("account_unknown", "9999", 2)
    await office.get("/v1/devices/unplaced-findings", "staff", 403)
    await office.get("/v1/devices/unplaced-findings", "resident", 403)
    (found,) = (await office.get(f"/v1/devices/{device}/findings"))["items"]
    assert (found["finding"], found["mark"], found["times"]) == ("not_encrypted", "4A21", 1)


async def test_the_demo_has_two_panels_one_of_them_encrypted(office: Office, community: UUID) -> None:
    headers = {"authorization": f"Bearer {office.app.settings.secret('demo')}"}
    for _ in range(2):
        answer = await office.client.post("/v1/demo-seed", json={"community_id": str(community)}, headers=headers)
        assert answer.status_code == 200, answer.text
        found = answer.json()["panels"]
        assert [(one["name"], one["account"], one["encrypted"]) for one in found] == [
            ("1号楼报警主机", "4A21", False), ("2号楼报警主机", "E5C102", True)]
        known = await book_of(office.app).find(UUID(found[1]["device_id"]))
        assert known and known.description.supervise == 60 and known.description.key_secret == "dc09-key"


async def test_a_panel_is_corrected_as_it_was_seen_and_heard_as_it_is_now(office: Office, community: UUID) -> None:
    """Registered in plain, it gets a key and is watched; its account stays its own."""
    device = UUID((await office.register(key_secret="", supervise=0))["id"])
    seen = await office.ask("GET", f"/v1/devices/{device}")
    assert (seen.json()["account"], seen.json()["key_secret"], seen.json()["supervise"]) == ("4A21", "", 0)
    corrected = seen.json() | {"key_secret": "dc09-key", "supervise": 60, "name": "2号楼报警主机"}
    answer = await office.ask("PUT", f"/v1/devices/{device}", corrected, **{"if-match": seen.headers["etag"]})
    assert answer.status_code == 200, answer.text
    assert (await office.ask("PUT", f"/v1/devices/{device}", corrected, **{"if-match": seen.headers["etag"]})).status_code == 412
    again = await office.ask("GET", f"/v1/devices/{device}")
    assert (again.json(), again.headers["etag"]) == (corrected, answer.headers["etag"])
    book = book_of(office.app)
    known = await book.find(device)
    assert known and known.description.key_secret == "dc09-key" and book.supervised() == [known]
    (panel,) = (await office.get("/v1/devices"))["items"]
    assert (panel["name"], panel["line"]) == ("2号楼报警主机", "speaking")
    camera = {**corrected, "kind": "vzenith-camera", "account": "", "key_secret": "", "supervise": 0}
    refused = await office.ask("PUT", f"/v1/devices/{device}", camera)
    assert (refused.status_code, refused.json()["code"]) == (409, "device_of_another_kind")
    assert (await office.ask("PUT", f"/v1/devices/{device}", corrected, "guard")).status_code == 403


async def test_of_a_panel_that_is_retired_the_account_may_be_registered_anew(office: Office) -> None:
    device = UUID((await office.register())["id"])
    for _ in range(2):
        assert (await office.ask("DELETE", f"/v1/devices/{device}")).status_code == 200
    assert (await office.get("/v1/devices"))["items"] == []
    for method, path, body in (("GET", "", None), ("PUT", "", NEW), ("PUT", "/address", {"address": ""}), ("POST", "/enrolment-codes", {})):
        answer = await office.ask(method, f"/v1/devices/{device}{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "device_not_found"), f"{method} {path}"
    assert (await office.get(f"/v1/devices/{device}/findings"))["items"] == []
    anew = UUID((await office.register())["id"])
    await book_of(office.app).memory.catch_up()
    assert [panel.device_id for panel in book_of(office.app).panels("4A21")] == [anew]
