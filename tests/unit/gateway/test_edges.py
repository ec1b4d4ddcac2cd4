"""Forwarding, paging, following: what can go wrong at the gateway's edges."""

from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from starlette.requests import Request

from libs.contracts import devices
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done, Outcome
from libs.eventkit.http import Position, cursor_position, page, position_header
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import Catalogue, Number
from libs.eventkit.settings import Settings
from libs.eventkit.tail import KEPT, Tail, Wake
from services.gateway import freshness
from services.gateway.api import live
from services.gateway.api.doors import door_after
from services.gateway.api.live import globs, position_of
from services.gateway.api.me import same
from services.gateway.forwarding import Upstream, headers_on
from services.gateway.freshness import number_of
from services.gateway.main import SERVICE
from services.gateway.reach import Viewer
from services.gateway.tail import Shown
from services.gateway.views import passages
from tests.unit.gateway.heard import COMMUNITY, DEVICE, heard

SETTINGS = Settings(service="gateway", database_url="postgresql://nobody@localhost/none", secrets=Path("none"))


@pytest.fixture(autouse=True)
def _access_alone_is_known(monkeypatch):
    monkeypatch.setenv("LIFANG_URL_ACCESS", "http://access.test")
    monkeypatch.delenv("LIFANG_URL_IDENTITY", raising=False)


def request(headers=()):
    async def receive():
        return {"type": "http.request", "body": b'{"a":1}', "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"",
             "headers": [(k.encode(), v.encode()) for k, v in headers]}
    return Request(scope, receive)


async def forwarded(answer, headers=(), service="access"):
    asked = []

    async def handle(outgoing):
        asked.append(outgoing)
        found = answer(len(asked))
        if isinstance(found, Exception):
            raise found
        return found

    upstream = Upstream(SETTINGS, httpx.MockTransport(handle))
    return await upstream.forward(request(headers), service, "/v1/x"), asked


async def test_what_is_asked_and_what_is_answered_passes_through():
    response, asked = await forwarded(
        lambda n: httpx.Response(201, json={"id": 1}, headers={"lifang-position": "p", "etag": '"3"', "x-inner": "no"}),
        [("authorization", "Bearer t"), ("idempotency-key", "k"), ("x-request-id", "r"), ("cookie", "no"),
         ("content-type", "application/json"), ("x-forwarded-for", "no")])
    assert (response.status_code, bytes(response.body)) == (201, b'{"id":1}')
    assert response.headers["lifang-position"] == "p" and response.headers["etag"] == '"3"'
    assert "x-inner" not in response.headers
    assert asked[0].content == b'{"a":1}' and asked[0].headers["authorization"] == "Bearer t"
    assert asked[0].headers["x-request-id"] == "r"
    assert "cookie" not in asked[0].headers and "x-forwarded-for" not in asked[0].headers


def test_a_request_without_an_id_is_given_one():
    assert headers_on({})["x-request-id"] != headers_on({})["x-request-id"]


@pytest.mark.parametrize("error, status, code, times", [
    (httpx.ConnectError("refused"), 503, "upstream_unavailable", 2),
    (httpx.ConnectTimeout("slow"), 503, "upstream_unavailable", 1),
    (httpx.ReadTimeout("slow"), 504, "upstream_timeout", 1),
    (httpx.RemoteProtocolError("cut"), 502, "upstream_broke_off", 1),
    (httpx.ReadError("cut"), 502, "upstream_broke_off", 1),
])
async def test_only_a_refused_connection_is_tried_again(error, status, code, times):
    response, asked = await forwarded(lambda n: error)
    assert (response.status_code, msgspec.json.decode(response.body)["code"], len(asked)) == (status, code, times)
    assert ("retry-after" in response.headers) == (status == 503)


async def test_a_service_that_is_soon_back_answers():
    response, _ = await forwarded(lambda n: httpx.ConnectError("refused") if n == 1 else httpx.Response(409))
    assert response.status_code == 409


async def test_a_service_without_an_address_is_unavailable():
    response, asked = await forwarded(lambda n: httpx.Response(200), service="identity")
    assert response.status_code == 503 and not asked


def test_the_next_page_begins_below_the_last_item():
    rows = [{"position": n} for n in (9, 7, 5)]
    first = page(rows, 2, "f", "position")
    assert [item["position"] for item in first["items"]] == [9, 7]
    assert cursor_position(first["next"], "f") == 7
    assert page(rows, 3, "f", "position")["next"] is None and cursor_position(None, "f") is None


@pytest.mark.parametrize("values", [["x"], ["-1"], ["1", "2"], ["9" * 30], ["²"]])
def test_a_cursor_that_is_no_position_is_refused(values):
    text = page([{str(n): v for n, v in enumerate(values)}] * 2, 1, "f", *map(str, range(len(values))))["next"]
    with pytest.raises(Problem, match="cursor_malformed"):
        cursor_position(text, "f")


def test_a_cursor_is_bound_to_its_filter():
    text = page([{"position": 1}] * 2, 1, "door-events a", "position")["next"]
    with pytest.raises(Problem, match="cursor_of_another_filter"):
        cursor_position(text, "door-events b")


def test_a_cursor_of_doors_has_a_name_and_an_id():
    text = page([{"name": "Gate", "id": DEVICE}] * 2, 1, "doors", "name", "id")["next"]
    assert door_after(text) == ("Gate", DEVICE)
    with pytest.raises(Problem, match="cursor_malformed"):
        door_after(page([{"name": "Gate"}] * 2, 1, "doors", "name")["next"])


@pytest.mark.parametrize("text, wanted, unwanted", [
    ("", ["access.door_opened", "devices.x"], []),
    ("access.*", ["access.door_opened"], ["devices.x"]),
    ("access.door_*, devices.x", ["access.door_passed", "devices.x"], ["access.right_granted"]),
    ("access.door_opene?", ["access.door_opened"], ["access.door_opened2"]),
])
def test_types_are_globs(text, wanted, unwanted):
    matches = globs(text)
    assert all(map(matches, wanted)) and not any(map(matches, unwanted))


@pytest.mark.parametrize("text", ["(", "A.b", ",".join(["a"] * 21), "a" * 81])
def test_malformed_types_are_refused(text):
    with pytest.raises(Problem, match="types_malformed"):
        globs(text)


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "²", "9" * 19])
def test_a_malformed_place_to_resume_is_refused(text):
    with pytest.raises(Problem, match="last_event_id_malformed"):
        position_of(text)


def test_tags_match_weak_or_not():
    assert '"a"' in same('W/"a", "b"') and '"b"' in same('W/"a", "b"') and '"a"' not in same("")


def test_the_number_to_wait_for():
    assert number_of(Position("access", 5, "1.7.0"), HEARS["gateway"]) == Number(1, 7, 0)
    assert number_of(Position("access", 5, ""), HEARS["gateway"]) is None
    for wrong in (Position("nobody", 5, "1.7.0"), Position("access", 5, "1.7"), Position("access", 5, "x.y.z")):
        with pytest.raises(Problem, match="position_malformed"):
            number_of(wrong, HEARS["gateway"])


async def test_what_the_gateway_itself_has_written_is_waited_for_in_its_own_log(monkeypatch):
    monkeypatch.setattr(freshness, "PATIENCE", 0.1)
    told = position_header("gateway", 1, Done(Outcome("webhook:1", 1, 7)))["Lifang-Position"]
    asked = SimpleNamespace(headers={"lifang-min-position": told})
    for stands, stale in ((6, {"Lifang-Stale": "true"}), (7, {})):

        async def fetchval(query, names, position, stands=stands):
            assert names == [passages.PASSAGES.name]
            return stands >= position

        async def pool(fetchval=fetchval):
            return SimpleNamespace(fetchval=fetchval)

        app = SimpleNamespace(service=SERVICE, wake=Wake(), database=SimpleNamespace(pool=pool))
        assert await freshness.fresh(app, asked, COMMUNITY, passages.VIEWS) == stale


@pytest.mark.parametrize("resumed", ["", "3"])
async def test_a_follower_is_looked_up_when_the_views_have_what_lies_before_the_stream(monkeypatch, resumed):
    asked = []

    async def seen_by(app, principal, community_id, position=0):
        asked.append(position)
        return Viewer(community_id, principal.id, principal.role == "guard")

    async def last():
        return 7

    monkeypatch.setattr(live, "seen_by", seen_by)
    app = SimpleNamespace(log=SimpleNamespace(last=last), catalogue=None)
    (route,) = live.router(app).routes
    ann = Principal(DEVICE, "resident", frozenset({COMMUNITY}), permissions_of("resident"))
    await route.endpoint(SimpleNamespace(headers={}), "", resumed, ann)
    assert asked == [7]


class FakeLog:
    """A log of `end` rows that counts how often it is read."""

    def __init__(self, end):
        self.end, self.reads, self.tail = end, 0, Tail(self.read)

    async def read(self, after, limit):
        self.reads += 1
        event = devices.DoorOrderFailed(DEVICE, DEVICE, 1, "refused")
        return [heard(event, p)[1] for p in range(after + 1, min(self.end, after + limit) + 1)]


def tail(end):
    log, wake = FakeLog(end), Wake()
    return Following(Shown(log, Catalogue(SERVICE.contracts)), wake), log, wake


class Following:
    """One follower that takes the wake before it asks."""

    def __init__(self, shown, wake):
        self.shown, self.wake = shown, wake

    async def after(self, position):
        return await self.shown.after(position, self.wake.next)


def positions(seen):
    return [s.row.position for s in seen]


async def test_followers_at_the_end_share_one_read():
    shared, log, wake = tail(10)
    for _ in range(3):
        assert positions(await shared.after(8)) == [9, 10]
    for _ in range(3):
        assert positions(await shared.after(10)) == []
    assert log.reads == 1, "whoever came to the end has seen it"
    log.end = 11
    wake()
    assert [positions(await shared.after(10)) for _ in range(3)] == [[11]] * 3
    assert log.reads == 2


async def test_whoever_is_behind_reads_alone_and_misses_nothing():
    shared, _, _ = tail(3000)
    await shared.after(2990)
    position, seen = 0, []
    while rows := await shared.after(position):
        seen += positions(rows)
        position = seen[-1]
    assert seen == list(range(1, 3001))


async def test_what_is_kept_is_bounded():
    shared, log, _ = tail(KEPT + 700)
    position = 1
    while rows := await shared.after(position):
        position = rows[-1].row.position
    assert len(log.tail._kept) == len(shared.shown._seen) == KEPT
    assert positions(await shared.after(1))[:2] == [2, 3]


async def test_a_frame_carries_the_position_and_the_event():
    shared, _, _ = tail(1)
    frame = (await shared.after(0))[0].frame()
    assert frame.startswith(b"id: 1\ndata: {") and frame.endswith(b"}\n\n") and frame.count(b"\n") == 3
