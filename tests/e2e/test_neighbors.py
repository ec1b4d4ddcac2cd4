"""Neighbours through the gateway: notices, display names, who lives here and how they count, a broadcast by hand."""

import random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec import Struct

from cli import scenario, status
from cli.story import Story
from tests.e2e.conftest import Stack
from tests.e2e.plain_text import everywhere
from tests.kit import until

ROLES = ("resident", "guard", "staff", "police", "grid")
Headers = dict[str, str]


class Tenant(Struct):
    """Somebody new, in a home of their own choice; `name` and `phone` stand nowhere else."""

    id: str
    residence_id: str
    home_id: str
    building_id: str
    name: str
    phone: str
    headers: Headers


class Street(Story):
    """The demo community with its staff, and whoever moves in."""

    stack: Stack
    buildings: list[str]

    @property
    def identity(self) -> str:
        return self.stack.url("identity")

    async def moves_in(self, building: int, name: str = "") -> Tenant:
        """Into the building of this number; returns when neighbors and the gateway know."""
        staff, building_id = self.who["staff"], self.buildings[building]
        homes = (await self.get(f"{self.identity}/v1/homes", staff, building_id=building_id, limit=200))["items"]
        home_id, phone = random.choice(homes)["id"], f"199{random.randrange(10**8):08}"
        name = name or f"诸葛{''.join(random.sample('静山远帆知秋望舒', 2))}"
        who = (await self.post(f"{self.identity}/v1/residents", staff, {"name": name, "phone": phone})).json()["id"]
        lives = {"home_id": home_id, "role": "tenant"}
        residence_id = (await self.post(f"{self.identity}/v1/residents/{who}/residences", staff, lives)).json()["id"]
        one = Tenant(who, residence_id, home_id, building_id, name, phone, self.stack.bearer("resident", who))
        await until(lambda: self.circles(one))
        await until(lambda: self.notices(one))
        return one

    async def moves_out(self, one: Tenant) -> None:
        await self.post(f"{self.identity}/v1/residences/{one.residence_id}/end", self.who["staff"], {}, 200)

        async def gone() -> bool:
            return not await self.circles(one) and not await self.notices(one)

        await until(gone)

    async def circles(self, one: Tenant) -> list[str]:
        return [circle["id"] for circle in (await self.get("/v1/me/circles", one.headers))["items"]]

    async def notices(self, one: Tenant) -> list[dict[str, Any]]:
        """In the order in which they are shown; there is one that welcomes everybody."""
        return list((await self.get("/v1/me/notices", one.headers, limit=200))["items"])

    async def seen(self, path: str, who: Headers, after: httpx.Response, **parameters: Any) -> dict[str, Any]:
        """As it is once it shows what the answer `after` is about."""
        headers = {**who, "lifang-min-position": after.headers["lifang-position"]}

        async def look() -> Any:
            answer = await self.client.get(path, headers=headers, params=parameters)
            assert answer.status_code == 200, answer.text
            return None if "lifang-stale" in answer.headers else answer

        return dict((await until(look)).json())

    async def shown(self, one: Tenant, what: str, after: httpx.Response) -> dict[str, Any] | None:
        """A notice or a broadcast as it is shown to them."""
        items = (await self.seen("/v1/me/notices", one.headers, after, limit=200))["items"]
        return next((item for item in items if item["id"] == what), None)

    async def refused(self, path: str, who: Headers, body: dict[str, Any], status: int, code: str, method: str = "POST") -> None:
        answer = await self.client.request(method, path, headers={**who, "idempotency-key": str(uuid4())}, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not any(str(value) in answer.text for value in body.values()), "what was refused is not repeated"

    async def population(self) -> dict[str, Any]:
        return await self.get("/v1/government/population", self.who["grid"])


@pytest.fixture
async def street(stack: Stack, http: httpx.AsyncClient) -> Street:
    context = scenario.Context(stack.status, http, scenario.controls(stack.place), stack.place)
    made = Street(context, **{role: stack.bearer(role)["authorization"].removeprefix("Bearer ") for role in ROLES})
    made.stack = stack
    found = await made.get(f"{made.identity}/v1/buildings", made.who["staff"], limit=200)
    made.buildings = sorted(building["id"] for building in found["items"] if building["name"].endswith("号楼"))
    return made


async def test_a_notice_to_a_building_is_read_there_and_nowhere_else_until_it_is_withdrawn(street: Street):
    ann, ben, staff = await street.moves_in(0), await street.moves_in(1), street.who["staff"]
    members = (await street.get(f"/v1/circles/{ann.building_id}/members", staff))["members"]
    new = {"circle_id": ann.building_id, "category": "outage", "title": "Water", "text": f"None on Monday ({uuid4()})."}
    await street.refused("/v1/notices", street.who["guard"], new, 403, "not_permitted")
    posted = await street.post("/v1/notices", staff, new)
    notice_id = posted.json()["id"]
    found = await street.shown(ann, notice_id, posted)
    assert found is not None and (found["read"], found["title"], found["text"]) == (False, "Water", new["text"])
    assert await street.shown(ben, notice_id, posted) is None, "another building's"
    receipts = f"/v1/notices/{notice_id}/receipts"
    await street.refused(receipts, ben.headers, {}, 404, "notice_not_found")

    read = await street.post(receipts, ann.headers, {})
    again = await street.post(receipts, ann.headers, {})
    assert again.json() == read.json()
    found = await street.shown(ann, notice_id, read)
    assert found is not None and found["read"] is True and found["read_at"] is not None
    (counted,) = [n for n in (await street.seen("/v1/notices", staff, read))["items"] if n["id"] == notice_id]
    assert (counted["read"], counted["audience"], counted["withdrawn_at"]) == (1, members, None)
    told = await street.seen(receipts, staff, read)
    assert ([r["resident_id"] for r in told["items"]], told["audience"]) == ([ann.id], members)

    withdrawn = await street.post(f"/v1/notices/{notice_id}/withdrawals", staff, {})
    assert await street.shown(ann, notice_id, withdrawn) is None
    (kept,) = [n for n in (await street.seen("/v1/notices", staff, withdrawn))["items"] if n["id"] == notice_id]
    assert kept["withdrawn_at"] is not None and kept["read"] == 1, "staff see what they have told"
    await street.refused(receipts, ann.headers, {}, 404, "notice_not_found")


async def test_what_is_unread_stands_before_what_was_read(street: Street):
    ann, staff = await street.moves_in(0), street.who["staff"]
    new = [{"circle_id": ann.building_id, "title": title, "text": "…"} for title in ("First", "Second")]
    first, second = [(await street.post("/v1/notices", staff, notice)) for notice in new]
    read = await street.post(f"/v1/notices/{second.json()['id']}/receipts", ann.headers, {})
    items = (await street.seen("/v1/me/notices", ann.headers, read, limit=200))["items"]
    places = {item["id"]: place for place, item in enumerate(items)}
    assert places[first.json()["id"]] < places[second.json()["id"]], "though the other is newer"


async def test_neighbours_see_display_names_and_nothing_that_leads_to_a_person(street: Street):
    ann, ben, cleo = await street.moves_in(2), await street.moves_in(2), await street.moves_in(1)
    mine, staff = "/v1/me/display-name", street.who["staff"]
    given = await street.get(mine, ann.headers)
    assert given["chosen"] is False and given["display_name"] != (await street.get(mine, ben.headers))["display_name"]
    for name, code in (
        (ann.name, "contains_own_name"), (f"{ann.name[2:]}的邻居", "contains_own_name"), (ann.phone, "contains_number"),
        (" ".join(ann.phone[n:n + 4] for n in (0, 4, 8)), "contains_number"), ("1-2-303", "contains_home_label"),
        ("沪A8K6P2", "contains_plate"), (given["display_name"], "display_name_looks_given"), ("猫", "display_name_length"),
    ):
        await street.refused(mine, ann.headers, {"display_name": name}, 409, code, "PUT")
    assert await street.get(mine, ann.headers) == given

    plain = f"楼上吹口琴的{''.join(random.sample('松竹梅兰菊荷桂杏', 5))}"
    chosen = await street.client.put(mine, headers=ann.headers, json={"display_name": plain})
    assert (chosen.status_code, chosen.json()["display_name"], chosen.json()["chosen"]) == (200, plain, True), chosen.text
    await street.refused(mine, ann.headers, {"display_name": "别的名字"}, 409, "display_name_changed_recently", "PUT")
    await street.refused(mine, ben.headers, {"display_name": f"{plain[:3]}·{plain[3:]}"}, 409, "display_name_taken", "PUT")

    shown: dict[str, set[str]] = {}
    for circle in (ann.building_id, street.stack.demo.community_id):
        page = await street.seen(f"/v1/circles/{circle}/members", ben.headers, chosen, limit=200)
        assert plain in {member["display_name"] for member in page["items"]}
        assert {name for member in page["items"] for name in member} == {"id", "display_name", "erased", "me"}
        told = str(page)
        for one in (ann, ben):
            assert not any(v in told for v in (one.id, one.residence_id, one.home_id, one.name, one.phone))
        shown[circle] = {member["id"] for member in page["items"]}
    assert shown[ann.building_id].isdisjoint(shown[street.stack.demo.community_id]), "each circle calls them otherwise"
    elsewhere = await street.client.get(f"/v1/circles/{ann.building_id}/members", headers=cleo.headers)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "circle_not_found")
    counted = await street.get(f"/v1/circles/{ann.building_id}/members", staff)
    assert counted["with_chosen_name"] >= 1 and set(counted) == {"id", "building_id", "members", "with_chosen_name"}

    places = await everywhere(street.stack)
    secret = [plain, plain[2:], given["display_name"], ann.name, ann.phone]
    assert {(name, v) for name, text in places.items() for v in secret if v in text} == set()
    assert "display_name_chosen" in places["databases"] and "neighbors.display_name_chosen" in places["topics"], "it is looked for there"


async def test_a_tenant_who_moves_in_is_in_the_circle_and_counts_and_one_who_moves_out_does_not(street: Street):
    staff, building = street.who["staff"], street.buildings[2]
    await until(lambda: not any(status.look(street.stack.place)["lag"].values()))
    before = await street.population()
    members = (await street.get(f"/v1/circles/{building}/members", staff))["members"]
    ann = await street.moves_in(2)
    assert set(await street.circles(ann)) == {building, street.stack.demo.community_id}
    assert (await street.get(f"/v1/circles/{building}/members", staff))["members"] == members + 1

    async def counts(people: int) -> Any:
        found = await street.population()
        return found if found["people"] == people else None

    found = await until(lambda: counts(before["people"] + 1))
    assert here(found, building) == here(before, building) + 1
    assert all(secret not in str(found) for secret in (ann.id, ann.home_id, ann.name))

    await street.moves_out(ann)
    assert (await street.get(f"/v1/circles/{building}/members", staff))["members"] == members
    gone = await street.client.get(f"/v1/circles/{building}/members", headers=ann.headers)
    assert (gone.status_code, gone.json()["code"]) == (404, "circle_not_found")
    await until(lambda: counts(before["people"]))
    refused = await street.client.get("/v1/government/population", headers=staff)
    assert refused.status_code == 403, "for authorities alone"


def here(found: dict[str, Any], building_id: str) -> int:
    return next(int(row["people"]) for row in found["by_building"] if row.get("building_id") == building_id)


async def test_what_a_grid_worker_declares_counts_and_the_polices_word_counts_before_it(street: Street):
    ann, ben, cleo, *_ = [await street.moves_in(1) for _ in range(5)]

    async def said(role: str, kind: str, of: Tenant = ann) -> tuple[int, int]:
        """How many are floating and how many registered, then."""
        after = await street.post(f"/v1/residents/{of.id}/population-declarations", street.who[role], {"kind": kind})
        found = await street.seen("/v1/government/population", street.who["grid"], after)
        return found["by_kind"]["floating"], found["by_kind"]["registered"]

    await said("grid", "foreign", ben)  # with these two, and two who are not declared, nobody else is folded into `other`
    floating, registered = await said("grid", "foreign", cleo)
    assert await said("grid", "floating") == (floating + 1, registered)
    assert await said("staff", "registered") == (floating + 1, registered), "staff's word counts less"
    assert await said("police", "registered") == (floating, registered + 1)
    assert await said("grid", "floating") == (floating, registered + 1), "said again it is nothing new"
    path = f"/v1/residents/{ann.id}/population-declarations"
    await street.refused(path, ann.headers, {"kind": "registered"}, 403, "not_permitted")


async def test_a_broadcast_by_hand_reaches_who_lives_in_the_building_and_ends_by_hand(street: Street):
    ann, ben, guard = await street.moves_in(0), await street.moves_in(1), street.who["guard"]
    members = (await street.get(f"/v1/circles/{ann.building_id}/members", guard))["members"]
    new = {"building_id": ann.building_id, "kind": "water", "text": f"The cellar is under water ({uuid4()})."}
    await street.refused("/v1/broadcasts", ann.headers, new, 403, "not_permitted")
    sent = await street.post("/v1/broadcasts", guard, new)
    broadcast_id, audience = sent.json()["id"], sent.json()["audience"]
    assert audience == members
    first = (await street.seen("/v1/me/notices", ann.headers, sent))["items"][0]
    assert (first["id"], first["kind"], first["text"], first["ended_at"]) == (broadcast_id, "broadcast", new["text"], None)
    assert await street.shown(ben, broadcast_id, sent) is None
    receipts, endings = (f"/v1/broadcasts/{broadcast_id}/{what}" for what in ("receipts", "endings"))
    await street.refused(receipts, ben.headers, {}, 404, "notice_not_found")

    async def reached() -> Any:
        found = await street.get(f"/v1/broadcasts/{broadcast_id}", guard, limit=200)
        return found if found["told"] == audience else None

    found = await until(reached)
    residents = [resident["resident_id"] for resident in found["residents"]]
    assert len(residents) == len(set(residents)) == audience and ann.id in residents and ben.id not in residents
    assert (found["not_told"], found["read"], found["rule"]) == ({}, 0, "by_hand")
    read = await street.post(receipts, ann.headers, {})
    assert (await street.seen(f"/v1/broadcasts/{broadcast_id}", guard, read))["read"] == 1

    await street.refused(endings, ann.headers, {}, 403, "not_permitted")
    ended = await street.post(endings, guard, {})
    over = await street.shown(ann, broadcast_id, ended)
    assert over is not None and over["ended_at"] is not None, "the all-clear is seen"
    assert (await street.seen(f"/v1/broadcasts/{broadcast_id}", guard, ended))["ended_for"] == "by_hand"
    late = await street.moves_in(0)
    assert await street.shown(late, broadcast_id, ended) is None, "it was over before they came"
