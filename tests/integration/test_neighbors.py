"""Circles, names, notices and emergencies on a real database: who belongs, who is told, and who is not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import json

from libs.eventkit.http import Position, _bound, _opaque
from libs.eventkit.service import App
from tests.integration.neighborhood import Neighborhood, Provider, as_folded, service_with

AppOf = Callable[..., Awaitable[App]]
HOUSE, OTHER, ANN, BEN, CLEO, STAFF, GUARD = (uuid4() for _ in range(7))


@pytest.fixture
async def here(app_of: AppOf, community: UUID) -> AsyncIterator[Neighborhood]:
    push, sms = Provider("push"), Provider("sms")
    made = Neighborhood(await app_of(service_with((push, sms))), community, push, sms)
    await made.founded(HOUSE, OTHER)
    yield made


async def test_a_tenant_joins_both_circles_is_seen_by_display_name_alone_and_leaves(here: Neighborhood):
    here.works()
    first, second = await here.moves_in(ANN, HOUSE), await here.moves_in(ANN, HOUSE)
    await here.moves_in(BEN, HOUSE)
    await here.moves_in(CLEO, OTHER)
    await here.settled()
    circles = (await here.ask("GET", "/v1/me/circles", "resident", ANN)).json()["items"]
    assert [(c["id"], c["kind"], c["members"]) for c in circles] == [
        (str(HOUSE), "building", 2), (str(here.community), "community", 3)]
    answer = await here.ask("GET", f"/v1/circles/{HOUSE}/members", "resident", ANN)
    members = answer.json()["items"]
    assert [m["me"] for m in members].count(True) == 1 and len({m["display_name"] for m in members}) == 2
    assert not any(str(i) in answer.text for i in (ANN, BEN)), "no id leads to a person"
    paged, cursor = [], ""
    while cursor is not None:
        page = await here.ask(
            "GET", f"/v1/circles/{here.community}/members?limit=2{cursor and f'&cursor={cursor}'}", "resident", ANN)
        paged += [m["id"] for m in page.json()["items"]]
        cursor = page.json()["next"]
    assert len(paged) == len(set(paged)) == 3
    made_up = _opaque([_bound(f"members of {HOUSE}"), "no id"])
    refused = await here.ask("GET", f"/v1/circles/{HOUSE}/members?cursor={made_up}", "resident", ANN)
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_malformed")
    assert (await here.ask("GET", f"/v1/circles/{HOUSE}/members", "resident", CLEO)).status_code == 404
    counted = (await here.ask("GET", f"/v1/circles/{HOUSE}/members", "staff", STAFF)).json()
    assert counted == {"id": str(HOUSE), "building_id": str(HOUSE), "members": 2, "with_chosen_name": 0}
    await here.moves_out(first, ANN, HOUSE)
    await here.settled()
    assert (await here.ask("GET", f"/v1/circles/{HOUSE}/members", "resident", ANN)).status_code == 200, "a second home there"
    await here.moves_out(second, ANN, HOUSE)
    await here.settled()
    assert (await here.ask("GET", f"/v1/circles/{HOUSE}/members", "resident", ANN)).status_code == 404
    assert (await here.ask("GET", "/v1/me/circles", "resident", ANN)).json()["items"] == []
    assert await as_folded(here)


async def test_a_display_name_rests_sealed_is_one_neighbour_s_and_gives_nobody_away(here: Neighborhood):
    here.works()
    for resident, name in ((ANN, "王安然"), (BEN, "李明远")):
        await here.registered(resident, name)
        await here.moves_in(resident, HOUSE)
    await here.settled()

    async def choose(person: UUID, name: str) -> Any:
        return await here.ask("PUT", "/v1/me/display-name", "resident", person, {"display_name": name})

    given = (await here.ask("GET", "/v1/me/display-name", "resident", ANN)).json()
    assert given["chosen"] is False and given["again_at"] is None
    for name, code in (("安 然", "contains_own_name"), ("13800000001", "contains_number"), ("1-2-303", "contains_home_label"),
                       (given["display_name"], "display_name_looks_given"), ("猫", "display_name_length")):
        refused = await choose(ANN, name)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert name not in refused.text
    plain = "楼上吹口琴的猫"
    chosen = await choose(ANN, plain)
    assert (chosen.status_code, chosen.json()["display_name"], chosen.json()["chosen"]) == (200, plain, True)
    assert (await choose(ANN, plain)).status_code == 200, "what they are called already"
    assert (await choose(ANN, "别的名字")).json()["code"] == "display_name_changed_recently"
    assert (await choose(BEN, "楼上·吹口琴的猫")).json()["code"] == "display_name_taken"
    seen = {"lifang-min-position": chosen.headers["lifang-position"]}
    members = (await here.ask("GET", f"/v1/circles/{HOUSE}/members", "resident", BEN, **seen)).json()["items"]
    assert plain in {m["display_name"] for m in members}
    lost = {"lifang-min-position": _opaque(Position("neighbors", 10**9, ""))}
    for path in (f"/v1/circles/{HOUSE}/members", "/v1/me/display-name"):
        stale = [(await here.ask("GET", path, "resident", BEN, **at)).headers.get("lifang-stale") for at in (seen, lost)]
        assert stale == [None, "true"], "what a log restored since has lost is not said to be there"
    assert (await choose(CLEO, "谁也不是")).json()["code"] == "not_a_neighbor"
    await here.settled()
    assert await _found_in_the_database(here, plain, "王安然", "口琴") == []
    assert {t for t, _ in await _found_in_the_database(here, "号楼")} == {"events"}, "the search finds what is there"
    await here.registered(ANN, "王大海")
    await here.registered(BEN, "李口琴")
    await here.settled()
    assert (await here.ask("GET", "/v1/me/display-name", "resident", ANN)).json()["chosen"] is True
    await here.registered(ANN, "王口琴")
    await here.settled()
    assert (await here.ask("GET", "/v1/me/display-name", "resident", ANN)).json() == given, "it had come to hold the name"
    assert (await choose(BEN, plain)).json()["code"] == "contains_own_name"


async def _found_in_the_database(here: Neighborhood, *texts: str) -> list[tuple[str, str]]:
    pool = await here.app.database.pool()
    tables = [r[0] for r in await pool.fetch(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'")]
    found = []
    for table in tables:
        for row in await pool.fetch(f"select t::text as whole from {table} t"):
            found += [(table, text) for text in texts if text in row["whole"] or json.encode(text).decode()[1:-1] in row["whole"]]
    return found


async def test_notices_are_read_by_members_once_unread_first_and_counted(here: Neighborhood):
    here.works()
    await here.moves_in(ANN, HOUSE)
    await here.moves_in(CLEO, OTHER)
    await here.settled()
    ids = []
    for title, circle in (("一", HOUSE), ("二", here.community), ("三", HOUSE), ("四", OTHER)):
        posted = await here.ask("POST", "/v1/notices", "staff", STAFF, {"circle_id": str(circle), "title": title, "text": "x"})
        assert posted.status_code == 201
        ids.append(posted.json()["id"])
    for _ in range(2):
        assert (await here.ask("POST", f"/v1/notices/{ids[2]}/receipts", "resident", ANN)).status_code == 201
    assert (await here.ask("POST", f"/v1/notices/{ids[3]}/receipts", "resident", ANN)).json()["code"] == "notice_not_found"
    assert (await here.ask("POST", f"/v1/notices/{uuid4()}/receipts", "resident", ANN)).status_code == 404
    await here.settled()
    titles, cursor = [], ""
    while cursor is not None:
        page = (await here.ask("GET", f"/v1/notices?limit=1{cursor and f'&cursor={cursor}'}", "resident", ANN)).json()
        titles += [(i["title"], i["read_at"] is not None) for i in page["items"]]
        cursor = page["next"]
    assert titles == [("二", False), ("一", False), ("三", True)]
    counted = (await here.ask("GET", "/v1/notices", "staff", STAFF)).json()["items"]
    assert [(n["title"], n["audience"], n["read"]) for n in counted] == [("四", 1, 0), ("三", 1, 1), ("二", 2, 0), ("一", 1, 0)]
    receipts = (await here.ask("GET", f"/v1/notices/{ids[2]}/receipts", "staff", STAFF)).json()
    assert [r["resident_id"] for r in receipts["items"]] == [str(ANN)] and receipts["audience"] == 1
    assert len(await here.said("notice_read")) == 1
    assert (await here.ask("POST", f"/v1/notices/{ids[0]}/withdrawals", "staff", STAFF)).status_code == 201
    await here.settled()
    assert (await here.ask("POST", f"/v1/notices/{ids[0]}/receipts", "resident", ANN)).status_code == 404
    left = (await here.ask("GET", "/v1/notices", "resident", ANN)).json()["items"]
    assert [n["title"] for n in left] == ["二", "三"]


NEW = {"building_id": str(HOUSE), "text": "x"}


REFUSED: list[tuple[str, str, str, Any, int, str]] = [
    ("POST", "/v1/notices", "resident", {"circle_id": str(HOUSE), "title": "x", "text": "x"}, 403, "not_permitted"),
    ("POST", "/v1/notices", "guard", {"circle_id": str(HOUSE), "title": "x", "text": "x"}, 403, "not_permitted"),
    ("POST", "/v1/notices", "staff", {"circle_id": str(HOUSE), "title": "x" * 81, "text": "x"}, 422, "invalid"),
    ("POST", "/v1/notices", "staff", {"circle_id": str(HOUSE), "title": "x", "text": "x", "by": "y"}, 422, "invalid"),
    ("POST", "/v1/notices", "staff", {"circle_id": str(ANN), "title": "x", "text": "x"}, 404, "circle_not_found"),
    ("POST", f"/v1/notices/{ANN}/withdrawals", "staff", None, 404, "notice_not_found"),
    ("GET", f"/v1/notices/{ANN}/receipts", "staff", None, 404, "notice_not_found"),
    ("GET", f"/v1/notices/{ANN}/receipts", "resident", None, 403, "not_permitted"),
    ("GET", "/v1/notices?cursor=x", "resident", None, 400, "cursor_malformed"),
    ("POST", "/v1/broadcasts", "resident", NEW, 403, "not_permitted"),
    ("POST", "/v1/broadcasts", "staff", {**NEW, "building_id": str(ANN)}, 404, "building_not_found"),
    ("POST", "/v1/broadcasts", "guard", {**NEW, "text": "x" * 501}, 422, "invalid"),
    ("POST", "/v1/broadcasts", "guard", {**NEW, "kind": "duress"}, 422, "invalid"),
    ("POST", f"/v1/broadcasts/{ANN}/endings", "guard", None, 404, "broadcast_not_found"),
    ("POST", f"/v1/broadcasts/{ANN}/receipts", "resident", None, 404, "notice_not_found"),
    ("POST", f"/v1/broadcasts/{ANN}/receipts", "guard", None, 403, "not_permitted"),
    ("GET", f"/v1/broadcasts/{ANN}", "staff", None, 404, "broadcast_not_found"),
    ("GET", f"/v1/circles/{ANN}/members", "staff", None, 404, "circle_not_found"),
    ("GET", f"/v1/circles/{HOUSE}/members", "grid", None, 403, "not_permitted"),
    ("GET", "/v1/me/display-name", "staff", None, 403, "not_permitted"),
    ("GET", "/v1/me/display-name", "resident", None, 404, "neighbor_not_found"),
    ("PUT", "/v1/me/display-name", "resident", {"display_name": ""}, 422, "invalid"),
    ("GET", "/v1/me/circles", "", None, 401, "token_missing"),
]


async def test_what_http_refuses(here: Neighborhood):
    for method, path, role, body, status, code in REFUSED:
        answer = await here.ask(method, path, role, ANN, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (method, path, answer.text)
        stranger = await here.ask(method, path, role, ANN, body, community=uuid4())
        assert stranger.status_code in (status, 404), (method, path)


async def test_what_is_of_another_community_is_not_there(here: Neighborhood):
    here.works()
    await here.moves_in(ANN, HOUSE)
    await here.settled()
    elsewhere = uuid4()
    notice = await here.ask("POST", "/v1/notices", "staff", STAFF, {"circle_id": str(HOUSE), "title": "x", "text": "x"})
    call = await here.ask("POST", "/v1/broadcasts", "staff", STAFF, {"building_id": str(HOUSE), "text": "x"})
    await here.settled()
    for method, path, role, status in (
            ("POST", f"/v1/notices/{notice.json()['id']}/receipts", "resident", 404),
            ("POST", f"/v1/notices/{notice.json()['id']}/withdrawals", "staff", 404),
            ("GET", f"/v1/notices/{notice.json()['id']}/receipts", "staff", 404),
            ("GET", f"/v1/broadcasts/{call.json()['id']}", "staff", 404),
            ("POST", f"/v1/broadcasts/{call.json()['id']}/endings", "guard", 404),
            ("POST", f"/v1/broadcasts/{call.json()['id']}/receipts", "resident", 404),
            ("GET", f"/v1/circles/{HOUSE}/members", "resident", 404)):
        answer = await here.ask(method, path, role, ANN, community=elsewhere)
        assert answer.status_code == status, (method, path, answer.text)
    for path, role in (("/v1/notices", "staff"), ("/v1/notices", "resident"), ("/v1/broadcasts", "guard"), ("/v1/me/circles", "resident")):
        assert (await here.ask("GET", path, role, ANN, community=elsewhere)).json()["items"] == []
