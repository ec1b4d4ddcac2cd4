"""As of a position or a moment, each page is what it was when it was asked for then: answers are kept, and compared later."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, json

from libs.contracts import access, alarm, identity, parking
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.privacy import seal
from libs.eventkit.recorded import Meta, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App
from services.gateway import history
from services.gateway.main import SERVICE
from services.gateway.views import incidents
from tests.kit import caught_up

ANN, GUARD, DOOR, HOUSE, HOME, LOT, SENSOR, PANEL, RIGHT, DUTY, STAY, FIRE, LIVES = (UUID(int=n << 64) for n in range(1, 14))
NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(minutes=5)
PLACE = alarm.Place(HOUSE, 1, 7, HOME, "kitchen")
ABOUT = {"incident_id": FIRE, "kind": "fire", "severity": "critical", "silent": False, "place": PLACE}
PAGES = {
    "/v1/me": f"resident:{ANN}", "/v1/me/doors": f"resident:{ANN}", "/v1/incidents": "staff", "/v1/incidents?state=all": "staff",
    f"/v1/doors/{DOOR}/rights": "staff", "/v1/parking-occupancy": "staff"}
MOVING = ("age_seconds", "overdue")


class Then(Struct):
    app: App
    community: UUID
    client: httpx.AsyncClient

    async def hears(self, event: Struct, community: UUID | None = None) -> int:
        event_id = uuid4()
        answer = await self.app.log.append(Append(
            community or self.community, f"heard:{event_id}", 0, [NewEvent(event_id, tag_of(event), 1, json.encode(event), Meta())]))
        return answer.position

    async def get(self, path: str, who: str, status: int = 200, **more: Any) -> Any:
        given = {k: str(v) for k, v in more.items()} | ({"purpose": "a test"} if path.endswith("/rights") else {})
        answer = await self.client.get(path, params=given, headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def pages(self, as_of: object = None) -> dict[str, Any]:
        """All of them, without what moves with the clock alone."""
        found = {}
        for path, who in PAGES.items():
            bare, _, query = path.partition("?")
            given = dict([query.split("=")] if query else []) | ({"as_of": as_of} if as_of is not None else {})
            body = await self.get(bare, who, **given) if as_of is not None or "rights" not in path else await self.rights()
            body.pop("as_of", None)
            for item in body.get("items", []):
                for name in MOVING:
                    item.pop(name, None)
            found[path] = body
        return found

    async def rights(self) -> Any:
        answer = await self.client.get(f"/v1/doors/{DOOR}/rights?purpose=a+test", headers={"authorization": "Bearer staff"})
        return answer.json() if answer.status_code == 200 else {"door": None, "items": [], "next": None}

    async def sealed(self, text: str) -> SealedField:
        key, event_id = await self.app.keyring.key_for(self.community, f"resident:{ANN}", "contact"), uuid4()
        box = seal(key.dek, key.key_id, event_id, "name", text)
        return SealedField(box.key_id, box.event_id, box.slot, box.box)


def story(name: SealedField) -> list[Struct]:
    return [
        identity.BuildingRegistered(HOUSE, "1号楼", 2), identity.HomeRegistered(HOME, HOUSE, 1, "1-701"),
        identity.ResidentRegistered(ANN, name), identity.ResidenceStarted(LIVES, ANN, HOME, HOUSE, 1, "owner", date(2026, 1, 1)),
        identity.AccountOpened(DUTY, GUARD, "guard"), access.DoorInstalled(DOOR, "North gate", "community", PANEL, 1),
        access.RightGranted(RIGHT, ANN, "community", "resident"), access.RightGranted(DUTY, GUARD, "everywhere", "on_duty"),
        parking.LotOpened(LOT, "North", {"ground": 9}), parking.SessionBegun(STAY, LOT, "ground", ANN, None, None, NOW),
        alarm.SensorInstalled(SENSOR, PANEL, 1, 1, "fire", PLACE),
        alarm.IncidentRaised(**ABOUT, code="contact_id:1110", source_id=SENSOR, sensor_id=SENSOR, device_id=None, raised_by=None, live=True,
                             acknowledge_by=SOON),
        alarm.IncidentAcknowledged(**ABOUT, by=GUARD, verify_by=SOON), alarm.IncidentFoundFalse(**ABOUT, by=GUARD, cause="cooking"),
        access.RightRevoked(RIGHT, ANN, "community", "resident"),
        parking.SessionEnded(STAY, LOT, "ground", "exit", NOW + timedelta(hours=1), 500),
        identity.ResidenceEnded(LIVES, ANN, HOME, HOUSE, date(2026, 2, 1)), identity.ResidentRegistered(ANN, name)]


@pytest.fixture
async def then(app_of: Callable[..., Awaitable[App]], community: UUID, monkeypatch: pytest.MonkeyPatch) -> Any:
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        role, _, person = token.partition(":")
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({community}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    app.start_worker()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://gateway") as client:
        yield Then(app, community, client)


async def test_every_page_is_again_what_it_was_after_each_event(then: Then) -> None:
    pool, kept = await then.app.database.pool(), {0: await then.pages()}
    moments = dict[int, datetime]()
    for event in story(await then.sealed("Ann")):
        position = await then.hears(event)
        await then.hears(event, uuid4())  # what is another community's is nowhere in it
        await caught_up(pool, *(view.name for view in SERVICE.views))
        kept[position] = await then.pages()
        moments[position] = await pool.fetchval("select clock_timestamp()")
    assert len({str(one) for one in kept.values()}) > 12, "the story changes the pages"
    assert await pool.fetchval("select count(*) from damaged") == 0
    for position, pages in kept.items():
        assert await then.pages(position) == pages, position
    for position, moment in moments.items():
        assert await then.pages(moment.isoformat()) == kept[position], position


async def test_the_answer_says_of_when_it_is(then: Then) -> None:
    before = datetime.now(UTC)
    for event in story(await then.sealed("Ann"))[:4]:
        await then.hears(event)
    body = await then.get("/v1/me", f"resident:{ANN}", as_of=3)
    row = (await then.app.log.read(2, 1))[0]
    assert body["as_of"] == {"position": 3, "at": row.recorded_at.isoformat().replace("+00:00", "Z"), "generation": 1}
    body = await then.get("/v1/me", f"resident:{ANN}", as_of=before.isoformat())
    assert (body["as_of"]["position"], body["homes"], body["name_state"]) == (0, [], "none"), "before the founding there is nothing"
    assert "as_of" not in await then.get("/v1/me", f"resident:{ANN}")


async def test_what_was_overdue_is_of_that_moment(then: Then, monkeypatch: pytest.MonkeyPatch) -> None:
    events = story(await then.sealed("Ann"))
    for event in events[:11]:
        await then.hears(event)
    late = await then.hears(alarm.IncidentRaised(
        **ABOUT, code="sos", source_id=SENSOR, sensor_id=None, device_id=None, raised_by=ANN, live=True,
        acknowledge_by=datetime.now(UTC) + timedelta(minutes=5)))
    await caught_up(await then.app.database.pool(), incidents.INCIDENTS.name)

    class AnHourLater(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr(history, "datetime", AnHourLater)
    [item] = (await then.get("/v1/incidents", "staff"))["items"]
    assert item["overdue"] and item["age_seconds"] >= 3600
    [item] = (await then.get("/v1/incidents", "staff", as_of=late))["items"]
    assert not item["overdue"] and item["age_seconds"] == 0


async def test_a_name_that_is_erased_is_erased_in_the_past_too(then: Then) -> None:
    name = await then.sealed("Ann")
    for event in story(name)[:4]:
        position = await then.hears(event)
    assert (await then.get("/v1/me", f"resident:{ANN}", as_of=position))["name"] == "Ann"
    await then.app.keyring.erase(name.key_id)
    body = await then.get("/v1/me", f"resident:{ANN}", as_of=position)
    assert (body["name"], body["name_state"]) == (None, "erased") and body["homes"]


WRONG = {
    "as_of_in_the_future": ("99", "2099-01-01T00:00:00Z"),
    "as_of_malformed": ("soon", "2026-01-01T00:00:00", "-1", "１"),
}


@pytest.mark.parametrize("path", PAGES)
async def test_what_is_no_time_of_this_log_is_refused(then: Then, path: str) -> None:
    for code, values in WRONG.items():
        for value in values:
            assert (await then.get(path.partition("?")[0], PAGES[path], 422, as_of=value))["code"] == code


async def test_a_plus_sign_that_came_as_a_blank_is_understood(then: Then) -> None:
    answer = await then.client.get("/v1/me?as_of=2026-01-01T00:00:00+08:00", headers={"authorization": "Bearer staff"})
    assert answer.json()["as_of"]["position"] == 0


MAY = {
    "/v1/incidents": {"staff": (200, 200), "guard": (200, 403), "police": (403, 200), "grid": (403, 403), "resident": (403, 403)},
    "/v1/parking-occupancy": {"staff": (200, 200), "guard": (200, 403), "police": (403, 200), "grid": (403, 403), "resident": (403, 403)},
    f"/v1/doors/{DOOR}/rights": {"staff": (404, 200), "guard": (403, 403), "police": (404, 200), "resident": (403, 403)},
}


@pytest.mark.parametrize("path", MAY)
async def test_the_past_has_a_permission_of_its_own(then: Then, path: str) -> None:
    for role, (live, past) in MAY[path].items():
        await then.get(path, role, live)
        await then.get(path, role, past, as_of=0)


async def test_a_look_at_rights_has_a_purpose_and_is_in_the_log_before_the_answer(then: Then) -> None:
    for event in story(await then.sealed("Ann"))[:8]:
        position = await then.hears(event)
    police = {"authorization": f"Bearer police:{ANN}"}
    for purpose in ("", "x"):
        answer = await then.client.get(f"/v1/doors/{DOOR}/rights?as_of=7&purpose={purpose}", headers=police)
        assert (answer.status_code, answer.json()["code"]) == (409, "purpose_missing") and await then.app.log.last() == position
    body = await then.get(f"/v1/doors/{DOOR}/rights", f"police:{ANN}", as_of=7)
    assert [(row["person_id"], row["role"]) for row in body["items"]] == [(str(ANN), None)], "the duty was not there yet"
    [row] = await then.app.log.read(position)
    look = then.app.catalogue.read(row)
    assert (look.door_id, look.by, look.role, look.purpose, look.position) == (DOOR, ANN, "police", "a test", 7)


async def test_a_look_back_is_bounded_in_rows_and_time(then: Then, monkeypatch: pytest.MonkeyPatch) -> None:
    for event in story(await then.sealed("Ann")):
        await then.hears(event)
    monkeypatch.setattr(history, "MOST", 2)
    assert (await then.get("/v1/me", f"resident:{ANN}", 422, as_of=18))["code"] == "history_too_long"
    monkeypatch.setattr(history, "MOST", 50)
    monkeypatch.setattr(history, "CHUNK", 3)
    assert (await then.get("/v1/me", f"resident:{ANN}", as_of=18))["as_of"]["position"] == 18
    monkeypatch.setattr(history, "PATIENCE", 0.1)
    turns = history.turns_of(then.app)
    for _ in range(history.AT_ONCE):
        await turns.acquire()
    assert (await then.get("/v1/me", f"resident:{ANN}", 422, as_of=18))["code"] == "history_too_long"


async def test_a_query_on_what_is_not_folded_is_an_error_and_never_the_present(then: Then) -> None:
    from services.gateway.views import cars, my_home

    past = await history.past(then.app, then.community, "0", my_home.VIEWS)
    with pytest.raises(LookupError):
        await past.fetch([then.community], cars.of_keeper(then.community, ANN))
    assert await asyncio.gather(past.fetch([then.community], my_home.homes_of(then.community, ANN))) == [[]]
