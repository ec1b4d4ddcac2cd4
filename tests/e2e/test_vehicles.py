"""Vehicles through the real interfaces: declared, verified, masked, shown on record; a stranger's plate tells nothing."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from msgspec import Struct

from libs.eventkit.http import Position
from libs.eventkit.privacy import decoded
from tests.e2e.conftest import Stack
from tests.kit import until


class Household(Struct):
    """Somebody new in a home of the demo community's, so that no budget is shared."""

    home_id: str
    resident_id: str
    residence_id: str
    bearer: dict[str, str]


def plate() -> str:
    return f"沪A{uuid4().int % 100_000:05d}"


@pytest.fixture
async def identity(stack: Stack, http: httpx.AsyncClient):
    http.base_url = httpx.URL(stack.url("identity"))
    http.headers.update(stack.bearer("staff"))
    return http


async def household(identity: httpx.AsyncClient, stack: Stack, number: int) -> Household:
    """Somebody new in the home of this number."""
    home_id = (await identity.get("/v1/homes", params={"limit": 200})).json()["items"][number]["id"]
    made = await identity.post("/v1/residents", json={"name": "林一"})
    who = made.json()["id"]
    moved = await identity.post(f"/v1/residents/{who}/residences", json={"home_id": home_id, "role": "tenant"})
    assert moved.status_code == 201, moved.text
    return Household(home_id, who, moved.json()["id"], stack.bearer("resident", who))


def declared(of: Household, text: str) -> dict[str, str]:
    return {"home_id": of.home_id, "plate": text, "vehicle_class": "small"}


async def declare(identity: httpx.AsyncClient, of: Household, text: str) -> httpx.Response:
    answer = await identity.post("/v1/vehicles", json=declared(of, text), headers=of.bearer)
    assert answer.status_code == 201, answer.text
    return answer


async def seen(identity: httpx.AsyncClient, after: httpx.Response, bearer: dict[str, str], **params: str) -> dict[str, dict]:
    headers = bearer | {"lifang-min-position": after.headers["lifang-position"]}
    found = await identity.get("/v1/vehicles", params={"limit": 200} | params, headers=headers)
    assert found.status_code == 200 and "lifang-stale" not in found.headers, found.text
    return {v["id"]: v for v in found.json()["items"]}


async def test_a_vehicle_is_declared_seen_masked_verified_and_shown_on_record(identity: httpx.AsyncClient, stack: Stack):
    ann, staff, text = await household(identity, stack, 40), stack.bearer("staff"), plate()
    answer = await declare(identity, ann, f" 蓝牌 {text[:2].lower()}·{text[2:]} ")
    car = answer.json()["id"]
    mine = (await seen(identity, answer, ann.bearer))[car]
    assert (mine["plate"], mine["verification"], mine["keeper_id"]) == (f"沪A***{text[-2:]}", None, ann.resident_id)
    again = await identity.post("/v1/vehicles", json=declared(ann, text), headers=ann.bearer)
    assert (again.status_code, again.json()["code"]) == (409, "plate_already_declared")

    place = f"/v1/vehicles/{car}"
    answer = await identity.post(f"{place}/verification", json={"how": "driving_licence"})
    assert (answer.status_code, answer.json()) == (200, {"id": car, "findings": []}), answer.text
    found = await seen(identity, answer, staff, home_id=ann.home_id)
    assert (found[car]["verification"], found[car]["plate"]) == ("driving_licence", mine["plate"])
    for bearer, status in ((ann.bearer, 403), (stack.bearer("guard"), 403), (staff, 201)):
        look = await identity.post(f"{place}/disclosures", json={"purpose": "scratched door"}, headers=bearer)
        assert look.status_code == status
    assert look.json() == {"id": car, "plate": text, "held_by": car} and look.headers["cache-control"] == "no-store"
    log = await asyncpg.connect(stack.status["databases"]["identity"])
    try:
        recorded = await log.fetchval(
            "select data->>'purpose' from events where stream = $1 and type = 'plate_disclosed'", f"vehicle:{car}")
        resting = await log.fetch("select data::text from events where stream = $1", f"vehicle:{car}")
    finally:
        await log.close()
    assert recorded == "scratched door" and not any(text in row[0] for row in resting)


async def test_a_strangers_plate_shows_nothing_and_staff_see_the_dispute(identity: httpx.AsyncClient, stack: Stack):
    ann, ben, staff = await household(identity, stack, 41), await household(identity, stack, 42), stack.bearer("staff")
    text = plate()
    hers = (await declare(identity, ann, text)).json()["id"]
    known, unknown = await declare(identity, ben, text), await declare(identity, ben, plate())
    told = [{k for k in answer.headers if k != "date"} for answer in (known, unknown)]
    positions = [decoded(answer.headers["lifang-position"], Position, ValueError()) for answer in (known, unknown)]
    assert told[0] == told[1] and all(p.published for p in positions)
    assert known.json().keys() == unknown.json().keys() == {"id"}
    again = await identity.post("/v1/vehicles", json=declared(ben, text), headers=ben.bearer)
    assert (again.status_code, again.json()["code"]) == (409, "plate_already_declared"), "as with a plate of his own"
    found = await seen(identity, unknown, ben.bearer)
    assert hers not in found and found[known.json()["id"]].keys() == found[unknown.json()["id"]].keys()
    assert "findings" not in found[known.json()["id"]] and "version" not in found[known.json()["id"]]
    for method in ("GET", "DELETE"):
        answer = await identity.request(method, f"/v1/vehicles/{hers}", headers=ben.bearer)
        assert (answer.status_code, answer.json()["code"]) == (404, "vehicle_not_found")
    elsewhere = await identity.post("/v1/vehicles", json=declared(ann, plate()), headers=ben.bearer)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "home_not_found")

    his = known.json()["id"]
    doubted = await seen(identity, unknown, staff, doubtful="true", home_id=ben.home_id)
    assert doubted[his]["findings"] == ["plate_declared_twice"] and unknown.json()["id"] not in doubted
    look = await identity.post(f"/v1/vehicles/{his}/disclosures", json={"purpose": "dispute"})
    assert look.json() == {"id": his, "plate": text, "held_by": hers}
    keyed = {"idempotency-key": str(uuid4())}
    for _ in range(2):
        answer = await identity.post(f"/v1/vehicles/{his}/verification", json={"how": "driving_licence"}, headers=keyed)
        assert (answer.status_code, answer.json()["findings"]) == (200, []), "papers are stronger than words"
    assert (await seen(identity, answer, staff, home_id=ann.home_id))[hers]["findings"] == ["plate_declared_twice"]
    answer = await identity.post(f"/v1/vehicles/{hers}/verification", json={"how": "driving_licence"})
    assert (answer.status_code, answer.json()["code"], answer.json()["vehicle_id"]) == (409, "plate_verified_elsewhere", his)


async def test_of_two_who_declare_a_plate_at_once_one_holds_it_and_neither_is_told(identity: httpx.AsyncClient, stack: Stack):
    pair, text = [await household(identity, stack, number) for number in (46, 47)], plate()
    made = await asyncio.gather(*(declare(identity, one, text) for one in pair))
    held = set()
    for answer in made:
        place = f"/v1/vehicles/{answer.json()['id']}"
        shown = await identity.get(place, headers={"lifang-min-position": answer.headers["lifang-position"]})
        look = await identity.post(f"{place}/disclosures", json={"purpose": "dispute"})
        held.add((look.json()["held_by"] == answer.json()["id"], tuple(shown.json()["findings"])))
    assert held == {(True, ()), (False, ("plate_declared_twice",))}


async def test_declarations_are_few_and_a_retry_is_none(identity: httpx.AsyncClient, stack: Stack):
    ann = await household(identity, stack, 43)
    keyed = ann.bearer | {"idempotency-key": str(uuid4())}
    body = declared(ann, plate())
    first = [await identity.post("/v1/vehicles", json=body, headers=keyed) for _ in range(3)]
    assert {a.json()["id"] for a in first} == {first[0].json()["id"]} and {a.status_code for a in first} == {201}
    for _ in range(9):
        await declare(identity, ann, plate())
    answer = await identity.post("/v1/vehicles", json=declared(ann, plate()), headers=ann.bearer)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_declarations")
    assert int(answer.headers["retry-after"]) > 86_000
    assert (await identity.post("/v1/vehicles", json=body, headers=keyed)).status_code == 201


async def test_staff_register_correct_and_give_a_keeper_and_the_keeper_removes(identity: httpx.AsyncClient, stack: Stack):
    ann, ben = await household(identity, stack, 44), await household(identity, stack, 45)
    answer = await identity.post("/v1/vehicles", json=declared(ann, plate()))
    assert answer.status_code == 201 and answer.json()["findings"] == [], answer.text
    place = f"/v1/vehicles/{answer.json()['id']}"
    assert (await identity.patch(place, json={"plate": plate()})).status_code == 428
    shown = await identity.get(place, headers={"lifang-min-position": answer.headers["lifang-position"]})
    text = plate()
    for status in (200, 412):
        corrected = await identity.patch(place, json={"plate": text}, headers={"if-match": shown.headers["etag"]})
        assert corrected.status_code == status
    refused = await identity.patch(place, json={"plate": "沪A?"}, headers={"if-match": "1"})
    assert (refused.status_code, refused.json()["code"], refused.json()["reason"]) == (422, "plate_invalid", "pattern")
    wrong = await identity.post(f"{place}/keeper", json={"keeper_id": ben.resident_id})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "keeper_lives_elsewhere")
    assert (await identity.get(place, headers=ann.bearer)).status_code == 404, "nobody of the home keeps it"
    kept = await identity.post(f"{place}/keeper", json={"keeper_id": ann.resident_id})
    assert kept.status_code == 200, kept.text
    mine = await identity.get(place, headers=ann.bearer | {"lifang-min-position": kept.headers["lifang-position"]})
    assert (mine.status_code, mine.json()["plate"], mine.headers.get("etag")) == (200, f"沪A***{text[-2:]}", None)
    assert (await identity.delete(f"{place}/keeper")).status_code == 204
    assert (await identity.delete(place, headers=ann.bearer)).status_code == 404
    assert (await identity.post(f"{place}/keeper", json={"keeper_id": ann.resident_id})).status_code == 200
    for _ in range(2):
        assert (await identity.delete(place, headers=ann.bearer)).status_code == 204
    again = await identity.post("/v1/vehicles", json=declared(ben, text))
    assert again.json()["findings"] == [], "the plate was given up"


async def test_with_the_keeper_a_vehicle_leaves_the_home_and_its_right_to_park_ends(identity: httpx.AsyncClient, stack: Stack):
    """Her own permit, which named both of them, waits: she may be entered in another home of the community within ten minutes."""
    ann, ben = await household(identity, stack, 48), await household(identity, stack, 48)
    text, staff, parking = plate(), stack.bearer("staff"), stack.url("parking")
    hers, his = [(await declare(identity, one, t)).json()["id"] for one, t in ((ann, text), (ben, plate()))]
    for car in (hers, his):
        assert (await identity.post(f"/v1/vehicles/{car}/verification", json={"how": "driving_licence"})).status_code == 200

    async def permit(of: Household, car: str) -> str:
        body = {"kind": "permit", "plate": plate(), "person_id": of.resident_id, "vehicle_id": car}
        granted = await identity.post(f"{parking}/v1/parking/plate-rights", json=body, headers=staff)
        assert granted.status_code == 201, granted.text
        return str(granted.json()["id"])

    async def rights(kind: str = "vehicle") -> set[str]:
        found: set[str] = set()
        params: dict[str, str] = {"kind": kind, "limit": "200"}
        while True:
            page = (await identity.get(f"{parking}/v1/parking/plate-rights", headers=staff, params=params)).json()
            found |= {right["id"] for right in page["items"]}
            if page["next"] is None:
                return found
            params["cursor"] = page["next"]

    async def both() -> bool:
        return {hers, his} <= await rights()

    async def hers_is_gone() -> bool:
        return hers not in await rights()

    async def both_permits() -> bool:
        return {her_permit, his_permit} <= await rights("permit")

    await until(both)
    her_permit, his_permit = await permit(ann, hers), await permit(ben, his)
    await until(both_permits)
    moved = await identity.post(f"/v1/residences/{ann.residence_id}/end", json={})
    assert moved.status_code == 200, moved.text
    await until(hers_is_gone)
    assert his in await rights() and {her_permit, his_permit} <= await rights("permit")
    assert (await identity.get(f"/v1/vehicles/{hers}")).status_code == 404
    assert (await identity.get(f"/v1/vehicles/{his}")).json()["keeper_id"] == ben.resident_id
    log = await asyncpg.connect(stack.status["databases"]["identity"])
    try:
        removed = await log.fetch(
            "select r.type as because from events v, events r where v.stream = $1 and v.type = 'vehicle_removed'"
            " and r.event_id::text = v.meta->'caused_by'->>0", f"vehicle:{hers}")

        async def she_is_leaving() -> bool:
            noted = "select true from events where type = 'departure_noted' and data->>'person_id' = $1"
            return bool(await log.fetchval(noted, ann.resident_id))

        await until(she_is_leaving)
    finally:
        await log.close()
    assert [row["because"] for row in removed] == ["residence_ended"]
    again = await identity.post("/v1/vehicles", json=declared(ben, text))
    assert again.status_code == 201 and again.json()["findings"] == [], "the plate was given up"


async def test_the_demo_community_has_vehicles(identity: httpx.AsyncClient, stack: Stack):
    secret = (stack.place.secrets / "demo").read_text().strip()
    seeded = await identity.post("/v1/demo-seed", json={}, headers={"authorization": f"Bearer {secret}"})
    first = seeded.json()["vehicles"][0]
    found = await identity.get(f"/v1/vehicles/{UUID(first['id'])}")
    assert (found.json()["verification"], found.json()["keeper_id"]) == ("driving_licence", first["keeper_id"])
