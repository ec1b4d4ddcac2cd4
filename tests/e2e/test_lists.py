"""Every list of every service: pages, cursors that nobody was given, and reading what one has just written."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from libs.eventkit.http import Position, _bound, _opaque
from tests.e2e.conftest import Stack

LISTS = [
    ("access", "/v1/doors", "doors", "staff"),
    ("access", "/v1/credentials", "credentials None", "staff"),
    ("access", "/v1/lifts", "lifts", "staff"),
    ("access", "/v1/notices", None, "resident"),
    ("access", "/v1/visitor-passes", "visitor-passes of None", "staff"),
    ("access", "/v1/visitor-passes", None, "resident"),
    ("devices", "/v1/devices", "devices", "staff"),
    ("devices", "/v1/devices/{device}/findings", "findings of {device}", "staff"),
    ("parking", "/v1/parking/lanes", "lanes", "staff"),
    ("parking", "/v1/parking/plate-rights", "plate rights None", "staff"),
    ("parking", "/v1/parking/sessions", "sessions None None", "staff"),
    ("parking", "/v1/parking/me/sessions", None, "resident"),
    ("parking", "/v1/parking/findings", "parking findings True", "guard"),
    ("identity", "/v1/accounts", "accounts", "operator"),
    ("identity", "/v1/buildings", "buildings", "staff"),
    ("identity", "/v1/homes", None, "staff"),
    ("identity", "/v1/organisations", "organisations", "staff"),
    ("identity", "/v1/residents", None, "staff"),
    ("identity", "/v1/residences", None, "staff"),
    ("identity", "/v1/vehicles", "vehicles None None False", "staff"),
]
BY_NAME = pytest.mark.parametrize(("service", "path", "filter_", "role"), LISTS, ids=lambda v: str(v) if str(v).startswith("/") else "")


def place(stack: Stack, service: str, text: str) -> str:
    return stack.url(service) * text.startswith("/") + text.format(device=stack.demo.terminals[0].device_id)


@BY_NAME
async def test_a_cursor_that_nobody_was_given_is_refused(stack: Stack, http: httpx.AsyncClient, service, path, filter_, role):
    """Also one that names the right filter, which is no secret."""
    made_up = ["x", _opaque("x"), _opaque([]), _opaque([_bound("another"), "x"]), "%00", "é"]
    if filter_ is not None:
        bound = _bound(place(stack, service, filter_))
        made_up += [_opaque([bound, *values]) for values in ((), ("no id",), ("\0", "\0"), (7,), ("a", "b", "c"))]
    for cursor in made_up:
        answer = await http.get(place(stack, service, path), params={"cursor": cursor}, headers=stack.bearer(role))
        assert answer.status_code == 400 and answer.json()["code"].startswith("cursor_"), (cursor, answer.text)


async def test_a_read_waits_for_what_its_reader_did_or_says_that_it_is_stale(stack: Stack, http: httpx.AsyncClient):
    """All of them at once: each waits for seconds."""

    async def read(service: str, path: str, role: str) -> None:
        where, bearer = place(stack, service, path), stack.bearer(role)
        held, never = (_opaque(Position(service, own, "")) for own in (1, 10**9))
        for position, stale in ((held, None), (never, "true")):
            answer = await http.get(where, headers=bearer | {"lifang-min-position": position})
            assert (answer.status_code, answer.headers.get("lifang-stale")) == (200, stale), (path, answer.text)
        answer = await http.get(where, headers=bearer | {"lifang-min-position": "nonsense"})
        assert (answer.status_code, answer.json()["code"]) == (400, "position_malformed"), path

    await asyncio.gather(*(read(service, path, role) for service, path, _, role in LISTS))


@BY_NAME
async def test_pages_of_one_come_to_the_same_as_one_page(stack: Stack, http: httpx.AsyncClient, service, path, filter_, role):
    where, bearer = place(stack, service, path), stack.bearer(role)
    whole = (await http.get(where, headers=bearer, params={"limit": 5})).json()
    found, cursor = [], None
    for _ in whole["items"]:
        answer = (await http.get(where, headers=bearer, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
        found += answer["items"]
        cursor = answer["next"]
    assert [i.get("id", i.get("finding")) for i in found] == [i.get("id", i.get("finding")) for i in whole["items"]]
    assert (cursor is None) == (whole["next"] is None)


async def test_a_door_is_in_the_list_as_soon_as_its_installer_asks(stack: Stack, http: httpx.AsyncClient):
    staff, name = stack.bearer("staff"), f"Gate {uuid4()}"
    body = {"name": name, "zone": "community", "device_id": str(uuid4()), "door_no": 1}
    done = await http.post(stack.url("access") + "/v1/doors", headers=staff, json=body)
    assert done.status_code == 201, done.text
    seen, cursor = [], None
    while True:
        answer = await http.get(
            stack.url("access") + "/v1/doors", params={"limit": 200} | ({"cursor": cursor} if cursor else {}),
            headers=staff | {"lifang-min-position": done.headers["lifang-position"]})
        assert "lifang-stale" not in answer.headers
        seen += [d["name"] for d in answer.json()["items"]]
        if not (cursor := answer.json()["next"]):
            break
    assert name in seen
